"""Tables and headers as Turi Create prints them, character for character."""

import array
import html
import textwrap
import unicodedata

import numpy as np

from .image import Image

#: Columns that `print` and `repr` show; `print_rows` and HTML show more.
STR_COLUMNS = 20
HTML_COLUMNS = 40
HTML_COLUMN_WIDTH = 25
HTML_ROW_WIDTH = 120
_TITLES = {int: "integer", str: "string", dict: "dictionary", type(None): "undefined"}
_CELL = "padding-left: 1em; padding-right: 1em; text-align: center"
_ESCAPES = {"\t": "\\t", "\r": "\\r", "\n": "\\n"}


def type_name(dtype):
    """Return the short name of a column type, `Image`, `array`, `int`."""
    return dtype.__name__


def type_title(dtype):
    """Return the name of a column type in messages: `integer`, `string`."""
    return _TITLES.get(dtype, dtype.__name__)


def column_description(names, types):
    """Return the lines on columns that `repr` begins with."""
    if not names:
        return "\tNone\n\n"
    return "".join(f"\t{name}\t{type_name(kind)}\n" for name, kind in zip(names, types)) + "\n"


def cell_text(value):
    """Return a value as one line of text, as a table cell shows it."""
    if isinstance(value, Image):
        return image_text(value)
    if isinstance(value, array.array):
        value = value.tolist()
    if isinstance(value, list):
        return "[" + ", ".join(_item_text(item) for item in value) + "]"
    if isinstance(value, np.ndarray):
        return str(value).replace("\n", " ")
    return escape(str(value))


def _item_text(value):
    if isinstance(value, (list, array.array)):
        return cell_text(value)
    return escape(str(value))


def escape(text):
    """Return text with tabs and line breaks as backslash sequences."""
    return "".join(_ESCAPES.get(character, character) for character in text)


def image_text(image):
    """Return an image as `Height: 32 Width: 32`."""
    return f"Height: {image._height} Width: {image._width}"


def shortened(text, width):
    """Return text that is longer than `width` with dots at its end."""
    return text if len(text) <= width else text[: max(width - 4, 0)] + "..."


def value_width(value):
    """Return the length of a value as Turi Create counts it to see whether a column fits."""
    if isinstance(value, Image):
        return len(image_text(value))
    return len(str(value.tolist() if isinstance(value, array.array) else value))


def text_tables(columns, max_width, row_width, more, widths=None):
    """Return {name: list of cell texts} as tables of characters below each other.

    `widths` are the longest values of each column; without them, the texts'.
    """
    widths = widths or [max(map(len, cells), default=max_width) for cells in columns.values()]
    columns = [
        [shortened(text, max_width) for text in (escape(name), *cells)]
        for name, cells in columns.items()
    ]
    if not columns:
        return _text_table([])
    groups = _pack(columns, [min(width, max_width) for width in widths], row_width)
    if more:
        groups[-1].append(["..."] * len(columns[0]))
    return "\n".join(_text_table(group) for group in groups)


def _pack(columns, widths, row_width):
    """Cut columns of texts into groups that fit side by side.

    As in Turi Create, what a column adds is judged by its values alone, not by its name or
    the lines around it; what is there already counts whole.
    """
    groups, used = [[]], 0
    for column, width in zip(columns, widths):
        if groups[-1] and used + width >= row_width:
            groups.append([])
            used = 0
        groups[-1].append(column)
        used += max(map(_display_width, column)) + 3 + (not used)
    return groups


def _text_table(columns):
    widths = [max(_display_width(text) for text in column) for column in columns]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    if not columns:
        return "\n".join([rule, "||", rule, rule])
    rows = [
        "|" + "|".join(f" {_centered(text, width)} " for text, width in zip(row, widths)) + "|"
        for row in zip(*columns)
    ]
    return "\n".join([rule, rows[0], rule, *rows[1:], rule])


def _centered(text, width):
    own = _display_width(text)
    excess = width - own
    # An odd blank goes to the right of texts of odd width and to the left of the others.
    left = excess // 2 + (excess % 2 and own % 2 == 0)
    return " " * left + text + " " * (excess - left)


def _display_width(text):
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def html_tables(columns, more, widths):
    """Return {name: list of cell texts} as HTML tables of Turi Create's widths.

    `widths` are the longest values of each column.
    """
    widths = [min(width, HTML_COLUMN_WIDTH) for width in widths]
    columns = [
        [_html_shortened(text) for text in (name, *cells)] for name, cells in columns.items()
    ]
    groups = _pack_html(columns, widths)
    if more:
        groups[-1].append(["..."] * len(columns[0]))
    return "\n".join(_html_table(group) for group in groups)


def _pack_html(columns, widths):
    # Lines of one cell stand below each other, so the longest one counts.
    flat = [["x" * max(map(len, text.split("\n"))) for text in column] for column in columns]
    sizes = [len(group) for group in _pack(flat, widths, HTML_ROW_WIDTH)]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    return [columns[start:stop] for start, stop in zip(starts, starts[1:])]


def _html_shortened(text):
    text = escape(text)
    if len(text) <= HTML_COLUMN_WIDTH:
        return text
    lines = textwrap.wrap(text, HTML_COLUMN_WIDTH)[:2]
    if len(lines[-1]) >= HTML_COLUMN_WIDTH:
        lines[-1] = lines[-1][: HTML_COLUMN_WIDTH - 4]
    return "\n".join(lines) + " ..."


def _html_table(columns):
    rows = [_html_row(row, "td", "; vertical-align: top") for row in zip(*columns)]
    if rows:
        rows[0] = _html_row([column[0] for column in columns], "th", "")
    else:
        rows = ["    <tr>\n    </tr>\n"]
    return '<table frame="box" rules="cols">\n' + "".join(rows) + "</table>"


def _html_row(texts, tag, style):
    cells = [
        f'        <{tag} style="{_CELL}{style}">{_html_text(text)}</{tag}>\n' for text in texts
    ]
    return "    <tr>\n" + "".join(cells) + "    </tr>\n"


def _html_text(text):
    return html.escape(text).replace("\n", "<br>")


def html_frame(tables, footer):
    """Return tables and footer as the HTML of one SFrame."""
    footer = footer.replace("\n", "<br/>")
    style = "max-height:1000px;max-width:1500px;overflow:auto;"
    return f'<div style="{style}">{tables}\n{footer}\n</div>'


def footer(rows, columns, shown, known):
    """Return the lines below a table, which say how much of it is shown."""
    line = f"[{rows if known else '?'} rows x {columns} columns]\n"
    if not known:
        return line + (
            "Note: Only the head of the SFrame is printed. This SFrame is lazily evaluated.\n"
            "You can use sf.materialize() to force materialization."
        )
    if rows > shown:
        return line + (
            "Note: Only the head of the SFrame is printed.\n"
            "You can use print_rows(num_rows=m, num_columns=n) to print more rows and columns."
        )
    return line
