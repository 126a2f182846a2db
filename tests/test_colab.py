"""The bootstrap notebook for Colab, run with stand-ins for Colab's own parts."""

import os
from importlib.metadata import distributions
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from packaging.requirements import Requirement

from conftest import ROOT
from tools.notebooks import NotebookError, execute

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
STAND_IN = """
import sys, types
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = types.ModuleType("google.colab")
sys.modules["google.colab"].drive = types.SimpleNamespace(mount=lambda path: None)
"""


def offline(source, home):
    """Return a cell whose Drive and temporary files are in `home`, and whose pip only tells."""
    pip = '[sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]'
    source = source.replace("/content/drive/MyDrive", str(home)).replace(
        "/tmp/lacking", f"{home}/lacking"
    )
    return source.replace(pip, '["pip-stand-in"]')


def script(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nfor last; do :; done\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """A function that runs the bootstrap notebook and returns the folder of copies."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    # Instead of fetching a clone, this one is linked.
    script(tmp_path / "bin" / "git", f'echo clone >> "{tmp_path}/log"; ln -s "{ROOT}" "$last"')
    script(tmp_path / "bin" / "pip-stand-in", f'echo "$@" >> "{tmp_path}/log"')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)

    def run():
        notebook = nbformat.read(str(ROOT / "colab.ipynb"), as_version=4)
        for cell in notebook.cells:
            cell.source = offline(cell.source, tmp_path)
        notebook.cells.insert(0, new_code_cell(STAND_IN))
        execute(notebook, tmp_path)
        return tmp_path / "image retrieval course"

    return run


def test_each_notebook_becomes_one_that_sets_itself_up(bootstrap, tmp_path):
    copies = bootstrap()
    assert sorted(path.name for path in copies.iterdir()) == NOTEBOOKS
    setup = nbformat.read(str(ROOT / "colab.ipynb"), as_version=4).cells[1].source
    for name in NOTEBOOKS:
        copy, original = (
            nbformat.read(str(folder / name), as_version=4)
            for folder in (copies, ROOT / "notebooks")
        )
        assert [cell.source for cell in copy.cells if cell.cell_type == "code"][0] == setup
        del copy.cells[1]
        assert [cell.source for cell in copy.cells] == [cell.source for cell in original.cells]
    copy.cells = [new_code_cell(offline(setup, tmp_path)), new_code_cell("print(Path.cwd())")]
    execute(copy, tmp_path)
    assert Path(copy.cells[1].outputs[0].text.strip()).resolve() == ROOT / "notebooks"
    # Nothing that is here is installed again, and the clone is made once.
    course = tmp_path / "course"
    installed = f"-r {tmp_path}/lacking.txt -e {course} -e {course}/portable"
    assert (tmp_path / "log").read_text().splitlines() == ["clone", installed, installed]
    lacking = (tmp_path / "lacking.txt").read_text().splitlines()
    here = {each.metadata["Name"].lower() for each in distributions()}
    # What other Pythons need may be here as a part of something else, and pip passes over it.
    needed = [pin for pin in map(Requirement, lacking) if not pin.marker or pin.marker.evaluate()]
    assert not [pin for pin in needed if pin.name in here]
    assert all("==" in pin for pin in lacking)


def test_a_failed_clone_stops_the_setup_and_leaves_nothing(bootstrap, tmp_path):
    script(tmp_path / "bin" / "git", "mkdir $last; exit 128")
    with pytest.raises(NotebookError, match="CalledProcessError"):
        bootstrap()
    assert not (tmp_path / "course").exists() and not (tmp_path / "log").exists()
    script(tmp_path / "bin" / "git", f'ln -s "{ROOT}" "$last"')
    assert bootstrap().is_dir()


def test_a_copy_with_changes_is_left_as_it_is(bootstrap):
    copies = bootstrap()
    changed, gone = copies / NOTEBOOKS[0], copies / NOTEBOOKS[1]
    changed.write_text("my work")
    gone.unlink()
    bootstrap()
    assert changed.read_text() == "my work" and gone.exists()
