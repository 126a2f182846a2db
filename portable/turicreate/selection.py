"""Which rows: by slice, number, mask, membership, order or chance."""

import array
import datetime
import secrets

import numpy as np

from . import dates
from .columns import NumberColumn
from .convert import absent
from .image import Image
from .printing import type_title


def slice_rows(key, length):
    """Return a slice with bounds inside of `length`."""
    start, stop, step = key.start, key.stop, key.step
    first = 0 if start is None else start + length if start < 0 else start
    last = length if stop is None else stop + length if stop < 0 else stop
    if first < 0 or last < 0 or (step is not None and step < 0):
        raise OverflowError("can't convert negative value to size_t")
    return slice(min(first, length), min(last, length), 1 if step is None else step)


def row_number(key, length, owner):
    """Return the row that an index means; negative ones count from the end."""
    row = key + length if key < 0 else key
    if row < 0:
        raise OverflowError("can't convert negative value to size_t")
    if row >= length:
        raise IndexError(f"{owner} index out of range")
    return row


def mask_rows(mask, length):
    """Return the rows where a column of numbers is neither zero nor missing."""
    if len(mask) != length:
        raise IndexError("Cannot perform logical indexing on arrays of different length.")
    if not isinstance(mask, NumberColumn):
        return np.flatnonzero([bool(value) for value in mask.tolist()])
    return np.flatnonzero((mask.values != 0) & ~mask.missing_mask())


SORTABLE = (int, float, str, datetime.datetime)
_NAN_RANK = 0
_MISSING_RANK = -1


def key_of(value):
    """Return something hashable that is equal where values are."""
    if isinstance(value, array.array):
        return ("array", tuple(key_of(item) for item in value))
    if isinstance(value, (list, tuple)):
        return ("list", tuple(key_of(item) for item in value))
    if isinstance(value, np.ndarray):
        return ("ndarray", value.shape, tuple(value.reshape(-1).tolist()))
    if isinstance(value, datetime.datetime):
        return ("date", dates.seconds(value))
    if type(value).__name__ == "Image":
        return ("image", bytes(value._image_data), value._height, value._width)
    if isinstance(value, dict):
        return ("dict", frozenset((key_of(key), key_of(item)) for key, item in value.items()))
    if isinstance(value, float) and value != value:
        return "nan"
    return value


def group_rows(columns):
    """Return (group number of each row, first row of each group) for key columns.

    Groups are numbered in the order of first appearance.
    """
    codes = None
    for column in columns:
        own = _codes(column)
        if codes is None:
            codes = own
            continue
        _, codes = np.unique(codes * (own.max(initial=0) + 1) + own, return_inverse=True)
    _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes.reshape(-1)], first[order]


def _codes(column):
    """Return a number for each row, equal where values are."""
    if isinstance(column, NumberColumn):
        _, codes = np.unique(column.values, return_inverse=True)
        codes = codes.reshape(-1)
        return np.where(column.missing_mask(), codes.max(initial=0) + 1, codes)
    seen = {}
    keys = (key_of(value) for value in column.tolist())
    return np.fromiter((seen.setdefault(key, len(seen)) for key in keys), np.int64, len(column))


def first_rows(column):
    """Return the rows in which a value appears for the first time."""
    if column.dtype is dict:
        raise TypeError("Cannot group on a dictionary column.")
    if column.dtype in (Image, np.ndarray):
        raise TypeError(f"unique is not supported on {column.dtype.__name__}")
    return group_rows([column])[1]


def check_order(dtype):
    """Refuse types whose values are neither smaller nor larger than others."""
    if dtype not in SORTABLE:
        name = type_title(dtype)
        raise RuntimeError(
            f"Unsupported type operation. cannot perform operation < between {name} and {name}"
        )


def value_order(column, ascending):
    """Return the order of the values of one column, missing ones first."""
    if column.dtype not in SORTABLE:
        raise TypeError("Only sarray with type (int, float, str, datetime.datetime) can be sorted")
    return sort_order([(column, ascending)])


def topk_marks(column, count, reverse):
    """Return the column of 1 for the largest values, or smallest with `reverse`."""
    check_order(column.dtype)
    order = sort_order([(column, bool(reverse))])
    marks = np.zeros(len(column), np.int64)
    marks[order[~absent(column)[order]][:count]] = 1
    return NumberColumn(marks)


def sort_order(keys):
    """Return the order of rows by [(column, ascending)], stable, missing values smallest."""
    length = len(keys[0][0])
    order = np.arange(length)
    for column, ascending in reversed(keys):
        ranks = _ranks(column)
        if not ascending:
            # As in Turi Create, NaN comes first in both directions.
            ranks = np.where(ranks == _NAN_RANK, -len(ranks) - 1, -ranks)
        order = order[np.argsort(ranks[order], kind="stable")]
    return order


def _ranks(column):
    missing = column.missing_mask()
    if isinstance(column, NumberColumn):
        _, ranks = np.unique(column.values, return_inverse=True)
        ranks = np.where(column.values == column.values, ranks.reshape(-1) + 1, _NAN_RANK)
    else:
        # Strings are compared byte by byte, as UTF-8.
        values = column.tolist()
        present = sorted({value for value in values if value is not None}, key=_bytes)
        number = {value: rank for rank, value in enumerate(present)}
        ranks = np.array([number.get(value, 0) + 1 for value in values], np.int64)
    return np.where(missing, _MISSING_RANK, ranks)


def _bytes(value):
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def check_fraction(fraction):
    """Refuse a share of rows that is not between 0 and 1."""
    if fraction > 1 or fraction < 0:
        raise ValueError(f"Invalid sampling rate: {fraction}")


def seed_number(seed):
    """Return a seed as the integer it stands for, a random one for None."""
    if seed is None:
        return secrets.randbelow(2**31)
    if not isinstance(seed, (int, float, np.number)):
        raise TypeError("an integer is required")
    if not -(2**31) <= seed < 2**31:
        raise OverflowError("value too large to convert to int")
    return int(seed)


def split_seed_number(seed):
    """Return a seed as `random_split` reads it: whatever `int` makes of it."""
    try:
        return seed_number(seed if seed is None else int(seed))
    except ValueError:
        raise ValueError("The 'seed' parameter must be of type int.") from None
