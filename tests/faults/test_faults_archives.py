"""Archives made to fill the memory or the disk, to hang, or to write to the terminal."""

import gzip
import io
import os
import tarfile
import zipfile
from collections import Counter

import pytest
from fault_tools import command_line, one_line, python, small_cifar10

from image_retrieval.datasets.building import Built
from image_retrieval.datasets.caltech101 import LABELS
from image_retrieval.datasets.registry import get_card
from image_retrieval.files import atomic_folder, exclusive

BOMB = 300 << 20  # bytes, of a few hundred KB
# Reads an archive, and tells by how many MB the memory grew.
READ = """
import resource, sys
from image_retrieval.datasets.caltech101_archive import read_pictures
from image_retrieval.datasets.caltech101 import LABELS
from image_retrieval.datasets.cifar10_archive import read_archive
from image_retrieval.errors import InputError

def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

read = {"caltech101": lambda path: list(read_pictures(path, LABELS)), "cifar10": read_archive}
before = memory()
try:
    read[sys.argv[1]](sys.argv[2])
except InputError as error:
    print(error)
print(memory() - before)
"""
PICTURE, BATCH = "101_ObjectCategories/Faces/image_0001.jpg", "cifar-10/data_batch_1.bin"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows measures memory otherwise")


def header(name, size, kind=tarfile.REGTYPE):
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def zeros(file, size, byte=b"\0"):
    for _ in range(size >> 20):
        file.write(byte * (1 << 20))


def bomb(path, name, kind=tarfile.REGTYPE, byte=b"\3"):
    """Write an archive whose first member, or a header before it, has very many bytes."""
    with gzip.open(str(path), "wb", 1) as file:
        file.write(header(name, BOMB, kind))
        zeros(file, BOMB, byte)
        file.write(header(name, 512) + b"\0" * 512 + b"\0" * 1024)
    return path


