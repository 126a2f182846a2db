"""A column to one figure, and figures up to each row."""

import array
import datetime
from itertools import accumulate

import numpy as np

from .columns import NumberColumn, ObjectColumn, VectorColumn
from .printing import type_title


def median(column, approximate):
    """Return the value in the middle, the upper one of two, as a float if approximate."""
    if not isinstance(approximate, (bool, np.bool_)):
        raise TypeError("exceptions must derive from BaseException")
    found = reduce_column(column, "median")
    return float(found) if approximate and found is not None else found


def reduce_column(column, name, ddof=0):
    """Return one figure of a column of numbers or dates, or the sum or mean of vectors."""
    if column.dtype is np.ndarray and name in ("sum", "mean"):
        return _reduce_arrays(column, name)
    if isinstance(column, VectorColumn) and name in ("sum", "mean"):
        return _reduce_vectors(column, name)
    if column.dtype is datetime.datetime and name in ("min", "max"):
        return _extreme_date(column, name)
    if name in ("var", "std", "argmin", "argmax") and not len(column):
        return None
    if not isinstance(column, NumberColumn):
        raise _refusal(name)
    if name in ("argmin", "argmax") and column.missing_mask()[0]:
        # Turi Create judges the type by the first value.
        raise _refusal(name)
    present = column.values[~column.missing_mask()]
    if name in ("argmin", "argmax"):
        return _position(column, name)
    if name in ("var", "std") and not isinstance(ddof, (int, np.integer)):
        raise TypeError("an integer is required")
    if name in ("var", "std") and 0 < len(column) <= ddof:
        raise RuntimeError("Cannot calculate with degrees of freedom <= 0")
    if not len(present):
        return column.dtype(0) if name == "sum" else None
    return _REDUCTIONS[name](present, ddof)


def _refusal(name):
    if name.startswith("arg"):
        return TypeError("SArray must be of type 'int', 'long', or 'float'.")
    if name == "mean":
        return RuntimeError("Cannot perform on types that are not numeric or vector!")
    return RuntimeError("Cannot perform on non-numeric types!")


def _extreme_date(column, name):
    present = [value for value in column.tolist() if value is not None]
    return {"min": min, "max": max}[name](present) if present else None


def _reduce_arrays(column, name):
    present = [value for value in column.tolist() if value is not None]
    if len({value.shape for value in present}) > 1:
        raise RuntimeError(f"Cannot perform {name} on ndarrays of different shapes.")
    if not present:
        return None
    return np.add.reduce(present) / (1 if name == "sum" else len(present))


def _reduce_vectors(column, name):
    present = column.take(~column.missing_mask())
    if not len(present):
        return array.array("d") if name == "sum" else None
    rows = present.matrix()
    if rows is None:
        raise RuntimeError(
            "Cannot perform sum over vectors of variable length."
            if name == "sum"
            else "Cannot perform mean on SArray with vectors of different lengths."
        )
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
    with np.errstate(all="ignore"):
        return float(np.var(values) * len(values) / np.float64(max(len(values) - ddof, 0)))


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
    "sum": lambda values: np.cumsum(values, axis=0),
    "mean": lambda values: (np.cumsum(values, axis=0).T / np.arange(1, len(values) + 1)).T,
    "var": lambda values: _running_variance(values),
    "std": lambda values: np.sqrt(_running_variance(values)),
    "min": lambda values: _running(np.fmin, values),
    "max": lambda values: _running(np.fmax, values),
}


def _running_variance(values):
    numbers = np.arange(1, len(values) + 1)
    centered = values - values.mean()
    means = np.cumsum(centered) / numbers
    return np.maximum(np.cumsum(centered**2) / numbers - means**2, 0)


def _running(extreme, values):
    # NaN loses every comparison, but a first one stays.
    return np.full_like(values, values[0]) if values[0] != values[0] else extreme.accumulate(values)


def cumulate(column, name):
    """Return the figure of all rows up to each row, missing ones passed over.

    Numbers have all figures, dates the smallest and the largest, vectors sum and mean.
    """
    missing = column.missing_mask()
    present = column.take(~missing) if missing.any() else column
    # A missing row repeats the figure before it; rows before the first value have none.
    position = np.cumsum(~missing) - 1
    found = _cumulated(present, name)
    rows = np.where(position < 0, len(found), position)
    return found.with_missing(1).take(rows) if (position < 0).any() else found.take(rows)


def _cumulated(column, name):
    if isinstance(column, NumberColumn):
        values = column.values
        if not len(values):
            return NumberColumn(
                values if name in ("sum", "min", "max") else values.astype(np.float64)
            )
        return NumberColumn(_CUMULATIONS[name](values))
    if isinstance(column, VectorColumn) and name in ("sum", "mean"):
        if not len(column):
            return column
        rows = column.matrix()
        if rows is None:
            raise RuntimeError("Cannot perform on vectors of different lengths")
        return VectorColumn.from_matrix(_CUMULATIONS[name](rows))
    if column.dtype is datetime.datetime and name in ("min", "max"):
        best = {"min": min, "max": max}[name]
        return ObjectColumn.from_list(list(accumulate(column.tolist(), best)), column.dtype)
    name = type_title(column.dtype)
    raise RuntimeError(f"Cannot perform this operation on an SArray of type {name}.")
