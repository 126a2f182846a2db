"""The course in a browser tab gives the committed outputs."""

import re

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns
from site_server import browsing, built_site, pyodide, serving

from conftest import ROOT

pytestmark = pytest.mark.site
NOTEBOOKS = [
    path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if re.match("0[1-4]", path.name)
]
PATIENCE = 1_500_000  # ms; a browser is slow, and so is a busy machine
READY = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
RUN = """async () => {
    const app = window.jupyterapp, widget = app.shell.currentWidget;
    await widget.sessionContext.ready;
    await app.commands.execute("notebook:run-all-cells");
    await widget.context.save();
    return JSON.stringify(widget.context.model.toJSON());
}"""


@pytest.fixture(scope="module")
def lab():
    """A function that runs a notebook in JupyterLite, and returns what is saved of it."""
    folder = built_site()
    pyodide()
    with serving(folder) as address, browsing() as browser:

        def run(name):
            context = browser.new_context()
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(f"{address}/lite/lab/index.html?path=notebooks/{name}")
            page.wait_for_function(READY)
            saved = page.evaluate(RUN)
            context.close()
            return nbformat.reads(saved, as_version=4)

        yield run


def sanitized(text):
    """Return text as nbval compares it, and pictures by their presence."""
    patterns = get_sanitize_patterns((ROOT / "tests" / "nbval_sanitize.cfg").read_text("utf-8"))
    for pattern, replacement in patterns:
        text = re.sub(pattern, replacement, text)
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64,", text)


def texts(cell):
    """Return what a cell printed, and what it showed as text, by kind."""
    found = {}
    for output in cell.outputs:
        assert output.output_type != "error", f"{output.ename}: {output.evalue}\n{cell.source}"
        shown = {output.name: output.text} if "text" in output else output.data
        for kind, text in shown.items():
            if kind.startswith(("std", "text/")):
                found[kind] = found.get(kind, "") + sanitized(text)
    return found


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks_to_run():
    assert [path.name.partition("_")[0] for path in NOTEBOOKS] == ["01", "02", "03", "03b", "04"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_in_a_browser_what_it_printed_here(lab, path):
    setup, *cells = code_cells(lab(path.name))
    assert texts(setup) == {}
    committed = code_cells(nbformat.read(str(path), as_version=4))
    assert len(cells) == len(committed)
    for cell, expected in zip(cells, committed):
        assert texts(cell) == texts(expected), expected.source