def sparse(path, name):
    """Write an archive with one sparse file of four terabytes in old GNU form."""
    head = bytearray(header(name, 512, tarfile.GNUTYPE_SPARSE))
    head[386:398], head[398:410] = b"00000000000\0", b"00000001000\0"
    head[483:495] = b"\x80" + (4 << 40).to_bytes(11, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    path.write_bytes(bytes(head) + b"\0" * 512 + b"\0" * 1024)
    return path


def pax_sparse(path, name):
    with tarfile.open(str(path), "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo(name)
        info.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": name,
            "GNU.sparse.realsize": str(4 << 40),
        }
        data = b"1\n0\n512\n".ljust(512, b"\0") + b"\0" * 512
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return path


def negative(path, name):
    head = bytearray(header(name, 0))
    head[124:136] = (2**96 - 1024).to_bytes(12, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    path.write_bytes(bytes(head) + b"\0" * 1024)
    return path


def zipped(path, name):
    with zipfile.ZipFile(str(path), "w", zipfile.ZIP_DEFLATED) as archive, archive.open(
        "101_ObjectCategories.tar.gz", "w"
    ) as file:
        file.write(header(name, BOMB))
        zeros(file, BOMB)
    return path


def endless(path, name):
    """Write an archive whose members are small and never end: its headers fill the memory."""
    with gzip.open(str(path), "wb", 1) as file:
        many = b"".join(header(f"{number}", 0) for number in range(1000))
        for _ in range(60):
            file.write(many)
    return path


ATTACKS = {
    "member": bomb,
    "pax header": lambda path, name: bomb(path, name, tarfile.XHDTYPE),
    "global pax header": lambda path, name: bomb(path, name, tarfile.XGLTYPE),
    "long name": lambda path, name: bomb(path, name, tarfile.GNUTYPE_LONGNAME),
    "long link": lambda path, name: bomb(path, name, tarfile.GNUTYPE_LONGLINK),
    "sparse": sparse,
    "sparse by pax": pax_sparse,
    "negative size": negative,
    "many members": endless,
}


@pytest.mark.parametrize(
    ("dataset", "attack"),
    [*(("caltech101", attack) for attack in ATTACKS), ("cifar10", "member"), ("cifar10", "sparse")],
)
def test_an_archive_is_bounded_before_it_is_read(tmp_path, dataset, attack):
    path = ATTACKS[attack](tmp_path / "a.tar", PICTURE if dataset == "caltech101" else BATCH)
    refused(dataset, path)


def test_a_zip_is_not_copied_to_the_disk_and_bounded(tmp_path):
    path = zipped(tmp_path / "a.zip", PICTURE)
    (tmp_path / "tmp").mkdir()
    refused("caltech101", path, TMPDIR=str(tmp_path / "tmp"))
    assert not [*(tmp_path / "tmp").iterdir()]


def refused(dataset, path, **variables):
    """Check that reading ends with one line and little memory."""
    done = python(READ, dataset, path, **variables)
    assert done.returncode == 0, done.stderr
    line, growth = done.stdout.splitlines()
    assert line.startswith(f"{path}: ")
    assert line.endswith(("from its official source", "download it again"))
    assert int(growth) < 150


def test_nothing_of_a_zip_is_left_in_the_temporary_folder_by_a_kill(tmp_path):
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        for label in LABELS:
            info = tarfile.TarInfo(f"101_ObjectCategories/{label}/image_0001.jpg")
            tar.addfile(info)
    with zipfile.ZipFile(str(tmp_path / "a.zip"), "w") as archive:
        archive.writestr("caltech-101/101_ObjectCategories.tar.gz", inner.getvalue())
    (tmp_path / "tmp").mkdir()
    code = (
        "import os, signal, sys\n"
        "from image_retrieval.datasets.caltech101_archive import read_pictures\n"
        "from image_retrieval.datasets.caltech101 import LABELS\n"
        "pictures = read_pictures(sys.argv[1], LABELS)\n"
        "print(next(pictures).name, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = python(code, tmp_path / "a.zip", TMPDIR=str(tmp_path / "tmp"))
    assert done.stdout == "Faces/image_0001.jpg\n"
    assert not [*(tmp_path / "tmp").iterdir()]


@pytest.mark.long
@pytest.mark.parametrize("command", ["cifar10", "caltech101"])
def test_a_pipe_or_a_device_is_no_archive(tmp_path, command):
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "device"):
        output = ["--output", tmp_path / "out"]
        done = command_line(command, "--archive", tmp_path / name, *output)
        one_line(done, f"{name} is a pipe or a device")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", [".", "", ".."])
def test_the_working_folder_is_not_replaced(tmp_path, output):
    path, here = small_cifar10(tmp_path / "a.tar"), tmp_path / "x" / "here"
    here.mkdir(parents=True)
    done = command_line("cifar10", "--archive", path, "--output", output, folder=here)
    one_line(done)
    assert here.is_dir()


@pytest.mark.parametrize("seed", ["-1", "99999999999"])
@pytest.mark.parametrize("command", ["cifar10", "caltech101"])
def test_a_seed_out_of_range_is_named(tmp_path, command, seed):
    output = ["--output", tmp_path / "out"]
    done = command_line(
        command, "--archive", small_cifar10(tmp_path / "a.tar"), "--seed", seed, *output
    )
    one_line(done, f"seed={seed} must be")


def test_an_output_that_is_a_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    with exclusive(tmp_path / "link"), atomic_folder(tmp_path / "link") as folder:
        (folder / "content").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "content").read_text() == "new"


def test_names_from_an_archive_write_nothing_to_the_terminal(tmp_path):
    evil = "Faces/\x1b]0;PWNED\x07\nAll is well.jpg: broken"
    counts = Counter({"cat\x1b[2J\n": 1})
    built = Built(get_card("folder"), tmp_path, "x", counts, counts, 1.0, 1.0, (evil,), (evil,))
    report = built.report()
    assert "\\x1b]0;PWNED\\x07\\nAll is well.jpg: broken" in report
    assert all(line.isprintable() for line in report.splitlines())
    assert len(report.splitlines()) == 8
