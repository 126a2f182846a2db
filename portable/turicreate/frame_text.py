"""Columns {name: Column} as the tables that `print`, `repr` and notebooks show."""

import sys

from .image import Image
from .printing import (
    HTML_COLUMN_WIDTH,
    HTML_COLUMNS,
    STR_COLUMNS,
    cell_text,
    column_description,
    footer,
    html_frame,
    html_tables,
    image_text,
    text_tables,
    value_width,
)

_SHOWN = 10
_VALUES = 100


def row_count(columns):
    """Return the number of rows of a table."""
    return len(next(iter(columns.values()))) if columns else 0


def _cells(columns, count, limit, max_width):
    """Return ({name: texts of the first rows}, the lengths of the longest values)."""
    cells, widths = {}, []
    for name in list(columns)[:limit]:
        values = columns[name].take(slice(0, count)).tolist()
        cells[name] = [cell_text(value) for value in values]
        widths.append(max(map(value_width, values), default=max_width))
    return cells, widths


def _text(columns, rows, limit, width, row_width):
    cells, widths = _cells(columns, rows, limit, width)
    return text_tables(cells, width, row_width, len(columns) > limit, widths)


def _footer(columns, known):
    return footer(row_count(columns), len(columns), _SHOWN, known)


def head_text(columns, known):
    """Return the first rows as text; `known` tells whether their number is."""
    return _text(columns, _SHOWN, STR_COLUMNS, 30, 80) + "\n" + _footer(columns, known)


def description(columns, known):
    """Return names, types and the first rows."""
    count = row_count(columns)
    kinds = [column.dtype for column in columns.values()]
    data = head_text(columns, known) if count else "\t[]"
    rows = count if known else "Unknown"
    return f"Columns:\n{column_description(list(columns), kinds)}Rows: {rows}\n\nData:\n{data}"


def head_html(columns, known):
    """Return the first rows as HTML."""
    cells, widths = _cells(columns, _SHOWN, HTML_COLUMNS, HTML_COLUMN_WIDTH)
    tables = html_tables(cells, len(columns) > HTML_COLUMNS, widths)
    return html_frame(tables, _footer(columns, known))


def print_rows(
    columns, num_rows=10, num_columns=40, max_column_width=30, max_row_width=80, output_file=None
):
    """Print the first rows and columns."""
    row_width = max(max_row_width, max_column_width + 1)
    text = _text(columns, num_rows, num_columns, max_column_width, row_width)
    rows = row_count(columns)
    line = footer(rows, len(columns), rows, known=True)
    print(text + "\n" + line, file=output_file or sys.stdout)


def array_text(column, known):
    """Return the first values of a column in brackets."""
    values = column.take(slice(0, _VALUES)).tolist()
    if column.dtype is Image:
        values = [None if value is None else image_text(value) for value in values]
    text = ", ".join(repr(value) for value in values)
    more = ", ... " if len(column) > _VALUES or not known else ""
    return f"[{text}{more}]"
