"""Folders of any name, and shells that were set up for another Python."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fault_tools import command_line, one_line, run

from conftest import ROOT
from tools.environment.editions import TURICREATE
from tools.environment.uv import VERSION, program

NAMES = ["a b", "it's", 'say "hi"', "a$HOME", "a&b", "a(b)", "a;b", "`touch pwned`", "my; v1.0 $x"]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def project(folder):
    """Make a project that is set up with a stand-in for Python, which tells how it was called."""
    shutil.copytree(str(ROOT / "tools" / "environment"), str(folder / "tools" / "environment"))
    for path in ("Makefile", "tools/__init__.py", TURICREATE.pins):
        shutil.copy(str(ROOT / path), str(folder / path))
    # The stand-in for uv looks at the environment by the path that it is given.
    uv = f'echo "uv {VERSION}"; [ "$1" != pip ] || test -x "$5"\n'
    for path, text in (
        (program(folder / TURICREATE.folder), "printf '<%s>' \"$@\"\nenv\n"),
        (program(folder / "build" / "uv", "uv"), uv),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)
    (folder / TURICREATE.folder / ".works").touch()
    return folder


def make(folder, *arguments, **variables):
    clean = {
        key: value for key, value in os.environ.items() if not key.startswith(("MA", "PYTHON"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=str(folder),
        env={**clean, **variables},
        capture_output=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize("name", NAMES)
def test_make_works_in_a_folder_of_any_name_and_shows_it_to_no_shell(tmp_path, name):
    folder = project(tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    for target, words in (
        ("test", "<-m><pytest>"),
        ("cifar10", "<-m><image_retrieval><cifar10>"),
    ):
        done = make(folder, target, "EDITION=turicreate")
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
    made = {path for path in tmp_path.rglob("*") if "__pycache__" not in path.parts}
    assert made <= {*before}


@pytest.mark.parametrize(
    "given", ["NOTEBOOK=99; touch pwned", "EDITION=x; touch pwned", "ARCHIVE=`touch pwned`"]
)
def test_what_is_given_to_make_never_reaches_a_shell(tmp_path, given):
    folder = project(tmp_path / "project")
    for target in ("notebooks", "cifar10"):
        done = make(folder, target, "EDITION=turicreate", given)
        assert ("EDITION" in given) == (done.returncode != 0)
    assert not [*tmp_path.rglob("pwned")]


def test_notebooks_named_together_are_told_apart(tmp_path):
    done = run(sys.executable, "-m", "tools.notebooks", "run", "01 99; touch", "--pages", tmp_path)
    one_line(done, "begins with '99;' or 'touch'")


def test_the_shells_own_python_settings_reach_no_target(tmp_path):
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("1 / 0")
    wrong = {
        "PYTHONHOME": "/nowhere",
        "PYTHONPATH": str(tmp_path),
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
    }
    folder = project(tmp_path / "project")
    done = make(folder, "test", "EDITION=turicreate", **wrong)
    assert done.returncode == 0, done.stderr
    assert "<-m><pytest>" in done.stdout
    assert not [name for name in wrong if name in done.stdout]


def test_a_program_without_its_texts_still_runs():
    done = run(sys.executable, "-OO", "-m", "image_retrieval", "--help")
    assert done.returncode == 0, done.stderr
    assert "cifar10" in done.stdout


def test_a_damaged_package_is_one_line_and_its_traceback_is_kept(tmp_path):
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('half of it is gone')")
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    done = command_line("folder", tmp_path, PYTHONPATH=paths, TMPDIR=str(tmp_path))
    line = one_line(done, "half of it is gone", str(tmp_path))
    details = Path(line.split(" in ")[-1].rstrip(")"))
    assert "Traceback" in details.read_text()


def test_packages_are_installed_through_a_path_without_a_dollar(tmp_path):
    folder = project(tmp_path / "v1 $x; it's")
    uv = program(folder / "build" / "uv", "uv")
    uv.write_text(uv.read_text() + f'[ "$1" != pip ] || echo "$5" > "{tmp_path}/given"\n')
    assert make(folder, "environment", "EDITION=turicreate").returncode == 0
    given = (tmp_path / "given").read_text()
    assert "$" not in given and given.endswith("/bin/python\n")
