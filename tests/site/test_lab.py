"""Notebooks in a real JupyterLab in Chromium: run and saved, and opened without being trusted."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from conftest import ROOT
from image_retrieval import explore, interactive_map
from tools.notebooks import find_problems, kernel_environment

pytestmark = pytest.mark.site

NAME = "02_image_retrieval.ipynb"
PATIENCE = 600  # s; a busy machine is no reason to fail
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
SAVE = "() => jupyterapp.commands.execute('docmanager:save')"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(address):
    try:
        return urllib.request.urlopen(f"{address}/api", timeout=10).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("lab")
    shutil.copy(str(ROOT / "notebooks" / NAME), str(made))
    nbformat.write(untrusted(), str(made / "untrusted.ipynb"))
    return made


def untrusted():
    """Return a notebook that somebody else ran: a gallery and a map."""
    pictures = np.random.RandomState(0).randint(0, 256, (4, 8, 8, 3)).astype(np.uint8)
    images = {"id": [1, 2, 3, 4], "image": pictures, "label": ["cat", "dog", "cat", "dog"]}
    found = {"query_label": [0] * 3, "reference_label": [1, 2, 3]}
    found.update(distance=[0.0, 1.0, 2.0], rank=[1, 2, 3])
    query = {"id": [1], "image": pictures[:1], "label": ["cat"]}
    shown = [
        explore.gallery(found, images, query, query_by="row"),
        interactive_map(np.eye(4)[:, :2], pictures, images["label"]),
    ]
    outputs = [new_output("display_data", {"text/html": each._repr_html_()}) for each in shown]
    return new_notebook(cells=[new_code_cell("show()", execution_count=1, outputs=outputs)])


@pytest.fixture(scope="module")
def lab(folder, tmp_path_factory):
    """The address of a JupyterLab that trusts nothing in the folder and reaches no other host."""
    address = f"http://127.0.0.1:{free_port()}"
    options = ["--no-browser", "--allow-root", "--expose-app-in-browser", f"--port={address[17:]}"]
    settings = ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    home = tmp_path_factory.mktemp("home")
    own = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, *settings],
        env={**os.environ, **kernel_environment(), **own},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + PATIENCE
    while not answers(address) and time.monotonic() < end and server.poll() is None:
        time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(60)


def opened(browser, address):
    page = browser.new_page(viewport={"width": 1240, "height": 900})
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    return page


def test_untrusted_gallery_keeps_its_frames_and_the_map_says_what_to_do(browser, lab):
    page = opened(browser, f"{lab}/lab/tree/untrusted.ipynb?reset")
    page.wait_for_selector("td.ir-match-yes")
    frames = page.eval_on_selector_all(
        "td", "cells => cells.map(cell => getComputedStyle(cell).borderTopStyle)"
    )
    assert frames == ["dotted", "dashed", "solid"]
    tops = page.eval_on_selector_all("td", "cells => cells.map(cell => cell.offsetTop)")
    assert len(set(tops)) == 1
    assert page.get_by_text("choose “Trust Notebook”").is_visible()
    assert page.locator(".ir-map iframe:visible").count() == 0
    page.close()


def test_notebook_run_and_saved_in_the_lab_still_keeps_the_rules(browser, lab, folder):
    path = folder / NAME
    page = opened(browser, f"{lab}/lab/tree/{NAME}?reset")
    page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session?.kernel")
    page.evaluate(RUN_ALL)
    page.evaluate(SAVE)
    page.close()
    saved = nbformat.read(str(path), as_version=4)
    assert saved.metadata.language_info.version  # as JupyterLab writes it
    assert find_problems(saved) == []
    options = ["-c", "pyproject.toml", "-p", "no:cacheprovider", "-p", "conftest"]
    command = [sys.executable, "-m", "pytest", *options, str(path)]
    assert subprocess.run(command, cwd=str(ROOT), timeout=PATIENCE).returncode == 0
