"""Operators between columns, and between a column and one value."""

import array
import operator

import numpy as np

from .columns import NumberColumn, ObjectColumn, VectorColumn, concatenate, without_negative_zero
from .printing import type_title

_COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "%": np.mod,
    "**": np.power,
}


def combine(left, sign, right):
    """Return `left sign right` as a column; one side at least is a column of this length."""
    if sign in ("==", "!="):
        return _equality(left, sign, right)
    kinds = {_type(left), _type(right)}
    if sign in _COMPARISONS and (kinds <= {int, float} or kinds == {str}):
        return _comparison(left, sign, right)
    if kinds <= {int, float}:
        return _number_arithmetic(left, sign, right)
    if kinds == {str} and sign == "+":
        return _objects(left, right, operator.add, str)
    if kinds <= {int, float, array.array} and sign in ("+", "-", "*", "/", "//", "**"):
        return _vector_arithmetic(left, sign, right)
    raise RuntimeError(
        f"Unsupported type operation. cannot perform operation {sign} between "
        f"{_name(left)} and {_name(right)}"
    )


def _type(side):
    if hasattr(side, "dtype") and hasattr(side, "missing_mask"):
        return side.dtype
    if isinstance(side, (bool, np.bool_, int, np.integer)):
        return int
    if isinstance(side, (float, np.floating)):
        return float
    if isinstance(side, (list, tuple, array.array, np.ndarray)):
        return array.array
    return type(side)


def _name(side):
    return type_title(_type(side))


def _is_column(side):
    return hasattr(side, "missing_mask")


def _missing(left, right):
    masks = [side.missing for side in (left, right) if _is_column(side)]
    masks = [mask for mask in masks if mask is not None]
    return np.logical_or.reduce(masks) if masks else None


def _values(side):
    return side.values if _is_column(side) else side


def _comparison(left, sign, right):
    if _type(left) is str:
        return _objects(left, right, _COMPARISONS[sign], int)
    result = _COMPARISONS[sign](_values(left), _values(right))
    return NumberColumn(result.astype(np.int64), _missing(left, right))


def _number_arithmetic(left, sign, right):
    whole = _type(left) is _type(right) is int and sign not in ("/", "**")
    kind = np.int64 if whole else np.float64
    first = np.asarray(_values(left), kind)
    second = np.asarray(_values(right), kind)
    missing = _missing(left, right)
    if whole and sign in ("//", "%"):
        zero = np.broadcast_to(second == 0, np.broadcast_shapes(first.shape, second.shape))
        second = np.where(second == 0, 1, second)
        missing = zero | (missing if missing is not None else False)
    with np.errstate(all="ignore"):
        values = _ARITHMETIC[sign](first, second)
    values = values if whole else without_negative_zero(values)
    return NumberColumn(values, None if missing is None else np.asarray(missing))


def _equality(left, sign, right):
    """Compare with == or !=, where a missing value equals a missing value only."""
    kinds = (_type(left), _type(right))
    if set(kinds) <= {int, float}:
        equal = _equal_numbers(left, right)
    elif array.array in kinds:
        equal = _equal_vectors(left, right)
    else:
        equal = np.array([one == other for one, other in _pairs(left, right)], bool)
    return NumberColumn((equal if sign == "==" else ~equal).astype(np.int64))


def _equal_numbers(left, right):
    equal = _values(left) == _values(right)
    # Turi Create counts NaN as equal to NaN, unlike IEEE 754.
    equal = equal | ((_values(left) != _values(left)) & (_values(right) != _values(right)))
    gone = [side.missing_mask() if _is_column(side) else False for side in (left, right)]
    return np.where(gone[0] | np.asarray(gone[1]), np.logical_and(*gone), equal)


def _equal_vectors(left, right):
    pairs = _pairs(left, right)
    return np.array(
        [
            (one is None) == (other is None) and (one is None or list(one) == list(other))
            if hasattr(one, "__len__") or hasattr(other, "__len__")
            else one == other
            for one, other in pairs
        ],
        bool,
    )


