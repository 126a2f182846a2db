"""Python, NumPy and pandas values to columns: which type they have and how they are kept."""

import array
import datetime
import decimal
from collections.abc import Generator, KeysView, Set, ValuesView

import numpy as np

from .columns import NumberColumn, ObjectColumn, VectorColumn, without_negative_zero
from .image import Image
from .literals import number_text, text_of
from .timezone import FixedOffset

_CONSTANTS = (int, float, str, list, dict, array.array, datetime.date, Image, np.number)
_EMPTY = "an empty list"
_FIRST_YEAR = 1400
_UNKNOWN_SOURCE = (
    "Unexpected data source. Possible data source types are: list, numpy.ndarray, "
    "pandas.Series, and string(url)"
)


def make_column(data, dtype=None, leave_out=False):
    """Return any accepted data source as a column, of type `dtype` if one is given.

    With `leave_out`, values that cannot be of the type are left out.
    """
    if is_pandas(data) and hasattr(data, "to_numpy"):
        data = _from_pandas(data)
    if isinstance(data, np.ndarray):
        column = _from_array(data)
        if column is not None and dtype in (None, column.dtype):
            return column
        data = _array_items(data, column)
    elif not _is_sequence(data):
        raise TypeError(_UNKNOWN_SOURCE)
    values = [None if _is_no_time(value) else value for value in data]
    dtype = dtype or infer_type(values)
    if leave_out:
        values = [value for value in values if _fits(value, dtype)]
    return column_from_values(values, dtype)


def constant_column(value, size, dtype=None):
    """Return `size` times the same value as a column."""
    if not isinstance(size, (int, np.integer)) or size < 0:
        raise ValueError("size must be a non-negative int")
    if value is not None and not isinstance(value, _CONSTANTS):
        raise TypeError(f"Cannot create sarray of value type {type(value)}")
    return make_column([value] * int(size), dtype)


def sequence_column(bounds):
    """Return the integers from start (0) up to stop, given as (stop,) or (start, stop)."""
    if not bounds or len(bounds) > 2:
        raise TypeError(f"from_sequence expects at least 1 argument. got {len(bounds)}")
    start, stop = (0, *bounds)[-2:]
    size = stop - start if len(bounds) == 2 else stop
    if type(size) is not int:
        raise TypeError("size must be int")
    if type(start) is not int:
        raise TypeError("start must be int")
    if size < 0 and len(bounds) == 1:
        raise RuntimeError("Must give size as >= 0")
    return NumberColumn(np.arange(start, start + max(size, 0), dtype=np.int64))


def undefined_column(size):
    """Return the column of missing values that have no type."""
    return ObjectColumn.from_list([None] * size, type(None))


def _is_no_time(value):
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return type(value).__name__ == "NaTType"


def _array_items(values, column):
    if not values.ndim:
        raise TypeError("iteration over a 0-d array")
    if values.dtype.kind == "M":
        return list(values)
    return values.tolist() if column is None or values.ndim == 1 else list(values)


def _fits(value, dtype):
    try:
        column_from_values([value], dtype)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def is_view(data):
    """Tell whether a value is to be listed before it is read: a generator, a dictionary's view."""
    return isinstance(data, (KeysView, ValuesView, Generator, map, filter, range))


def _is_sequence(data):
    return is_view(data) or isinstance(data, (list, tuple, array.array))


def is_pandas(data):
    """Tell whether a value is pandas', without importing it."""
    return type(data).__module__.split(".")[0] == "pandas"


def _from_pandas(series):
    """Return a pandas column as an array or, where values are missing, as a list with None."""
    if type(series.dtype).__name__ == "CategoricalDtype":
        raise AssertionError(
            "a column of categories is no data for an SArray; use .astype(str) or its codes"
        )
    values = series.to_numpy()
    if values.dtype.kind in "iufb":
        return values
    if values.dtype.kind == "M":
        # Turi Create reads pandas' dates as dates of the time zone 0.
        moments = (moment.replace(tzinfo=FixedOffset(0.0)) for moment in _moments(values))
        return [None if gone else moment for gone, moment in zip(np.isnat(values), moments)]
    gone = series.isna().to_numpy()
    return [None if missing else value for value, missing in zip(values.tolist(), gone.tolist())]


def _moments(values):
    """Return NumPy's dates as datetimes; what is no time as the year 1."""
    known = np.where(np.isnat(values), np.datetime64("0001-01-01"), values)
    return known.astype("datetime64[us]").tolist()


def _from_array(values):
    """Return the column of a numeric array, or None where its elements must be looked at."""
    if values.ndim > 2:
        raise TypeError("Cannot convert Numpy arrays of greater than 2 dimensions")
    if values.dtype.kind not in "biuf" or values.ndim == 0:
        return None
    if values.ndim == 2:
        return VectorColumn.from_matrix(without_negative_zero(values.astype(np.float64)))
    if values.dtype.kind == "u" and values.size and values.max() > np.iinfo(np.int64).max:
        raise OverflowError("an SArray holds integers below 2^63")
    if values.dtype.kind == "f":
        return NumberColumn(without_negative_zero(values.astype(np.float64)))
    return NumberColumn(values.astype(np.int64))


