"""Which values are among others, and which rows such values choose."""

import array

import numpy as np

from .columns import NumberColumn
from .infer import infer_type, is_view, make_column, plain
from .printing import type_title
from .selection import key_of, mask_rows


def contains(column, item):
    """Return the column of 1 where a string, list or dictionary contains `item`."""
    kind = infer_type([item])
    searched = {str: (str,), array.array: (int, float)}.get(column.dtype, (kind,))
    if column.dtype not in (str, list, dict, array.array) or kind not in searched:
        raise _no_operation(column.dtype, kind)
    return _marks(value is not None and item in value for value in column.tolist())


def is_in(column, other):
    """Return the column of 1 where a value is one of `other`, or a string part of one.

    Parameters
    ----------
    column : Column
    other : Column, str or iterable
    """
    if isinstance(other, str) and column.dtype is str:
        return _marks(value is not None and value in other for value in column.tolist())
    if isinstance(other, (int, float, str, np.number)) or _is_vector_for(other, column.dtype):
        raise _no_operation(infer_type([other]), column.dtype)
    others = other.tolist() if hasattr(other, "missing_mask") else other
    wanted = {key_of(plain(value)) for value in others}
    return _marks(key_of(value) in wanted for value in column.tolist())


def _is_vector_for(other, dtype):
    """Tell whether values to look for are numbers only, in a column of other things."""
    if hasattr(other, "missing_mask") or dtype in (int, float) or not len(other):
        return False
    return infer_type([other]) is array.array


def _marks(found):
    return NumberColumn(np.array([int(one) for one in found], np.int64))


def _no_operation(one, other):
    return RuntimeError(
        "Unsupported type operation. cannot perform operation in between "
        f"{type_title(one)} and {type_title(other)}"
    )


def rows_by(columns, values, name, exclude):
    """Return the rows whose column holds one of some values, or none of them, in row order.

    Parameters
    ----------
    columns : dict of str to Column
    values : Column or whatever an SArray is made of
    name : str
    exclude : bool
    """
    if not isinstance(name, str):
        raise TypeError("Must pass a str as column_name")
    if name not in columns:
        raise KeyError(f"Column '{name}' not in SFrame.")
    own = columns[name].dtype
    values = _values(values, own)
    if values.dtype is not own:
        raise TypeError(
            f"Type of given values ({values.dtype}) does not match type of column "
            f"'{name}' ({own}) in SFrame."
        )
    if own is dict:
        raise TypeError("Cannot group on a dictionary column.")
    marks = is_in(columns[name], values)
    return mask_rows(NumberColumn(1 - marks.values) if exclude else marks, len(marks))


def _values(values, dtype):
    """Return values as a column, of the searched one's type if all are missing."""
    if hasattr(values, "missing_mask"):
        return values
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        values = [values]
    values = list(values) if is_view(values) else values
    return make_column(values, dtype if all(value is None for value in values) else None)
