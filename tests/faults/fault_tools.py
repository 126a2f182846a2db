"""What the fault tests share: programs that may hang or crash, and a disk that is full."""

import io
import os
import shutil
import subprocess
import sys
import tarfile

import pytest

from conftest import ROOT
from image_retrieval.datasets.cifar10_archive import TEST_BATCHES, TRAIN_BATCHES

# A program that does not end by then hangs.
PATIENCE = 60


def run(*command, folder=None, **variables):
    """Run a command to its end, and return it with what it printed; a hang is an error."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=str(folder or ROOT),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=PATIENCE,
    )


def python(code, *arguments, **options):
    """Run Python code in a process of its own."""
    return run(sys.executable, "-c", code, *arguments, **options)


def command_line(*arguments, **options):
    """Run the package's command line."""
    return run(sys.executable, "-m", "image_retrieval", *arguments, **options)


def one_line(done, *words):
    """Check that a command failed with one line that holds these words, and return it."""
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert lines[0].isprintable()
    for word in words:
        assert word in lines[0]
    return lines[0]


_IN_A_SMALL_DISK = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def on_small_disk(size, folder, *command, **options):
    """Run a command for which `folder` is a disk of that size; skip where none can be made."""
    unshare = shutil.which("unshare")
    if not unshare or run(unshare, "-rm", "true").returncode:
        pytest.skip("this system lets no user mount a disk of his own")
    wrapper = [unshare, "-rm", "sh", "-c", _IN_A_SMALL_DISK, "sh"]
    return run(*wrapper, size, folder, *command, **options)


def small_cifar10(path, records=10):
    """Write an archive of CIFAR-10's layout whose batches have so many records, of ten labels."""
    with tarfile.open(str(path), "w") as tar:
        for name in (*TRAIN_BATCHES, *TEST_BATCHES):
            info = tarfile.TarInfo(name)
            data = b"".join(
                bytes([record % 10]) + bytes([record % 256]) * 3072 for record in range(records)
            )
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
