"""Figures of a window that moves over the rows of a column."""

import array

import numpy as np

from .columns import NumberColumn, VectorColumn
from .infer import column_from_values, undefined_column

_NUMBERS = {
    "sum": np.sum,
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
    "var": np.var,
    "stdv": np.std,
}
_TITLES = {"mean": "Avg", "stdv": "Stdv"}


def roll(column, name, first, last, least):
    """Return the figure of each row's window, from `first` to `last` rows after it.

    Parameters
    ----------
    column : Column
        Numbers; vectors too for 'sum' and 'mean'.
    name : str
    first, last : int
        Negative for rows before.
    least : int or None
        Rows that must be there; all of the window without it.
    """
    if least is not None and least < 0:
        raise ValueError("min_observations must be a positive integer")
    _check_window(first, last)
    vectors = isinstance(column, VectorColumn) and name in ("sum", "mean")
    if not isinstance(column, NumberColumn) and not vectors:
        raise RuntimeError(f"{_TITLES.get(name, name.title())} does not support input type.")
    window = last - first + 1
    least = window if least is None else min(least, window)
    parts = (column.take(rows) for rows in _windows(column, first, last))
    values = [_figure(part, name, least) for part in parts]
    kind = array.array if vectors else float
    whole = column.dtype is int and name in ("sum", "min", "max")
    return _typed(values, int if whole else kind)


def count(column, first, last):
    """Return how many values are there in each row's window."""
    _check_window(first, last)
    there = ~column.missing_mask()
    return _typed([int(there[w].sum()) for w in _windows(column, first, last)], int)


def _typed(values, dtype):
    """Return values as a column; as in Turi Create, it has no type if none is there."""
    if all(value is None for value in values):
        return undefined_column(len(values))
    return column_from_values(values, dtype)


def _check_window(first, last):
    if first > last:
        raise RuntimeError("Start of window cannot be > end of window.")


def _windows(column, first, last):
    size = len(column)
    for row in range(size):
        yield np.arange(max(row + first, 0), max(min(row + last + 1, size), 0))


def _figure(window, name, least):
    present = window.take(~window.missing_mask())
    if len(present) < max(least, 1):
        return None
    if isinstance(present, VectorColumn):
        rows = present.matrix()
        return None if rows is None else array.array("d", _NUMBERS[name](rows, axis=0).tolist())
    return _NUMBERS[name](present.values).item()
