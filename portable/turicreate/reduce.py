"""A column to one figure, and figures up to each row."""

import array

import numpy as np

from .columns import NumberColumn, VectorColumn


def reduce_column(column, name, ddof=0):
    """Return one figure of a column of numbers, or the sum or mean of vectors."""
    if isinstance(column, VectorColumn) and name in ("sum", "mean"):
        return _reduce_vectors(column, name)
    if not isinstance(column, NumberColumn):
        raise RuntimeError("Cannot perform on non-numeric types!")
    present = column.values[~column.missing_mask()]
    if name in ("argmin", "argmax"):
        return _position(column, name)
    if not len(present):
        return 0 if name == "sum" else None
    return _REDUCTIONS[name](present, ddof)


def _reduce_vectors(column, name):
    rows = column.take(~column.missing_mask()).matrix()
    if rows is None:
        if not len(column):
            return None
        raise RuntimeError("Cannot perform on vectors of different lengths or all missing")
    return array.array("d", (rows.sum(axis=0) if name == "sum" else rows.mean(axis=0)).tolist())


def _extreme(function):
    def reduce(values, _ddof):
        # NaN never wins a comparison, and stands only where there is nothing else.
        real = values[values == values]
        return function(real if len(real) else values).item()

    return reduce


def _position(column, name):
    rows = np.flatnonzero(~column.missing_mask() & (column.values == column.values))
    if not len(rows):
        return None
    return int(rows[getattr(np, name)(column.values[rows])])


def _variance(values, ddof):
    return float("inf") if len(values) <= ddof else float(np.var(values, ddof=ddof))


_REDUCTIONS = {
    "sum": lambda values, ddof: values.sum().item(),
    "mean": lambda values, ddof: float(values.mean()),
    "min": _extreme(np.min),
    "max": _extreme(np.max),
    "var": _variance,
    "std": lambda values, ddof: float(np.sqrt(_variance(values, ddof))),
    "median": lambda values, ddof: np.sort(values)[len(values) // 2].item(),
}

_CUMULATIONS = {
    "sum": np.cumsum,
    "mean": lambda values: np.cumsum(values) / np.arange(1, len(values) + 1),
    "min": np.minimum.accumulate,
    "max": np.maximum.accumulate,
}


def cumulate(column, name):
    """Return the figure of all rows up to each row, missing ones passed over."""
    if not isinstance(column, NumberColumn):
        raise RuntimeError("Cannot perform on non-numeric types!")
    missing = column.missing_mask()
    if not missing.any():
        return NumberColumn(_CUMULATIONS[name](column.values))
    present = _CUMULATIONS[name](column.values[~missing])
    # A missing row repeats the figure before it; rows before the first number have none.
    position = np.cumsum(~missing) - 1
    values = present[np.maximum(position, 0)] if len(present) else np.zeros(len(missing))
    return NumberColumn(values, position < 0)
