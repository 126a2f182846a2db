"""Rows of tables {name: Column}: which have missing values, in which order, below each other."""

import numpy as np

from .columns import concatenate
from .convert import absent, absent_within
from .names import need
from .printing import type_title
from .selection import SORTABLE, group_rows, sort_order


def taken(columns, rows):
    """Return some rows of a table, given as indices, a bool mask or a slice."""
    return {name: column.take(rows) for name, column in columns.items()}


def values_at(columns, row):
    """Return one row as a dictionary."""
    return {name: column.value(row) for name, column in columns.items()}


def split_absent(columns, names, how, recursive):
    """Return (rows without missing values, rows with them); `how` is 'any' or 'all' of them."""
    if how not in ("any", "all"):
        raise ValueError("Must specify 'any' or 'all'")
    names = [names] if isinstance(names, str) else names or list(columns)
    test = absent_within if recursive else absent
    masks = [test(columns[name]) for name in need(columns, names)]
    gone = (np.logical_or if how == "any" else np.logical_and).reduce(masks)
    return np.flatnonzero(~gone), np.flatnonzero(gone)


def different(columns, names):
    """Return the first row of every different combination of some columns."""
    names = need(columns, [names] if isinstance(names, str) else names)
    return group_rows([columns[name] for name in names])[1] if names else slice(None)


def sorted_by(columns, names, ascending):
    """Return the order of the rows by one or more columns, missing values smallest.

    Parameters
    ----------
    columns : dict of str to Column
    names : str, list of str or list of (str, bool)
        The bool tells whether the values of this column ascend.
    ascending : bool
    """
    keys = _sort_keys(names, ascending)
    for name, _ in keys:
        if name not in columns:
            raise ValueError(f"SFrame has no column named: '{name}'")
    found = [(columns[name], bool(up)) for name, up in keys]
    if any(column.dtype not in SORTABLE for column, _ in found):
        raise TypeError("Only columns of type (str, int, float) can be sorted")
    return sort_order(found)


def _sort_keys(names, ascending):
    if isinstance(names, str):
        return [(names, ascending)]
    if not isinstance(names, list):
        raise TypeError(
            "key_column_names type is not correct. Supported types are str, list of str "
            "or list of (str,bool) pair."
        )
    if not names:
        raise ValueError("Please provide at least one column to sort")
    if len({type(name) for name in names}) != 1:
        raise ValueError("key_column_names element are not of the same type")
    return [name if isinstance(name, tuple) else (name, ascending) for name in names]


def appended(upper, lower):
    """Return the rows of a table with those of another one of the same columns after them."""
    if not upper or not lower:
        return upper or lower
    if len(upper) != len(lower):
        raise RuntimeError("Two SFrames have different number of columns")
    for name in upper:
        if name not in lower:
            raise RuntimeError(f"Error: Columns [[{name}]\n] not found in appending SFrame.")
        _check_types(name, upper[name].dtype, lower[name].dtype)
    return {name: concatenate([upper[name], lower[name]]) for name in upper}


def _check_types(name, one, other):
    if one is not other:
        raise RuntimeError(
            f"Column types are not the same in two SFrames (Column {name}, attempting to "
            f"append column of type {type_title(other)} to column of type {type_title(one)})."
        )
