"""The bootstrap notebook for Colab, run with stand-ins for Colab's own parts."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from conftest import ROOT
from tools.notebooks import execute

NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
STAND_IN = """
import sys, types
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = types.ModuleType("google.colab")
sys.modules["google.colab"].drive = types.SimpleNamespace(mount=lambda path: None)
"""


def offline(source, home):
    """Return a cell that links this clone instead of fetching one, and has a Drive in `home`."""
    lines = source.replace("/content/drive/MyDrive", str(home)).splitlines()
    fetched = f"    course.symlink_to({str(ROOT)!r})"
    kept = [fetched if "!git clone" in line else line for line in lines if "%pip" not in line]
    return "\n".join(kept)


@pytest.fixture
def bootstrap(tmp_path, monkeypatch):
    """A function that runs the bootstrap notebook and returns the folder of copies."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

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
    copy.cells = [
        new_code_cell(offline(setup, tmp_path)),
        new_code_cell("for path in (Path.cwd(), *sys.path[:2]):\n    print(Path(path).resolve())"),
    ]
    execute(copy, tmp_path)
    there = [ROOT / "notebooks", ROOT, ROOT / "portable"]
    assert copy.cells[1].outputs[0].text.split() == [str(path.resolve()) for path in there]


def test_a_copy_with_changes_is_left_as_it_is(bootstrap):
    copies = bootstrap()
    changed, gone = copies / NOTEBOOKS[0], copies / NOTEBOOKS[1]
    changed.write_text("my work")
    gone.unlink()
    bootstrap()
    assert changed.read_text() == "my work" and gone.exists()
