"""Sheets next to each other, to compare two searches."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Mapping

from image_retrieval.explore.page import read_style

if TYPE_CHECKING:
    from image_retrieval.explore.sheets import Gallery, Grid

# Smaller type and less air than in a sheet of its own, so that two fit into a notebook.
_STYLE = read_style("beside.css")


def side_by_side(sheets: Mapping[str, Any]) -> SideBySide:
    """Show galleries or grids next to each other; below each other where it is too narrow.

    Parameters
    ----------
    sheets : dict of str to Gallery or Grid
        What to show, by title.

    Returns
    -------
    SideBySide

    Examples
    --------
    >>> import numpy as np
    >>> from image_retrieval.explore import grid
    >>> pixels = np.zeros((1, 4, 4, 3), np.uint8)
    >>> side_by_side({name: grid({"image": pixels, "label": [name]}) for name in ("cat", "dog")})
    cat
    label
    cat
    <BLANKLINE>
    dog
    label
    dog
    """
    return SideBySide(sheets)


class SideBySide:
    """Titled sheets; made by `side_by_side`."""

    def __init__(self, sheets: Mapping[str, Gallery | Grid]) -> None:
        self._sheets = dict(sheets)

    def _repr_html_(self) -> str:
        sheets = [(escape(title), sheet._repr_html_()) for title, sheet in self._sheets.items()]
        parts = [f"<div><b>{title}</b>\n{sheet}</div>" for title, sheet in sheets]
        return "\n".join([f'<div class="ir-beside"><style>{_STYLE}</style>', *parts, "</div>"])

    def __repr__(self) -> str:
        return "\n\n".join(f"{title}\n{sheet!r}" for title, sheet in self._sheets.items())
