"""Executing a notebook from top to bottom with the Python that runs this module."""

import os
from pathlib import Path

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent.parent
CELL_TIMEOUT = 1800
# What the committed outputs are made with: the bundled samples, and no weights that only some
# machines have.
SAMPLE_ENVIRONMENT = {
    "IMAGE_RETRIEVAL_DATA": "sample",
    "IMAGE_RETRIEVAL_CALTECH101": "sample",
    "IMAGE_RETRIEVAL_INCEPTION_V3": "none",
}


class NotebookError(Exception):
    """A notebook stopped at a cell; the message names the cell and its error in one line."""


class ThisPythonSpecs(KernelSpecManager):
    """The kernel of the Python that runs this, whatever others a user has installed."""

    # A kernel named "python3" that a user installed elsewhere would otherwise win.
    def get_kernel_spec(self, kernel_name):
        """Return its specification, whatever name is asked for."""
        # Newer kernels warn about their own sockets, once for each notebook.
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict(["--log-level=ERROR"]))


class _ThisPythonManager(AsyncKernelManager):
    def _kernel_spec_manager_default(self):
        return ThisPythonSpecs(parent=self)


def kernel_environment():
    """Return the environment variables every recorded or tested notebook runs with.

    A user's own IPython startup files are not run, and progress bars, which show times, are off.

    Returns
    -------
    dict
        Names and values to be added to the environment before a kernel starts.
    """
    return {
        "IPYTHONDIR": str(ROOT / "build" / "ipython"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TQDM_DISABLE": "1",
    }


def execute(notebook, folder, timeout=CELL_TIMEOUT):
    """Run every cell of `notebook` in order; its outputs are replaced in place.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The notebook. After an error it holds the outputs up to and including the error.
    folder : str or Path
        The working directory of its kernel.
    timeout : int
        Seconds that one cell may take.

    Raises
    ------
    NotebookError
        A cell failed, took too long, or its kernel died.
    """
    _clear(notebook)
    (ROOT / "build" / "ipython").mkdir(parents=True, exist_ok=True)
    begun = []
    client = NotebookClient(
        notebook,
        on_cell_execute=lambda cell, cell_index: begun.append(cell_index),
        timeout=timeout,
        record_timing=False,
        store_widget_state=False,
        kernel_manager_class=_ThisPythonManager,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env={**os.environ, **kernel_environment()})
    except CellExecutionError as error:
        raise NotebookError(_at_cell(begun, f"{error.ename}: {error.evalue}")) from error
    except CellTimeoutError as error:
        raise NotebookError(_at_cell(begun, f"took more than {timeout} s")) from error
    except DeadKernelError as error:
        raise NotebookError(_at_cell(begun, "the kernel died")) from error


def _clear(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def _at_cell(begun, what):
    return f"cell [{len(begun)}]: {what.strip().splitlines()[0]}"
