"""Operators between columns, and between a column and one value."""

import array
import datetime
import operator

import numpy as np

from . import dates
from .columns import NumberColumn, VectorColumn, concatenate, without_negative_zero
from .convert import column_type
from .infer import column_from_values, infer_type, plain
from .printing import type_title
from .selection import key_of

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
    if _is_column(left) and _is_column(right):
        _check_sizes(left, right)
    if sign in ("==", "!="):
        return _equality(left, sign, right)
    kinds = [_type(left), _type(right)]
    both = set(kinds)
    if sign in _COMPARISONS and (both <= {int, float} or both == {str}):
        return _comparison(left, sign, right)
    if datetime.datetime in both and both <= {datetime.datetime, int, float}:
        found = _date_arithmetic(left, sign, right, kinds)
        if found is not None:
            return found
    if both <= {int, float} and (sign != "%" or both == {int}):
        return _number_arithmetic(left, sign, right)
    if both == {str} and sign == "+":
        return _objects(left, right, operator.add, str)
    if both <= {int, float, array.array} and sign in ("+", "-", "*", "/", "//", "**"):
        return _vector_arithmetic(left, sign, right)
    if np.ndarray in both and both <= {int, float, np.ndarray} and sign in ("+", "-", "*", "/"):
        return _objects(left, right, _same_shape(_ARITHMETIC[sign]), np.ndarray)
    raise RuntimeError(
        f"Unsupported type operation. cannot perform operation {sign} between "
        f"{_name(left)} and {_name(right)}"
    )


def _check_sizes(left, right):
    if len(left) != len(right):
        raise RuntimeError("Array size mismatch")


def _date_arithmetic(left, sign, right, kinds):
    """Return dates with seconds, differences of dates or what compares them, else None."""
    dates_only = kinds == [datetime.datetime] * 2
    if sign in _COMPARISONS:
        compare = _COMPARISONS[sign]
        return _objects(left, right, lambda a, b: compare(_instant(a), _instant(b)), int)
    if sign == "-" and dates_only:
        return _objects(left, right, lambda a, b: dates.seconds(a) - dates.seconds(b), float)
    if kinds[0] is datetime.datetime and not dates_only and sign in ("+", "-"):
        function = dates.later if sign == "+" else dates.earlier
        return _objects(left, right, function, datetime.datetime)
    return None


def _instant(value):
    return dates.seconds(value) if isinstance(value, datetime.datetime) else value


def _same_shape(function):
    def checked(one, other):
        shapes = {side.shape for side in (one, other) if isinstance(side, np.ndarray)}
        if len(shapes) > 1:
            raise RuntimeError("Cannot perform operation between arrays of different shapes")
        with np.errstate(all="ignore"):
            return function(one, other)

    return checked


def _type(side):
    return side.dtype if _is_column(side) else type(None) if side is None else infer_type([side])


def _name(side):
    return "undefined" if side is None else type_title(_type(side))


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
    elif kinds[0] is kinds[1] or type(None) in kinds:
        equal = np.array([key_of(a) == key_of(b) for a, b in _pairs(left, right)], bool)
    else:
        equal = np.array([a is None and b is None for a, b in _pairs(left, right)], bool)
    return NumberColumn((equal if sign == "==" else ~equal).astype(np.int64))


def _equal_numbers(left, right):
    equal = _values(left) == _values(right)
    # Turi Create counts NaN as equal to NaN, unlike IEEE 754.
    equal = equal | ((_values(left) != _values(left)) & (_values(right) != _values(right)))
    gone = [side.missing_mask() if _is_column(side) else False for side in (left, right)]
    return np.where(gone[0] | np.asarray(gone[1]), np.logical_and(*gone), equal)


def _pairs(left, right):
    count = len(left) if _is_column(left) else len(right)
    sides = [side.tolist() if _is_column(side) else [plain(side)] * count for side in (left, right)]
    return zip(*sides)


