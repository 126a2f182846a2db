"""The answers to the notebooks' exercises run after the notebooks' own code."""

import re

import nbformat
import pytest

from conftest import ROOT, lacking

ANSWER = re.compile(r"<details>.*?</details>", re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def answers(notebook):
    """Return the code of the hidden answers, in order."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [
        code for text in texts for answer in ANSWER.findall(text) for code in CODE.findall(answer)
    ]


def read(path):
    return nbformat.read(str(path), as_version=4)


NOTEBOOKS = [path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if answers(read(path))]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_answers_run(path, monkeypatch):
    if lacking(path.stem):
        pytest.skip(lacking(path.stem))
    import turicreate

    # Outside a notebook `explore` would open a window.
    monkeypatch.setattr(turicreate.SFrame, "explore", lambda self, title=None: None)
    monkeypatch.chdir(path.parent)
    notebook, names = read(path), {"__name__": "__main__"}
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{path.name}, cell {number}", "exec"), names)
    for number, code in enumerate(answers(notebook), 1):
        exec(compile(code, f"{path.name}, answer {number}", "exec"), names)
