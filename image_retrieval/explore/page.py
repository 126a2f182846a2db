"""The HTML around the pictures: one style for notebooks, exports and saved files."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from typing import Iterable, Sequence

from image_retrieval.palette import BLUE, GRAY, GREEN


def read_style(name: str) -> str:
    """Return a style sheet of this folder as one line."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8").replace("\n", "")


# The host's text color is inherited, and its background shows through, so a sheet is as
# readable in a dark theme as in a light one. The three accents stand out on both.
_STYLE = read_style("sheet.css")

# What a cell keeps where style sheets are dropped, as JupyterLab does in a notebook that it
# does not trust: inline, and only properties that its sanitizer lets through.
_INLINE = "display:inline-block;vertical-align:top;padding:6px;text-align:center;border-radius:8px"
_BORDERS = {
    "match-yes": f"2px solid {GREEN}",
    "match-no": f"2px dashed {GRAY}",
    "match-itself": f"2px dotted {BLUE}",
}

_PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))


def sheet(
    rows: Iterable[Sequence[str]], size: int, kind: str = "row", notes: Sequence[str] = ()
) -> str:
    """Return rows of cells as one piece of HTML for a notebook.

    Parameters
    ----------
    rows : list of list of str
        Cells as `cell` returns them.
    size : int
        Pixels of a picture's longer side.
    kind : "answer" or "row"
        Whether each row starts with a query, which its neighbors then stand beside.
    notes : sequence of str
        Lines of text under the rows.

    Returns
    -------
    str
    """
    row = f'<tr class="ir-row ir-{kind}" style="display:block">'
    lines = "\n".join(f"{row}{''.join(cells)}</tr>" for cells in rows)
    below = "".join(f'\n<p class="ir-note">{html.escape(note)}</p>' for note in notes)
    return (
        f'<div class="ir-sheet" style="--ir-size:{size}px"><style>{_STYLE}</style>\n'
        f'<table class="ir-rows"><tbody>\n{lines}\n</tbody></table>{below}</div>'
    )


def cell(
    pictures: Sequence[str], lines: Iterable[str], kind: str = "plain", heading: bool = False
) -> str:
    """Return one cell: `<img>` tags and lines of HTML below them."""
    tag, scope = ("th", ' scope="row"') if heading else ("td", "")
    style = f"{_INLINE};border:{_BORDERS.get(kind, '2px solid transparent')}"
    content = f"{''.join(pictures)}{'<br>'.join(lines)}"
    return f'<{tag}{scope} class="ir-{kind}" style="{style}">{content}</{tag}>'


def page(title: str, body: str) -> str:
    """Return a whole HTML document around a sheet."""
    return _PAGE.substitute(title=html.escape(title), body=body)