def _objects(left, right, function, dtype):
    results = [
        None if one is None or other is None else function(one, other)
        for one, other in _pairs(left, right)
    ]
    if dtype is int:
        results = [None if result is None else int(result) for result in results]
    return column_from_values(results, dtype)


def _vector_arithmetic(left, sign, right):
    """Compute element by element; rows whose lengths differ are missing."""
    lengths, fits = _common_lengths(left, right)
    first, second = _flat(left, lengths, fits), _flat(right, lengths, fits)
    with np.errstate(all="ignore"):
        flat = without_negative_zero(_ARITHMETIC[sign](first, second))
    if sign == "/" and _type(left) is int:
        # As in Turi Create, an integer divided by a vector stays a whole number.
        flat = np.trunc(flat)
    return VectorColumn.from_lengths(flat, lengths, ~fits)


def _common_lengths(left, right):
    """Return the length of each row's result, 0 for those that have none, and which have one."""
    sizes = [_sizes(side) for side in (left, right) if _type(side) is array.array]
    count = len(left) if _is_column(left) else len(right)
    lengths = np.broadcast_to(sizes[0], count)
    fits = np.broadcast_to(sizes[-1], count) == lengths
    missing = _missing(left, right)
    fits = fits if missing is None else fits & ~missing
    return np.where(fits, lengths, 0), fits


def _sizes(side):
    return side.lengths if _is_column(side) else np.int64(len(side))


def _flat(side, lengths, fits):
    """Return one side's numbers, one for each element of the vectors that have a result."""
    if isinstance(side, VectorColumn):
        return side.flat if np.array_equal(side.lengths, lengths) else side.take(fits).flat
    if _is_column(side):
        return np.repeat(side.values.astype(np.float64), lengths)
    if hasattr(side, "__len__"):
        return np.tile(np.asarray(side, np.float64), int(fits.sum()))
    return np.float64(side)


def logical(left, right, name):
    """Return the truth of two columns together, `name` being "and" or "or".

    A missing value is neither true nor false: false and missing is false, true or missing
    true, all else with it missing. NaN counts as missing.
    """
    _check_sizes(left, right)
    (one, gone), (other, absent) = _truth(left), _truth(right)
    deciding = name == "or"
    decided = (one == deciding) & ~gone | (other == deciding) & ~absent
    values = np.where(decided, deciding, not deciding).astype(np.int64)
    return NumberColumn(values, (gone | absent) & ~decided)


def where(condition, yes, no, dtype=None):
    """Return values of one side where a condition is true, of the other elsewhere.

    Parameters
    ----------
    condition : Column
    yes, no : Column or one value
    dtype : type, optional
        The result's; that of the columns, or else of the values, without it.
    """
    dtype = _common_type([yes, no], dtype)
    yes, no = (
        side if _is_column(side) else _repeated(side, len(condition), dtype) for side in (yes, no)
    )
    return _chosen(condition, yes, no)


def _common_type(sides, dtype):
    """Return the type of two columns or constants, or refuse different ones."""
    kinds = [side.dtype for side in sides if _is_column(side)]
    if len(kinds) == 2 and kinds[0] is not kinds[1]:
        raise RuntimeError("is_true and is_false must be of the same type")
    if kinds or dtype is not None:
        return kinds[0] if kinds else column_type(dtype)
    kinds = {type(side) for side in sides if side is not None}
    if not kinds:
        raise TypeError("Both true and false are None. Resultant type cannot be inferred.")
    if len(kinds) > 1:
        raise TypeError("true and false inputs are of different types")
    return column_type(kinds.pop())


def _repeated(value, size, dtype):
    return column_from_values([value], dtype).take(np.zeros(size, np.int64))


def _chosen(condition, yes, no):
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
    """Tell whether a value is neither zero nor empty; of a date it cannot be told."""
    if isinstance(value, datetime.datetime):
        raise RuntimeError("Unexpected type!")
    return len(value) > 0 if hasattr(value, "__len__") else bool(value)


def truths(column):
    """Return for each value whether it is neither missing nor zero nor empty."""
    return [value is not None and truth(value) for value in column.tolist()]
