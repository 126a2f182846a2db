"""Columns to arrays, and functions that change every number of a column."""

import numpy as np

from .columns import NumberColumn, ObjectColumn, VectorColumn


def to_numpy(column, own=False):
    """Return a column as a NumPy array, see `SArray.to_numpy`; `own` spares a copy."""
    if not len(column):
        return np.empty(0)
    if isinstance(column, VectorColumn):
        matrix = column.matrix()
        if matrix is not None:
            return matrix if own else matrix.copy()
    elif isinstance(column, NumberColumn) and column.missing is None:
        return column.values if own else column.values.copy()
    elif column.dtype in (np.ndarray, str, list) and column.missing is None:
        return _stacked(column)
    return ObjectColumn.from_list(column.tolist(), object).values


def _stacked(column):
    """Return what NumPy makes of a list of strings, lists or arrays, an array of them at worst."""
    try:
        return np.asarray(column.tolist())
    except ValueError:
        return ObjectColumn.from_list(column.tolist(), object).values


def absolute(column):
    """Return a column of absolute values."""
    return _each_number(column, np.abs)


def clip(column, lower, upper):
    """Return a column whose numbers lie between two bounds; NaN is no bound."""
    bounds = [bound for bound in (lower, upper) if bound == bound]
    low = -np.inf if lower != lower else lower
    high = np.inf if upper != upper else upper
    both_whole = len(bounds) == 2 and all(isinstance(bound, int) for bound in bounds)
    result = _each_number(column, lambda values: np.clip(values.astype(np.float64), low, high))
    if column.dtype is int and both_whole:
        return NumberColumn(result.values.astype(np.int64), result.missing)
    return result


def _each_number(column, function):
    if isinstance(column, NumberColumn):
        return NumberColumn(function(column.values), column.missing)
    if isinstance(column, VectorColumn):
        return VectorColumn(function(column.flat), column.offsets, column.missing)
    raise RuntimeError("Cannot perform on non-numeric types!")


def side_by_side(columns):
    """Return columns as one array, of objects if they have no common shape."""
    try:
        return np.asarray([to_numpy(*column.once()) for column in columns]).transpose()
    except ValueError:
        result = np.empty((len(columns[0]), len(columns)), object)
        for at, column in enumerate(columns):
            for row, value in enumerate(column.tolist()):
                result[row, at] = value
        return result
