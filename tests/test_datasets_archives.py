import io
import tarfile

import pytest

from image_retrieval.datasets.archives import open_tar
from image_retrieval.errors import InputError

CONTENT = bytes(range(256)) * 40


def member(name, kind=tarfile.REGTYPE, **fields):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(CONTENT) if kind == tarfile.REGTYPE else 0
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def make_tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for info in members:
            tar.addfile(info, io.BytesIO(CONTENT) if info.isreg() else None)
    return path


def read_all(path):
    with open_tar(path) as members:
        return [(str(name), file.read()) for name, file in members]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_files_are_read_in_order_and_folders_passed_over(tmp_path, mode):
    members = [member("d", tarfile.DIRTYPE), member("d/b.bin"), member("./a.bin"), member("e")]
    path = make_tar(tmp_path / "archive", members, mode)
    assert read_all(path) == [("d/b.bin", CONTENT), ("a.bin", CONTENT), ("e", CONTENT)]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "a/..", "..\\up", "C:\\windows", "\\\\host\\x"]
)
def test_names_that_lead_out_are_refused(tmp_path, name):
    path = make_tar(tmp_path / "archive.tar.gz", [member("good"), member(name)])
    with pytest.raises(InputError, match="points outside the archive") as caught:
        read_all(path)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "neither a file nor a folder"),
        (tarfile.BLKTYPE, "neither a file nor a folder"),
        (tarfile.FIFOTYPE, "neither a file nor a folder"),
    ],
)
def test_links_and_devices_are_refused(tmp_path, kind, message):
    bad = member("inside/bad", kind, linkname="good")
    path = make_tar(tmp_path / "archive.tar.gz", [member("good"), bad])
    with pytest.raises(InputError, match=f"'inside/bad' is {message}"):
        read_all(path)


def test_what_is_no_archive_is_named(tmp_path):
    text = tmp_path / "text.tar.gz"
    text.write_text("not a tar" * 200)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for path, message in (
        (tmp_path / "nowhere", "no such archive"),
        (tmp_path, "is a folder"),
        (text, "not a tar archive"),
        (empty, "not a tar archive"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            read_all(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_archive_cut_anywhere_is_never_taken_for_whole(tmp_path, mode):
    whole = make_tar(tmp_path / "whole", [member(f"file {n}") for n in range(3)], mode)
    data = whole.read_bytes()
    # What follows the first end-of-archive block of a plain tar is padding.
    end = 3 * (512 + 20 * 512) + 512 if mode == "w" else len(data)
    assert len(read_all(whole)) == 3
    cut = tmp_path / "cut"
    for length in [*range(0, end, max(1, end // 97)), end - 1]:
        cut.write_bytes(data[:length])
        with pytest.raises(InputError):
            read_all(cut)


def test_a_cut_archive_is_called_so(tmp_path):
    whole = make_tar(tmp_path / "whole", [member("a"), member("b")])
    (tmp_path / "cut").write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(InputError, match="cut short; download it again"):
        read_all(tmp_path / "cut")


def test_every_changed_byte_of_the_contents_is_noticed(tmp_path):
    whole = make_tar(tmp_path / "whole", [member("a"), member("b")])
    data = bytearray(whole.read_bytes())
    for place in range(20, len(data), 7):
        damaged = data.copy()
        damaged[place] ^= 0x55
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(InputError):
            read_all(tmp_path / "damaged")


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path):
    plain = make_tar(tmp_path / "plain.tar", [member("a"), member("b")], "w")
    data = bytearray(plain.read_bytes())
    data[512 + 20 * 512 + 3] ^= 1
    plain.write_bytes(data)
    with pytest.raises(InputError, match="a header cannot be read"):
        read_all(plain)
