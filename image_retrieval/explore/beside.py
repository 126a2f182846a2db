"""Sheets next to each other, to compare two searches."""

from html import escape

# Smaller type and less air than in a sheet of its own, so that two fit into a notebook.
_STYLE = """
.ir-beside>div{display:inline-block;vertical-align:top;margin:0 20px 8px 0;max-width:100%}
.ir-beside .ir-sheet{font-size:12px}
.ir-beside .ir-sheet small,.ir-beside .ir-sheet .ir-sign{font-size:10.5px}
.ir-beside .ir-sheet .ir-rows tbody tr.ir-row{gap:3px}
.ir-beside .ir-sheet .ir-rows tr.ir-row>*{padding:3px}
.ir-beside .ir-sheet .ir-rows tr.ir-row.ir-answer{padding-left:calc(var(--ir-size) + 24px)}
.ir-beside .ir-sheet .ir-rows tr.ir-row>.ir-query{margin:0 8px 0 calc(-1*var(--ir-size) - 24px)}
"""


def side_by_side(sheets):
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

    def __init__(self, sheets):
        self._sheets = dict(sheets)

    def _repr_html_(self):
        parts = [
            f"<div><b>{escape(title)}</b>\n{sheet._repr_html_()}</div>"
            for title, sheet in self._sheets.items()
        ]
        style = _STYLE.strip().replace("\n", "")
        return "\n".join([f'<div class="ir-beside"><style>{style}</style>', *parts, "</div>"])

    def __repr__(self):
        return "\n\n".join(f"{title}\n{sheet!r}" for title, sheet in self._sheets.items())
