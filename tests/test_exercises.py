"""The answers to the notebooks' exercises run after the notebooks' own cells.

`conftest.py` lets them follow the cells in nbval's kernel, so that no notebook runs twice.
"""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_notebooks import nbval

from conftest import ROOT
from tools.notebooks import answers
from tools.notebooks.__main__ import main

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_every_notebook_has_answers(path):
    assert answers(nbformat.read(str(path), as_version=4))


def test_answers_follow_the_cells_and_a_wrong_one_fails(tmp_path):
    text = "Try it.\n\n<details><summary>Answer</summary>\n\n```python\n{}\n```\n\n</details>"
    notebook = new_notebook(
        cells=[
            new_markdown_cell(text.format("x += 1\nprint(x)")),
            new_code_cell("x = 3"),
            new_markdown_cell(text.format("assert x == 4")),
            new_markdown_cell(text.format("assert x == 3")),
        ]
    )
    path = tmp_path / "01_a.ipynb"
    nbformat.write(notebook, str(path))
    assert main(["record", "--folder", str(tmp_path)]) == 0
    done = nbval(path)
    assert "1 failed, 3 passed" in done.stdout and "Answer 3" in done.stdout
