"""The course in a browser tab: JupyterLite with the portable edition."""

import json
import shutil
import subprocess
import sys

import nbformat
from nbformat.v4 import new_code_cell

from tools.site.folders import HERE, ROOT
from tools.site.wheels import build_wheels

# What runs there, and is tested there: the others need a network or an engine made for one machine.
BEGINNINGS = ("01", "02", "03", "03b", "04")
SETUP = """\
# In the browser only: installs the course and its data. It takes up to a minute.
%pip install -q pandas pillow matplotlib scikit-learn
%pip install -q --no-deps {}
import logging

import tqdm

logging.getLogger("matplotlib.font_manager").setLevel("ERROR")  # it reports its first start
tqdm.tqdm.monitor_interval = 0  # a browser's Python starts no threads"""
LICENSES = ("LICENSE", "ARTWORK.md")


def runs_in_a_tab(notebook):
    """Tell whether the notebook of that path runs in Pyodide."""
    return notebook.rpartition("/")[2].partition("_")[0] in BEGINNINGS


def build_lite(work, output):
    """Build JupyterLite into the folder `output`, from a fresh folder `work`.

    Returns
    -------
    int
        The exit code of `jupyter lite`.
    """
    wheels = build_wheels(work / "pypi")
    names = [wheel.name.partition("-")[0].replace("_", "-") for wheel in wheels]
    names.remove("comm")  # the kernel installs it when it starts
    _write_contents(work / "contents", SETUP.format(" ".join(names)))
    shutil.copyfile(HERE / "jupyter-lite.json", work / "jupyter-lite.json")
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(work)]
    command += ["--contents", str(work / "contents"), "--output-dir", str(output)]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True)
    print(done.stdout + done.stderr if done.returncode else "", end="")
    return done.returncode


def _write_contents(folder, setup):
    (folder / "notebooks").mkdir(parents=True)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        if runs_in_a_tab(path.name):
            copy = with_setup(nbformat.read(str(path), as_version=4), setup)
            # Texts in one piece: JupyterLite's table of contents stumbles over lists of lines.
            (folder / "notebooks" / path.name).write_text(json.dumps(copy), encoding="utf-8")
    for name in LICENSES:
        shutil.copyfile(ROOT / name, folder / name)


def with_setup(notebook, setup):
    """Return the notebook with a cell below its title that sets the browser up.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As committed; it is changed.
    setup : str
        The code of the cell.
    """
    notebook.metadata.kernelspec = {"name": "python", "display_name": "Python (Pyodide)"}
    notebook.cells.insert(1, new_code_cell(setup, id="browser"))
    return notebook
