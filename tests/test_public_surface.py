"""What the course imports: names from the package itself, and four of its parts."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

import image_retrieval
from conftest import ROOT

PARTS = {"datasets", "evaluate", "explore", "index"}
NOTEBOOKS = [
    *(ROOT / "notebooks").glob("*.ipynb"),
    *(ROOT / "assignments" / "source").glob("*/*.ipynb"),
    *(ROOT / "assignments" / "release").glob("*/*.ipynb"),
]
STUB = ast.parse(Path(image_retrieval.__file__).with_suffix(".pyi").read_text())
OFFERED = {name.asname or name.name for each in STUB.body[:-1] for name in each.names}


def imports(path):
    """Return (module, name) of all that a notebook's cells and answers import of the package."""
    cells = nbformat.read(str(path), as_version=4).cells
    text = "\n".join(cell.source for cell in cells) + "\n"
    pattern = r"^from (image_retrieval[\w.]*) import (\([^)]*\)|[^(\n]*)$"
    found = [(m[1], name) for m in re.finditer(pattern, text, re.M) for name in names(m[2])]
    assert not re.search(r"^import image_retrieval", text, re.M)
    return found


def names(text):
    return re.findall(r"\w+", text)


@pytest.fixture(scope="module")
def imported():
    return {each for path in NOTEBOOKS for each in imports(path)}


def test_notebooks_import_from_the_package_and_four_of_its_parts(imported):
    assert len(NOTEBOOKS) == 23
    assert {module for module, _ in imported} == {"image_retrieval"}
    asked = {name for _, name in imported}
    found = {name for name in asked if isinstance(getattr(image_retrieval, name), ModuleType)}
    assert found == PARTS


def test_package_offers_what_notebooks_import_and_nothing_else(imported):
    assert {name for _, name in imported} == OFFERED


def test_a_notebooks_imports_are_all_seen(tmp_path):
    """The count above is worth what this reader sees: one line, many lines, an answer."""
    cells = [
        nbformat.v4.new_code_cell("from image_retrieval import (\n    index,\n    tsne,\n)"),
        nbformat.v4.new_markdown_cell("```python\nfrom image_retrieval.plots import bars\n```"),
    ]
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), str(path))
    there = [("image_retrieval", "index"), ("image_retrieval", "tsne")]
    assert imports(path) == [*there, ("image_retrieval.plots", "bars")]


def test_names_lead_to_what_the_stub_says():
    for each in STUB.body[:-1]:
        for name in each.names:
            found = getattr(image_retrieval, name.asname or name.name)
            home = sys.modules[each.module]
            assert found is getattr(home, name.name)
    assert set(ast.literal_eval(STUB.body[-1].value)) == OFFERED <= set(dir(image_retrieval))


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'extrakt'"):
        image_retrieval.extrakt  # noqa: B018


def test_modules_that_older_notebooks_import_go_on_working():
    code = (
        "from image_retrieval import intervals, plots, projection\n"
        "from image_retrieval.quiet import quiet_turicreate\n"
        "print(intervals.of_mean.__name__, quiet_turicreate.__name__)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().split() == ["of_mean", "quiet_turicreate"]


def test_importing_the_package_alone_imports_no_array_library():
    code = "import sys, image_retrieval\nprint({'numpy', 'PIL', 'pandas'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.decode().strip() == "set()"