def _pairs(left, right):
    count = len(left) if _is_column(left) else len(right)
    sides = [side.tolist() if _is_column(side) else [side] * count for side in (left, right)]
    return zip(*sides)


def _objects(left, right, function, dtype):
    results = [
        None if one is None or other is None else function(one, other)
        for one, other in _pairs(left, right)
    ]
    if dtype is str:
        return ObjectColumn.from_list(results, str)
    missing = np.array([result is None for result in results], bool)
    values = np.array([bool(result) for result in results], np.int64)
    return NumberColumn(values, missing)


def _vector_arithmetic(left, sign, right):
    lengths = _common_lengths(left, right)
    first, second = _flat(left, lengths), _flat(right, lengths)
    with np.errstate(all="ignore"):
        flat = without_negative_zero(_ARITHMETIC[sign](first, second))
    missing = _missing(left, right)
    if missing is None:
        return VectorColumn.from_lengths(flat, lengths)
    flat = flat[np.repeat(~missing, lengths)]
    return VectorColumn.from_lengths(flat, np.where(missing, 0, lengths), missing)


def _common_lengths(left, right):
    vectors = [side for side in (left, right) if isinstance(side, VectorColumn)]
    lengths = [side.lengths for side in vectors]
    if not vectors:
        column, constant = (left, right) if _is_column(left) else (right, left)
        return np.full(len(column), len(constant))
    present = (
        ~_missing(*vectors[:1], vectors[-1])
        if _missing(*vectors[:1], vectors[-1]) is not None
        else slice(None)
    )
    for side in (left, right):
        if not _is_column(side) and hasattr(side, "__len__"):
            lengths.append(np.full(len(lengths[0]), len(side)))
    longest = np.maximum.reduce(lengths)
    if any((other[present] != longest[present]).any() for other in lengths):
        raise RuntimeError("Cannot perform operation between vectors of different lengths")
    return longest


def _flat(side, lengths):
    """Return one side's numbers, one for each element of the vectors."""
    if isinstance(side, VectorColumn):
        if np.array_equal(side.lengths, lengths):
            return side.flat
        flat = np.full(lengths.sum(), np.nan)
        flat[np.repeat(side.lengths == lengths, lengths)] = side.flat
        return flat
    if _is_column(side):
        return np.repeat(side.values.astype(np.float64), lengths)
    if hasattr(side, "__len__"):
        return np.tile(np.asarray(side, np.float64), len(lengths))
    return np.float64(side)


def logical(left, right, name):
    """Return the truth of two columns together, `name` being "and" or "or".

    A missing value is neither true nor false: false and missing is false, true or missing
    true, all else with it missing. NaN counts as missing.
    """
    (one, gone), (other, absent) = _truth(left), _truth(right)
    deciding = name == "or"
    decided = (one == deciding) & ~gone | (other == deciding) & ~absent
    values = np.where(decided, deciding, not deciding).astype(np.int64)
    return NumberColumn(values, (gone | absent) & ~decided)


def choose(condition, yes, no):
    """Return values of one column where a condition is true, of another elsewhere."""
    true = condition.values != 0 if isinstance(condition, NumberColumn) else _truth(condition)[0]
    true = true & ~condition.missing_mask()
    for side, name in ((yes, "true"), (no, "false")):
        if len(side) != len(true):
            raise RuntimeError(f"Condition SArray must be of the same length as the {name} result")
    rows = np.arange(len(true))
    return concatenate([yes, no]).take(np.where(true, rows, rows + len(true)))


def _truth(column):
    """Return two masks: which values are neither zero nor empty, and which are missing."""
    missing = column.missing_mask()
    if isinstance(column, NumberColumn):
        return column.values != 0, missing | (column.values != column.values)
    if isinstance(column, VectorColumn):
        return column.lengths > 0, missing
    return np.array([truth(value) for value in column.tolist()], bool), missing


def truth(value):
    """Tell whether a value is neither missing nor zero nor empty."""
    return len(value) > 0 if hasattr(value, "__len__") else bool(value)
