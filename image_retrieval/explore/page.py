"""The HTML around the pictures: one style for notebooks, exports and saved files."""

import html

from image_retrieval.palette import BLUE, GRAY, GREEN

# The host's text color is inherited, and its background shows through, so a sheet is as
# readable in a dark theme as in a light one. The three accents stand out on both.
_STYLE = """
.ir-sheet{color:inherit;font:13px/1.4 system-ui,-apple-system,"Segoe UI",sans-serif;
 margin:.4em 0;overflow-x:auto}
.ir-sheet table.ir-rows{border:0;border-collapse:collapse;margin:0;font:inherit;color:inherit;
 display:block;background:none}
.ir-sheet .ir-rows tbody{display:block;border:0}
.ir-sheet .ir-rows tbody tr.ir-row{display:flex;flex-wrap:wrap;gap:6px;padding:8px 0;border:0;
 background:none}
.ir-sheet .ir-rows tr.ir-row+tr.ir-row{border-top:1px solid rgba(128,128,128,.35)}
.ir-sheet .ir-rows tr.ir-row>*{display:block;box-sizing:content-box;min-width:var(--ir-size);
 padding:6px;text-align:center;vertical-align:top;font-weight:normal;white-space:nowrap;
 color:inherit;background:none;border:2px solid transparent;border-radius:8px;line-height:1.4}
.ir-sheet .ir-rows tbody tr.ir-row.ir-answer{padding-left:calc(var(--ir-size) + 36px)}
.ir-sheet .ir-rows tr.ir-row>.ir-query{width:var(--ir-size);white-space:normal;
 margin:0 14px 0 calc(-1*var(--ir-size) - 36px);background:rgba(128,128,128,.14)}
.ir-sheet .ir-rows tr.ir-row>.ir-match-yes{border:2px solid var(--ir-same)}
.ir-sheet .ir-rows tr.ir-row>.ir-match-no{border:2px dashed var(--ir-other)}
.ir-sheet .ir-rows tr.ir-row>.ir-match-itself{border:2px dotted var(--ir-self)}
.ir-sheet img{display:block;width:var(--ir-size);height:var(--ir-size);object-fit:contain;
 margin:0 auto 4px;max-width:none;background:none}
.ir-sheet img.ir-crisp{image-rendering:pixelated}
.ir-sheet .ir-sign{display:inline-block;font-size:12px}
.ir-sheet .ir-match-yes .ir-sign b{color:var(--ir-same)}
.ir-sheet .ir-match-itself .ir-sign b{color:var(--ir-self)}
.ir-sheet small{font-size:11.5px;opacity:.78}
.ir-sheet p.ir-note{margin:2px 0 0;font-size:12px;opacity:.85}
"""

_ACCENTS = f"--ir-same:{GREEN};--ir-other:{GRAY};--ir-self:{BLUE}"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root{{color-scheme:light dark}}
body{{margin:24px;background:Canvas;color:CanvasText;font-family:system-ui,sans-serif}}
h1{{font-size:20px;font-weight:600}}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def sheet(rows, size, kind="row", notes=()):
    """Return rows of cells as one piece of HTML for a notebook.

    Parameters
    ----------
    rows : list of list of str
        Cells as `cell` returns them. A table, because that is what still stands side by
        side where a viewer of notebooks drops the style.
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
    lines = "\n".join(f'<tr class="ir-row ir-{kind}">{"".join(cells)}</tr>' for cells in rows)
    below = "".join(f'\n<p class="ir-note">{html.escape(note)}</p>' for note in notes)
    style = _STYLE.strip().replace("\n", "")
    return (
        f'<div class="ir-sheet" style="{_ACCENTS};--ir-size:{size}px"><style>{style}</style>\n'
        f'<table class="ir-rows"><tbody>\n{lines}\n</tbody></table>{below}</div>'
    )


def cell(pictures, lines, kind="plain", heading=False):
    """Return one cell: `<img>` tags and lines of HTML below them."""
    tag, scope = ("th", ' scope="row"') if heading else ("td", "")
    return f'<{tag}{scope} class="ir-{kind}">{"".join(pictures)}{"<br>".join(lines)}</{tag}>'


def page(title, body):
    """Return a whole HTML document around a sheet."""
    return _PAGE.format(title=html.escape(title), body=body)
