"""Programs that were killed while they wrote: the old data are whole, and nothing stays behind."""

import os

import numpy as np
import pytest
from fault_tools import python

from image_retrieval import index

# Runs a piece of code again and again, killed at the first of the calls by which files and
# folders are made and moved, then at the second, and so on to its end; after each kill it
# prints what a reader finds.
KILL = """
import os, pathlib, signal, sys
folder = pathlib.Path(sys.argv[1])

def dies(function, left):
    def call(*arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

def work_until(moment):
    left = [moment]
    for owner, names in (
        (pathlib.Path, ("rename", "replace", "mkdir", "touch", "unlink", "rmdir", "write_bytes")),
        (os, ("rename", "replace", "mkdir", "unlink", "rmdir")),
    ):
        for name in names:
            setattr(owner, name, dies(getattr(owner, name), left))
    work()
    os._exit(0)

def kill_at_each_call():
    for moment in range(200):
        child = os.fork()
        if not child:
            work_until(moment)
        ended = os.waitpid(child, 0)[1]
        print(found())
        if ended == 0:
            return
        assert ended == signal.SIGKILL, ended
"""
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals")


def found_after_each_kill(code, folder):
    """Return what a reader found after each kill of `work`, and after its end."""
    done = python(f"{KILL}\n{code}\nkill_at_each_call()", folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 5
    return lines


FOLDER = """
from image_retrieval.files import atomic_folder, restore_folder

def work():
    with atomic_folder(folder / "data") as made:
        for name in "ab":
            (made / name).write_bytes(b"new")

def found():
    restore_folder(folder / "data")
    return *((folder / "data" / name).read_text() for name in "ab"),
"""
FILE = """
from image_retrieval.files import atomic_file

def work():
    with atomic_file(folder / "data") as path:
        path.write_bytes(b"new")

def found():
    return (folder / "data").read_text()
"""
INDEX = """
from image_retrieval import index
import numpy as np

def work():
    index.build(np.full((3, 2), 2.0)).save(folder / "data")

def found():
    return index.load(folder / "data").search([[0, 0]], k=1)[1].tolist()
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_old_or_new_and_the_next_writer_sweeps(tmp_path):
    (tmp_path / "data").mkdir()
    for name in "ab":
        (tmp_path / "data" / name).write_text("old")
    found = found_after_each_kill(FOLDER, tmp_path)
    assert {*found} == {"('old', 'old')", "('new', 'new')"}
    assert names(tmp_path) == ["data"]


def test_a_file_is_old_or_new_and_the_next_writer_sweeps(tmp_path):
    (tmp_path / "data").write_text("old")
    assert {*found_after_each_kill(FILE, tmp_path)} == {"old", "new"}
    assert names(tmp_path) == ["data"]


def test_an_index_is_old_or_new_and_the_next_save_sweeps(tmp_path):
    index.build(np.full((3, 2), 1.0)).save(tmp_path / "data")
    found = found_after_each_kill(INDEX, tmp_path)
    assert {line[:6] for line in found} == {"[[1.41", "[[2.82"}
    assert names(tmp_path) == ["data"]
