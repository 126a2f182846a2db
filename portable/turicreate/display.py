"""`explore`: a table in a notebook, with pictures as pictures, or as text elsewhere."""

import base64
import html
import io
import sys
import warnings

from .frame_text import print_rows, row_count
from .image import Image
from .printing import cell_text

_ROWS = 100
_STYLE = (
    "<style>.sframe{border-collapse:collapse;font-size:12px;border:1px solid silver}"
    ".sframe th,.sframe td{padding:6px 12px;border-bottom:1px solid #8884;text-align:center}"
    ".sframe img{max-width:200px;max-height:200px;image-rendering:auto}</style>"
)


def explore(columns, title):
    """Show the first 100 rows of columns {name: Column}."""
    if not _in_notebook():
        print_rows(columns, _ROWS)
        return
    if row_count(columns) > _ROWS:
        warnings.warn(f"Displaying only the first {_ROWS} rows.", stacklevel=3)
    heads = [_texts(column.take(slice(0, _ROWS))) for column in columns.values()]
    _display(_table(["", *columns], zip(*heads), title))


def _texts(column):
    """Return the values of a column, floats as Turi Create writes them here: as pandas does."""
    values = column.tolist()
    if column.dtype is not float or not values:
        return values
    import pandas

    series = pandas.Series(values, dtype=float)
    return [text.strip() for text in series.to_string(index=False, header=False).split("\n")]


def _in_notebook():
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def _display(text):
    from IPython.display import HTML, display

    display(HTML(text))


def _table(names, rows, title):
    caption = f"<caption>{html.escape(title)}</caption>" if title else ""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in [number, *row]) + "</tr>"
        for number, row in enumerate(rows)
    )
    table = f'<table class="sframe">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
    return f"{_STYLE}{table}</table>"


def _cell(value):
    if not isinstance(value, Image):
        return html.escape(cell_text(value))
    buffer = io.BytesIO()
    value._to_pil_image().save(buffer, "png")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(cell_text(value))}" src="data:image/png;base64,{data}"/>'
