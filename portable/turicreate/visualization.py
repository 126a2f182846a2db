"""`show`: what is in a column or a table, as a page in a notebook or as text elsewhere.

Turi Create draws these in a browser; here they stand still: counts, quantiles, a histogram,
the most frequent values, and of two columns how they go together.
"""

import html
import sys

import numpy as np

from .columns import NumberColumn
from .convert import absent
from .errors import ToolkitError
from .grouping import quantile, value_counts
from .image import Image
from .printing import cell_text, text_tables, type_title

_DEFAULT = "__TURI_DEFAULT_LABEL"
_BINS = 20
_FREQUENT = 10
_SHARES = {"min": 0.0, "25%": 0.25, "median": 0.5, "75%": 0.75, "max": 1.0}
_POINTS = 2000
_BOX = 220
_STYLE = "display:inline-block;vertical-align:top;margin:8px;font-size:12px"
_target = "auto"


def set_target(target="auto"):
    """Choose where plots are shown: 'auto', or 'none' for nowhere."""
    global _target
    if target not in ("auto", "browser", "gui", "none"):
        raise ValueError("Expected target to be one of: 'auto', 'browser', 'gui', 'none'.")
    _target = target


class Plot:
    """A picture of one or more columns; in a notebook, the last line of a cell shows it.

    Parameters
    ----------
    columns : list of (str, Column)
    title, xlabel, ylabel : str, optional
    """

    def __init__(self, columns, title=None, xlabel=None, ylabel=None):
        if len(columns) == 1 and columns[0][0] == "":
            _check_one(columns[0][1])
        elif not columns or not len(columns[0][1]):
            raise RuntimeError("Nothing to show; SFrame is empty.")
        self._columns = columns
        self._titles = [
            "" if text in (None, _DEFAULT) else text for text in (title, xlabel, ylabel)
        ]

    def show(self):
        """Show the picture in a notebook, or print its text."""
        if _target == "none":
            return
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is not None and getattr(shell, "kernel", None) is not None:
            from IPython.display import display

            display(self)
        else:
            print(self)

    def save(self, filepath):
        """Write the picture as an HTML file."""
        if not str(filepath).endswith((".html", ".htm")):
            raise ValueError("this edition writes plots as .html files only")
        with open(filepath, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(self._repr_html_())

    def _repr_html_(self):
        title = f"<b>{html.escape(self._titles[0])}</b><br>" if self._titles[0] else ""
        parts = [_column_html(name, column) for name, column in self._columns]
        return f"<div>{title}{''.join(parts)}</div>"

    def __str__(self):
        parts = [_column_text(name, column) for name, column in self._columns]
        return "\n".join([part for part in [self._titles[0], *parts] if part])

    __repr__ = __str__


class PairPlot(Plot):
    """A picture of how two columns go together."""

    def __init__(self, x, y, title=None, xlabel=None, ylabel=None):
        names = [
            default if label in (None, _DEFAULT) else label
            for label, default in ((xlabel, "X"), (ylabel, "Y"))
        ]
        self._pair = _together(x, y)
        super().__init__(list(zip(names, (x, y))), title)

    def _repr_html_(self):
        return f"<div>{super()._repr_html_()}{_pair_html(*self._pair)}</div>"

    def __str__(self):
        return f"{super().__str__()}\n{_pair_text(*self._pair)}"

    __repr__ = __str__


def _check_one(column):
    if column.dtype not in (int, float, str):
        kind = "image" if column.dtype is Image else type_title(column.dtype)
        raise RuntimeError(f"SArray.plot is currently not available for SArrays of type {kind}")


def _together(x, y):
    if len(x) != len(y):
        raise ToolkitError("Expected x and y axis SArrays to be the same length.")
    there = ~(absent(x) | absent(y))
    return x.take(there), y.take(there)


def _facts(column):
    """Return {what: text} of a column's figures."""
    present = column.take(~absent(column))
    facts = {"type": column.dtype.__name__, "rows": len(column)}
    facts["missing"] = len(column) - len(present)
    if column.dtype in (int, float, str):
        facts["unique"] = len(value_counts(present)["count"])
    if isinstance(column, NumberColumn) and len(present):
        values = np.sort(present.values.astype(np.float64))
        facts["mean"], facts["std"] = values.mean(), values.std()
        facts.update({name: quantile(values, share) for name, share in _SHARES.items()})
    return {name: f"{v:.6g}" if isinstance(v, float) else str(v) for name, v in facts.items()}


def _bars(column):
    """Return (label, count) pairs: a histogram of numbers, the most frequent of strings."""
    present = column.take(~absent(column))
    if isinstance(column, NumberColumn):
        finite = present.values[np.isfinite(present.values.astype(np.float64))]
        if not len(finite):
            return []
        counts, edges = np.histogram(finite, bins=_BINS)
        ranges = [f"{low:.4g} to {high:.4g}" for low, high in zip(edges, edges[1:])]
        return list(zip(ranges, counts.tolist()))
    if column.dtype is not str:
        return []
    counted = value_counts(present)
    pairs = zip(counted["value"].tolist(), counted["count"].tolist())
    return [pair for _, pair in zip(range(_FREQUENT), pairs)]


def _column_text(name, column):
    facts = ", ".join(f"{what} {text}" for what, text in _facts(column).items())
    bars = _bars(column)
    table = _table({"value": [b[0] for b in bars], "count": [str(b[1]) for b in bars]}, bars)
    return f"{name}: {facts}{table}" if name else facts + table


def _table(columns, rows):
    if not rows:
        return ""
    cells = {name: [cell_text(value) for value in values] for name, values in columns.items()}
    return "\n" + text_tables(cells, 30, 80, more=False)


def _column_html(name, column):
    facts = "".join(
        f"<tr><td>{what}</td><td>{html.escape(text)}</td></tr>"
        for what, text in _facts(column).items()
    )
    bars = _bars(column)
    most = max((count for _, count in bars), default=1) or 1
    rows = "".join(
        f'<tr><td>{html.escape(str(label))}</td><td><div style="background:#4c8bf5;height:10px;'
        f'width:{round(_BOX * count / most)}px" title="{count}"></div></td><td>{count}</td></tr>'
        for label, count in bars
    )
    return (
        f'<div style="{_STYLE}"><b>{html.escape(name)}</b><table>{facts}</table>'
        f"<table>{rows}</table></div>"
    )


def _pair_rows(x, y):
    """Return a table {heading: texts} of two columns one of which holds strings."""
    if x.dtype is str and y.dtype is str:
        counts = {}
        for pair in zip(x.tolist(), y.tolist()):
            counts[pair] = counts.get(pair, 0) + 1
        best = sorted(counts, key=lambda pair: -counts[pair])[:_FREQUENT]
        table = {"X": [pair[0] for pair in best], "Y": [pair[1] for pair in best]}
        return {**table, "count": [str(counts[pair]) for pair in best]}
    words, numbers = (x, y) if x.dtype is str else (y, x)
    labels = [label for label, _ in _bars(words)]
    names = np.array(words.tolist(), object)
    parts = [np.sort(numbers.values[names == label].astype(np.float64)) for label in labels]
    table = {"value": labels, "rows": [str(len(part)) for part in parts]}
    for name, share in _SHARES.items():
        table[name] = [f"{quantile(part, share):.6g}" for part in parts]
    return table


def _pair_text(x, y):
    if str in (x.dtype, y.dtype):
        table = _pair_rows(x, y)
        return _table(table, next(iter(table.values()))).lstrip("\n")
    if len(x) < 2:
        return "correlation: none"
    with np.errstate(all="ignore"):
        return f"correlation: {np.corrcoef(x.values, y.values)[0, 1]:.6g}"


def _pair_html(x, y):
    if str in (x.dtype, y.dtype) or not len(x):
        return f"<pre>{html.escape(_pair_text(x, y))}</pre>"
    step = max(1, len(x) // _POINTS)
    places = [_scaled(side.values[::step].astype(np.float64)) for side in (x, y)]
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{_BOX - b:.1f}" r="1.5"/>'
        for a, b in zip(*places)
        if a == a and b == b
    )
    svg = f'<svg width="{_BOX}" height="{_BOX}" fill="#4c8bf5" fill-opacity="0.6">{dots}</svg>'
    return f"{svg}<br>{html.escape(_pair_text(x, y))}"


def _scaled(values):
    with np.errstate(all="ignore"):
        low, high = np.nanmin(values), np.nanmax(values)
        return (values - low) / (high - low if high > low else 1) * _BOX


def _is_array(value, *kinds):
    return hasattr(value, "is_topk") and (not kinds or value.dtype in kinds)


def plot(x, y, xlabel=_DEFAULT, ylabel=_DEFAULT, title=_DEFAULT):
    """Return the picture of how two columns of numbers or strings go together."""
    for values, name in ((x, "X"), (y, "Y")):
        if not _is_array(values):
            raise ValueError(f"The {name} axis data should be an SArray.")
        _check_one(values._column)
    return PairPlot(x._column, y._column, title, xlabel, ylabel)


def show(x, y, xlabel=_DEFAULT, ylabel=_DEFAULT, title=_DEFAULT):
    """Show the picture of how two columns of numbers or strings go together."""
    plot(x, y, xlabel, ylabel, title).show()


def _pair_function(name, x_kinds, y_kinds, what):
    def function(x, y, xlabel=_DEFAULT, ylabel=_DEFAULT, title=_DEFAULT):
        if not _is_array(x, *x_kinds) or not _is_array(y, *y_kinds):
            raise ValueError(f"turicreate.visualization.{name} supports {what}")
        return PairPlot(x._column, y._column, title, xlabel, ylabel)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Return the picture of two columns: {what}."
    return function


_NUMBERS = (int, float)
scatter = _pair_function("scatter", _NUMBERS, _NUMBERS, "SArrays of dtypes: int, float")
heatmap = _pair_function("heatmap", _NUMBERS, _NUMBERS, "SArrays of dtype: int, float")
categorical_heatmap = _pair_function("categorical_heatmap", (str,), (str,), "SArrays of dtype: str")
box_plot = _pair_function(
    "box_plot", (str,), _NUMBERS, "x as SArray of dtype str and y as SArray of dtype: int, float."
)


def columnwise_summary(sf):
    """Return the picture of every column of an SFrame."""
    if not hasattr(sf, "column_names"):
        raise ValueError("turicreate.visualization.columnwise_summary supports SFrame")
    return sf.plot()


def histogram(sa, xlabel=_DEFAULT, ylabel=_DEFAULT, title=_DEFAULT):
    """Return the picture of a column of numbers."""
    if not _is_array(sa, *_NUMBERS):
        raise ValueError(
            "turicreate.visualization.histogram supports SArrays of dtypes: int, float"
        )
    return sa.plot(title, xlabel, ylabel)


def item_frequency(sa, xlabel=_DEFAULT, ylabel=_DEFAULT, title=_DEFAULT):
    """Return the picture of a column of strings."""
    if not _is_array(sa, str):
        raise ValueError("turicreate.visualization.item_frequency supports SArrays of dtype str")
    return sa.plot(title, xlabel, ylabel)
