"""What every test and every notebook under test shares: its data and its surroundings."""

import os
import shutil
import signal
import subprocess
from collections import defaultdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from image_retrieval.files import atomic_folder
from image_retrieval.hardware import cores
from tools.milvus_server.environment import obstacle
from tools.milvus_server.server import MilvusServer
from tools.notebooks import SAMPLE_ENVIRONMENT, answers, kernel_environment

ROOT = Path(__file__).resolve().parent
SHARED = ROOT.parent / "shared"

# What some notebooks use that not every Python and system has a package of.
NEEDED = {"07_scaling_up": ("hnswlib", "milvus_lite"), "11_smaller_vectors": ("faiss",)}

# Whose tests take long and share little: any worker may take the next one of them.
SINGLY = ("tests/test_other_pictures.py",)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium itself asks its maker's servers for news, unless it is told not to.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
AXE = "4.10.3"

# Set before any notebook kernel starts, so that the committed outputs are the sample's.
os.environ.update(kernel_environment(), **SAMPLE_ENVIRONMENT)
if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers share the cores already; more threads than cores wait for one another. Not
    # OMP_NUM_THREADS: Turi Create shares out its rows by it, and some answers depend on that.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def lacking(notebook):
    """Return why the notebook of that name cannot run here, or an empty text."""
    gone = [name for name in NEEDED.get(notebook, ()) if find_spec(name) is None]
    return f"{notebook} needs {' and '.join(gone)}, not installed here" if gone else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Take one worker more than cores: often one of them waits for a kernel or a server."""
    return cores() + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep a file's tests together, but for the long ones that would be done last, one by one."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return nodeid if file in SINGLY else file

    # Files in their order, which begins with the long ones, and not those of most tests first.
    config.option.loadscopereorder = False
    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_sessionstart():
    """Import what configures logging before TensorFlow is imported.

    Both close all log handlers there are when they are imported. One of TensorFlow's then
    closes its stream, and that is the one pytest captures standard error in.
    """
    for name in ("turicreate", "pymilvus"):
        if find_spec(name):
            import_module(name)


def pytest_collection_modifyitems(items):
    """Let the answers follow the cells of a notebook; skip one that cannot run here.

    Notebooks come first: what is begun last should be over soon, or the other cores wait.
    """
    items.sort(key=lambda item: item.path.suffix != ".ipynb")
    items[:] = [each for item in items for each in [item, *answers_after(item)]]
    for item in items:
        reason = lacking(item.path.stem) if item.path.suffix == ".ipynb" else ""
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def answers_after(item):
    """Return a notebook's answers as items for nbval's kernel, if `item` is its last cell."""
    notebook = getattr(item.parent, "nb", None)
    if notebook is None or item.cell is not code_cells(notebook)[-1]:
        return []
    items = [
        # Their outputs are not committed, so that there is nothing to compare them with.
        type(item).from_parent(
            item.parent,
            name=f"Answer {number}",
            cell_num=item.cell_num + number,
            cell=new_code_cell(code),
            options=defaultdict(bool),
        )
        for number, code in enumerate(answers(notebook), 1)
    ]
    for each in items:
        each.add_marker(pytest.mark.long)
    return items


def code_cells(notebook):
    """Return the cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def has_real_turicreate():
    """Tell whether Turi Create itself is installed, and not its portable edition."""
    return bool(find_spec("turicreate") and find_spec("turicreate._cython"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real image archives, which the project may not contain."""
    return _folder_or_skip(SHARED / "data", "real image archives")


@pytest.fixture(scope="session")
def shared_reference():
    """The folder of reference figures, which show real images."""
    return _folder_or_skip(SHARED / "reference", "reference figures")


@pytest.fixture(scope="session")
def real_turicreate():
    """Turi Create itself, for what the portable edition refuses by name or does not have."""
    if not has_real_turicreate():
        pytest.skip("only the real Turi Create has this")


def _folder_or_skip(folder, what):
    if not folder.is_dir():
        pytest.skip(f"no {what} at ../shared/{folder.name}")
    return folder


def heed_ctrl_c():
    """Let a program that a test starts (as its `preexec_fn`) heed Ctrl-C.

    What a shell runs in the background ignores it, and so do all programs that it starts.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def find_browser():
    """Return the path of a Chromium, None where Playwright has to have its own."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser():
    """Return a Chromium that Playwright drives."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            launched = driver.chromium.launch(executable_path=find_browser(), args=FLAGS)
        except playwright.Error:
            pytest.skip("there is no Chromium to open pages with")
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core."""
    folder = ROOT / "build" / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if not shutil.which("npm"):
            pytest.skip("axe-core needs npm, not installed here")
        # Another worker may be installing it, too.
        with atomic_folder(folder) as fresh:
            command = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "--prefix"]
            done = subprocess.run([*command, str(fresh), f"axe-core@{AXE}"], check=False)
            if done.returncode:
                pytest.skip("npm could not install axe-core")
    return script.read_text(encoding="utf-8")


def findings(page, axe):
    """Return (rule, HTML) of what axe calls serious or critical on a page."""
    page.evaluate(axe)
    options = "{resultTypes: ['violations'], iframes: false}"
    found = page.evaluate(f"axe.run(document, {options})")["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="session")
def only_server(tmp_path_factory):
    """Return the Milvus server of all tests; `server` has it ready."""
    if obstacle():
        pytest.skip(f"no Milvus server here: {obstacle()}")
    with MilvusServer(tmp_path_factory.mktemp("milvus"), impatient=True) as running:
        yield running


@pytest.fixture
def server(only_server):
    """Return the server, which runs, and asks for no password, whatever a test has done to it."""
    only_server.run(authorization=False)
    return only_server
