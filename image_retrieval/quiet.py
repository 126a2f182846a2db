"""Keeping Turi Create's progress tables out of a notebook's outputs.

Turi Create prints a table with elapsed times for every model and query, some of them at
`verbose=False` too. No two runs print the same, so an output that holds one can never be
compared. All its messages pass through one function of Python, which is replaced here.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from image_retrieval.errors import InputError
from image_retrieval.turi_tables import make_readable


def quiet_turicreate(quiet: bool = True) -> None:
    """Hide Turi Create's progress messages, or show them again.

    Warnings and errors still come through, and Turi Create's calls stay as they are, but for
    `explore()`, whose tables become readable in a dark theme. One call at a notebook's top
    lasts until the kernel ends. Where there is no such printer to replace, as in an edition of
    Turi Create that prints no progress, nothing happens.

    Parameters
    ----------
    quiet : bool
        False shows the messages again.

    Raises
    ------
    InputError
        When this Python has no edition of Turi Create at all.

    Examples
    --------
    >>> quiet_turicreate()
    >>> quiet_turicreate(False)
    """
    if "turicreate" not in sys.modules and find_spec("turicreate") is None:
        where = f"the Python that runs this, {sys.executable}, does not have Turi Create"
        raise InputError(f"{where}; open the notebooks with `make lab`, or choose its kernel")
    make_readable()
    server = _message_server()
    if server is not None:
        printer = getattr(server.print_callback, "printer", server.print_callback)
        server.print_callback = _WarningsOnly(printer) if quiet else printer


class _WarningsOnly:
    """Passes on the messages that a person should act on, and drops the rest."""

    def __init__(self, printer):
        self.printer = printer

    def __call__(self, message):
        if message.strip().lower().startswith(("warning", "error")):
            self.printer(message)


def _message_server():
    """Return the module that prints Turi Create's messages, or None when there is none."""
    try:
        from turicreate._cython import cy_server
    except ImportError:
        return None
    return cy_server if callable(getattr(cy_server, "print_callback", None)) else None