def infer_type(values):
    """Return the type of a column of these values."""
    kinds = {_kind(value) for value in values if value is not None}
    if not kinds:
        return float
    if kinds <= {int, float}:
        return float if float in kinds else int
    if kinds == {_EMPTY}:
        return list
    if kinds <= {array.array, _EMPTY}:
        return array.array
    if kinds <= {list, array.array, _EMPTY}:
        return list
    if len(kinds) == 1:
        return kinds.pop()
    names = ", ".join(sorted(getattr(kind, "__name__", kind) for kind in kinds))
    raise TypeError(
        f"A column cannot hold values of the types {names}; convert them to one, or give dtype"
    )


def _kind(value):
    for python_type, kind in _KINDS:
        if isinstance(value, python_type) and kind is not None:
            return kind
        if isinstance(value, python_type):
            break
    if isinstance(value, (list, tuple, range, Set)):
        if not value:
            return _EMPTY
        return array.array if _all_numbers(value) else list
    raise TypeError(f"Cannot convert type '{type(value).__name__}' into flexible type.")


_KINDS = [
    (np.timedelta64, None),
    ((int, np.integer, np.bool_), int),
    ((float, np.floating, decimal.Decimal, datetime.timedelta), float),
    ((str, bytes), str),
    (Image, Image),
    ((array.array, bytearray, memoryview), array.array),
    (dict, dict),
    ((datetime.date, np.datetime64), datetime.datetime),
    (np.ndarray, np.ndarray),
]


def _all_numbers(values):
    return all(isinstance(value, (int, float, np.number, np.bool_)) for value in values)


def plain(value):
    """Return a value, with everything inside of it, as the types that an SFrame keeps."""
    if value is None:
        return None
    kind = _kind(value)
    return _CONVERTERS[kind](value)


def _plain_list(value):
    return [plain(item) for item in value]


def _plain_key(key):
    """Return a key of a dictionary: a list cannot be one in Python, a tuple can."""
    key = plain(key)
    return tuple(key) if isinstance(key, (list, array.array)) else key


def _plain_datetime(value):
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item().replace(tzinfo=FixedOffset(0.0))
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    if value.year < _FIRST_YEAR:
        raise TypeError(f"Year is out of valid range: {_FIRST_YEAR}..10000")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value
        # Zones are kept in quarter hours.
        quarters = int(value.utcoffset().total_seconds()) // 900
        return value.astimezone(FixedOffset(quarters / 4))
    return datetime.datetime(value.year, value.month, value.day)


_CONVERTERS = {
    int: int,
    float: lambda value: float(_number(value)),
    str: lambda value: value.decode("utf-8") if isinstance(value, bytes) else str(value),
    Image: lambda value: value,
    array.array: lambda value: array.array("d", list(value)),
    _EMPTY: list,
    list: _plain_list,
    dict: lambda value: {_plain_key(key): plain(item) for key, item in value.items()},
    datetime.datetime: _plain_datetime,
    np.ndarray: lambda value: np.array(value, np.float64, ndmin=1),
}


def column_from_values(values, dtype):
    """Return a list of values as a column of one type."""
    if dtype in (int, float):
        return _number_column(values, dtype)
    if dtype is array.array:
        return _vector_column(values)
    converted = [None if value is None else convert(value, dtype) for value in values]
    return ObjectColumn.from_list(converted, dtype)


def _number_column(values, dtype):
    missing = np.fromiter((value is None for value in values), bool, len(values))
    kind = np.int64 if dtype is int else np.float64
    filled = np.zeros(len(values), kind)
    try:
        filled[~missing] = [dtype(_number(value)) for value in values if value is not None]
    except OverflowError:
        raise OverflowError("an SArray holds integers from -2^63 to 2^63 - 1") from None
    return NumberColumn(filled if dtype is int else without_negative_zero(filled), missing)


def _number(value):
    if isinstance(value, (int, float, np.number, np.bool_, decimal.Decimal)):
        return value
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    raise TypeError(f"{value!r} is not a number; use astype to read numbers from text")


def _vector_column(values):
    missing = np.fromiter((value is None for value in values), bool, len(values))
    vectors = [_vector(value) for value in values]
    lengths = np.fromiter((len(vector) for vector in vectors), np.int64, len(vectors))
    flat = without_negative_zero(np.concatenate(vectors)) if vectors else np.empty(0)
    return VectorColumn.from_lengths(flat, lengths, missing)


_NOTHING = np.empty(0)


def _vector(value):
    if value is None:
        return _NOTHING
    if isinstance(value, array.array) and value.typecode == "d":
        return np.frombuffer(value, np.float64) if len(value) else _NOTHING
    if isinstance(value, (bytearray, Set)):
        value = list(value)
    vector = np.asarray(value)
    if vector.ndim != 1 or (vector.size and vector.dtype.kind not in "biuf"):
        raise TypeError(f"Cannot convert {type(value).__name__} to array")
    return vector.astype(np.float64)


def convert(value, dtype):
    """Return one value as a value of type `dtype`."""
    if dtype is list and isinstance(value, (list, tuple, array.array, range, Set)):
        return _plain_list(value)
    if dtype is np.ndarray:
        return np.array(value, np.float64, ndmin=1)
    if dtype is str and isinstance(value, (int, float, np.number)):
        return number_text(value)
    converted = plain(value)
    if dtype is str and isinstance(value, (list, dict)):
        return text_of(_plain_list(value) if isinstance(value, list) else converted)
    if dtype is datetime.datetime and isinstance(converted, (int, float)):
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=converted)
    if not isinstance(converted, dtype):
        raise TypeError(f"Cannot convert {type(value).__name__} to {dtype.__name__}")
    return converted
