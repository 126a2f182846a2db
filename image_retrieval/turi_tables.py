"""Making what Turi Create's own `explore()` draws readable.

It draws a white table and leaves the color of its text to the page around it, which in a dark
theme is white, too; and its pictures have no alternative text. Its source is
`turicreate/visualization/_plot.py`, `display_table_in_notebook`.
"""

from __future__ import annotations

_STYLE = "<style>.sframe th,.sframe td{color:#212121!important}</style>"


def make_readable() -> None:
    """Let `explore()` of this process show dark text on its white tables.

    Where there is no such table to mend, as in the portable edition, nothing happens.
    """
    try:
        from turicreate.visualization import _plot
    except ImportError:
        return
    draw = getattr(_plot, "display_table_in_notebook", None)
    if draw is not None and not isinstance(draw, _Readable):
        _plot.display_table_in_notebook = _Readable(draw)


class _Readable:
    """Draws a table as before, and mends its HTML."""

    def __init__(self, draw):
        self._draw = draw

    def __call__(self, table, title=None):
        from IPython.display import HTML, display
        from IPython.utils.capture import capture_output

        with capture_output(stdout=False, stderr=False) as captured:
            self._draw(table, title)
        for output in captured.outputs:
            display(HTML(mended(output.data["text/html"])))


def mended(page: str) -> str:
    """Return the HTML of a table with dark text and words for its pictures.

    Examples
    --------
    >>> mended('<td><img src="data:,"/></td>').split("</style>")[1]
    '<td><img alt="picture" src="data:,"/></td>'
    """
    return _STYLE + page.replace("<img src", '<img alt="picture" src')
