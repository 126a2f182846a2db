"""Voilà with the doors shut that the page does not need.

Voilà runs the notebook for each visitor in a kernel of its own, and lets no message through that
runs code. What is served is a copy of the notebook that holds nothing but the page's cells.
"""

import asyncio
import os
import sys
import time
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from nbformat.sign import NotebookNotary
from tornado.ioloop import IOLoop
from tornado.locks import Lock
from tornado.web import HTTPError
from traitlets import Bool, Int
from traitlets.config import Config
from voila.app import Voila

from image_retrieval.datasets import locate
from tools.notebooks.execute import ROOT, ThisPythonSpecs, kernel_environment

NOTEBOOK = ROOT / "notebooks" / "08_search_app.ipynb"
TAG = "page"
_HERE = Path(__file__).resolve().parent
# Seconds after which the kernel of a page that nobody has open any more is ended.
_IDLE, _LOOKING = 300, 30
_REFILL = 4  # seconds until the next kernel is made ready
_PATIENCE = 60  # seconds; without a kernel by then, visitors shall read the error
# An upload of the largest size that is taken, as it is sent, fits into one message.
_MESSAGE_BYTES = 4 << 20
# Nothing is fetched from anywhere else, whatever a package's template asks for.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class Kernels(AsyncMappingKernelManager):
    """A kernel for each visitor, but not for more than there is room for."""

    most = Int(8, config=True, help="Kernels that may run at a time.")

    def __init__(self, **options):
        self._starting = Lock()
        super().__init__(**options)

    async def start_kernel(self, **options):
        """Start one, or refuse the visitor with a word."""
        # One after the other: a kernel counts only when it has started.
        async with self._starting:
            if len(self) >= self.most:
                reason = "Too many visitors at the moment; try again in a minute"
                raise HTTPError(503, reason=reason)
            return await super().start_kernel(**options)


class SearchPage(Voila):
    """The server; it says its address when it answers."""

    show = Bool(True, config=True, help="Open a browser.")
    asked = Int(help="The port that was asked for.")

    def setup_template_dirs(self):
        """Put the page's template before Voilà's."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(_HERE / "templates"))

    def launch_browser(self):
        """Tell the address as soon as a kernel waits for the first visitor, and open it."""
        IOLoop.current().add_callback(self._announce)

    async def _announce(self):
        # A visitor who came before would start one more kernel beside it.
        end = time.monotonic() + _PATIENCE
        while not self.kernel_manager.notebook_data and time.monotonic() < end:
            await asyncio.sleep(0.05)
        if self.port != self.asked:
            print(f"Port {self.asked} is taken.", flush=True)
        print(f"The search page is at {self.connection_url} (Ctrl-C ends it)", flush=True)
        if self.show and _has_screen():
            webbrowser.open(self.connection_url)


def page_notebook(notebook):
    """Return a notebook with the cells of another that are tagged `page`, without outputs.

    One more makes the widget `app` ready for the first upload, before there is a visitor.
    """
    cells = [cell for cell in notebook.cells if TAG in cell.metadata.get("tags", ())]
    cells.append(nbformat.v4.new_code_cell("app.session.warm_up()"))
    page = nbformat.v4.new_notebook(cells=cells, metadata=dict(notebook.metadata))
    page.metadata["title"] = "Image search"
    for cell in page.cells:
        cell.outputs, cell.execution_count = [], None
    return page


def settings(port, address, visitors, browser):
    """Return Voilà's configuration."""
    config = Config()
    config.SearchPage.update(port=port, ip=address, open_browser=True, show=browser, log_level=30)
    config.SearchPage.update(tornado_settings=_tornado_settings())
    config.VoilaConfiguration.update(
        # By these a visitor could have the notebook rendered by another template.
        allow_template_override="NO",
        allow_theme_override="NO",
        strip_sources=True,
        show_tracebacks=False,
        file_allowlist=[],
        extension_allowlist=[
            "@jupyter-widgets/jupyterlab-manager",
            "@voila-dashboards/widgets-manager8",
            "anywidget",
        ],
        kernel_spec_manager_class=ThisPythonSpecs,
        multi_kernel_manager_class=Kernels,
        # A kernel that has run the notebook waits for the next visitor.
        preheat_kernel=True,
        default_pool_size=1,
    )
    config.Kernels.most = visitors
    # Not at once: it would slow down the page that is being opened.
    config.VoilaKernelManager.fill_delay = _REFILL
    config.MappingKernelManager.update(cull_idle_timeout=_IDLE, cull_interval=_LOOKING)
    return config


def _tornado_settings():
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return {"headers": headers, "websocket_max_message_size": _MESSAGE_BYTES}


def serve(port, address, visitors, browser):
    """Serve the page until it is ended by Ctrl-C."""
    print(locate().description, flush=True)
    os.environ.update(kernel_environment())
    with TemporaryDirectory(prefix="search-page-") as folder:
        path = Path(folder) / "search.ipynb"
        notebook = page_notebook(nbformat.read(str(NOTEBOOK), as_version=4))
        nbformat.write(notebook, str(path))
        config = settings(port, address, visitors, browser)
        # Else each visit would be reported as one of a notebook that is not trusted.
        config.NotebookNotary.data_dir = folder
        NotebookNotary(data_dir=folder).sign(notebook)
        page = SearchPage(config=config)
        page.initialize([str(path)])
        page.asked = port
        page.start()


def _has_screen():
    """Tell whether a browser would be seen, and not take the terminal over."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
