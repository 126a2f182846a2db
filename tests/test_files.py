import os
import stat
import subprocess
import sys
import textwrap

import pytest

from image_retrieval import files
from image_retrieval.errors import InputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fill(folder, content):
    folder.mkdir(exist_ok=True)
    (folder / "content").write_text(content)


def test_atomic_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "file.txt"
    with files.atomic_file(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert names(target.parent) == ["file.txt"]


def test_atomic_file_keeps_the_old_one_after_an_error(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), files.atomic_file(target) as temporary:
        temporary.write_text("half")
        1 / 0  # noqa: B018
    assert target.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_modes_are_those_of_any_new_file(tmp_path):
    with files.atomic_file(tmp_path / "file") as temporary:
        temporary.write_text("x")
    with files.atomic_folder(tmp_path / "folder"):
        pass
    (tmp_path / "plain").write_text("x")
    (tmp_path / "plain folder").mkdir()

    def mode(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    assert mode("file") == mode("plain")
    assert mode("folder") == mode("plain folder")


def test_atomic_folder_replaces_the_whole_folder(tmp_path):
    target = tmp_path / "data"
    fill(target, "old")
    (target / "left over").write_text("x")
    with files.atomic_folder(target) as temporary:
        fill(temporary, "new")
        assert (target / "content").read_text() == "old"
    assert names(target) == ["content"]
    assert (target / "content").read_text() == "new"
    assert names(tmp_path) == ["data"]


def test_atomic_folder_keeps_the_old_one_after_an_error(tmp_path):
    target = tmp_path / "data"
    fill(target, "old")
    with pytest.raises(ZeroDivisionError), files.atomic_folder(target) as temporary:
        fill(temporary, "half")
        1 / 0  # noqa: B018
    assert (target / "content").read_text() == "old"
    assert names(tmp_path) == ["data"]


KILLED_BETWEEN_RENAMES = textwrap.dedent(
    """
    import os, pathlib, sys
    from image_retrieval import files

    rename = pathlib.Path.rename
    def rename_then_die(self, target):
        rename(self, target)
        os._exit(9)
    pathlib.Path.rename = rename_then_die

    with files.atomic_folder(sys.argv[1]) as temporary:
        (temporary / "content").write_text("new")
    """
)


def test_a_folder_is_restored_after_death_between_the_renames(tmp_path):
    target = tmp_path / "data"
    fill(target, "old")
    run = subprocess.run(
        [sys.executable, "-c", KILLED_BETWEEN_RENAMES, str(target)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == 9
    assert not target.exists()
    files.restore_folder(target)
    assert (target / "content").read_text() == "old"
    with files.exclusive(target):
        pass
    assert names(tmp_path) == [".data.lock", "data"]


def test_replace_folder_tries_again_when_a_reader_restored_the_old_one(tmp_path, monkeypatch):
    target, new = tmp_path / "data", tmp_path / "new"
    fill(target, "old")
    fill(new, "new")
    rename = type(target).rename
    meddled = []

    def rename_with_a_reader(self, to):
        result = rename(self, to)
        if self == target and not meddled:
            meddled.append(True)
            files.restore_folder(target)
        return result

    monkeypatch.setattr(type(target), "rename", rename_with_a_reader)
    files.replace_folder(new, target)
    assert meddled
    assert (target / "content").read_text() == "new"
    assert names(tmp_path) == ["data"]


def test_exclusive_refuses_a_second_maker_and_frees_the_path_afterwards(tmp_path):
    target = tmp_path / "data"
    with files.exclusive(target):
        with pytest.raises(InputError, match="is being made by another process"):
            files.exclusive(target).__enter__()
        with files.exclusive(tmp_path / "other"):
            pass
    with files.exclusive(target):
        pass


def test_only_the_temporaries_of_this_path_are_removed(tmp_path):
    kept = [
        ".data.x.abcd1234.tmp",
        ".data.lock",
        "data.abcd1234.tmp",
        ".data.abcd1234.txt",
        ".data.short.tmp",
        ".other.abcd1234.tmp",
    ]
    for name in kept:
        (tmp_path / name).write_text("x")
    for name in (".data.abcd_234.tmp", ".data.zyxw9876.tmp"):
        fill(tmp_path / name, "x")
        (tmp_path / name / ".writer").write_text("")
    files.remove_temporaries(tmp_path / "data")
    assert names(tmp_path) == sorted(kept)


def test_temporaries_of_a_living_writer_stay(tmp_path):
    with files.atomic_folder(tmp_path / "data") as first:
        with files.atomic_folder(tmp_path / "data"):
            pass
        assert first.is_dir()
        (first / "content").write_text("first")
    assert names(tmp_path) == ["data"]
    assert (tmp_path / "data" / "content").read_text() == "first"


def test_temporaries_without_a_lock_go_after_a_day(tmp_path):
    (tmp_path / ".data.abcd_234.tmp").write_text("x")
    fill(tmp_path / ".data.zyxw9876.tmp", "x")
    files.remove_temporaries(tmp_path / "data")
    assert len(names(tmp_path)) == 2
    for path in tmp_path.iterdir():
        os.utime(str(path), (0, 0))
    files.remove_temporaries(tmp_path / "data")
    assert names(tmp_path) == []
