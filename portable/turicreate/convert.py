"""Columns to other types, and what stands in place of a missing value."""

import array
import datetime

import numpy as np

from . import dates, literals
from .columns import NumberColumn, ObjectColumn, concatenate
from .errors import ToolkitError
from .image import Image
from .infer import column_from_values, infer_type, plain
from .literals import number_text
from .printing import image_text, type_title

_TYPES = (int, float, str, array.array, list, dict, datetime.datetime, Image, np.ndarray)
_LOOKED_AT = 100
_NO_TYPE = "dtype must be one of int, float, str, array.array, list, dict, datetime, Image, ndarray"


def column_type(dtype):
    """Return a type as an SArray has it: bool becomes int."""
    if not isinstance(dtype, type):
        raise TypeError(f"dtype must be a type, e.g. use int rather than {dtype!r}")
    if issubclass(dtype, (bool, np.bool_, np.integer)):
        return int
    for base, kind in ((np.floating, float), (np.str_, str)):
        if issubclass(dtype, base):
            return kind
    if dtype not in _TYPES:
        raise TypeError(f"{_NO_TYPE}; got {dtype!r}")
    return dtype


def absent(column):
    """Return a mask of the values that are missing or NaN."""
    mask = column.missing_mask()
    if column.dtype is float:
        mask = mask | np.isnan(column.values)
    return mask


def absent_within(column):
    """Return a mask of the values that are missing, NaN or hold such a value anywhere."""
    return np.array([_is_absent(value) for value in column.tolist()], bool)


def _is_absent(value):
    if isinstance(value, np.ndarray):
        return bool(np.isnan(value).any())
    if isinstance(value, (list, array.array)):
        return any(map(_is_absent, value))
    if isinstance(value, dict):
        return any(map(_is_absent, value.values()))
    return value is None or (isinstance(value, float) and value != value)


def cast(column, dtype, undefined_on_failure):
    """Return a column as another type."""
    if dtype is column.dtype and dtype is not float:
        return column
    if dtype in (int, float) and column.dtype in (int, float):
        return _cast_numbers(column, dtype)
    if (column.dtype, dtype) == (array.array, Image):
        # Turi Create's own words.
        raise TypeError(
            "Cannot cast from image type to array with sarray.astype(). Please use "
            "sarray.pixel_array_to_image() instead."
        )
    read = _CASTS.get((column.dtype, dtype))
    if read is None:
        raise RuntimeError("Not able to cast to given type")
    values = [
        None if value is None else _attempt(read, value, dtype, undefined_on_failure)
        for value in column.tolist()
    ]
    if dtype in (list, dict):
        return ObjectColumn.from_list(values, dtype)
    return column_from_values(values, dtype)


def _cast_numbers(column, dtype):
    if dtype is float and column.dtype is float:
        return NumberColumn(column.values, absent(column))
    if dtype is float:
        return NumberColumn(column.values.astype(np.float64), column.missing)
    # NaN has no integer, and is missing afterwards.
    missing = absent(column)
    values = np.where(missing, 0, column.values)
    # As in Turi Create, what does not fit becomes the least integer.
    fits = np.abs(values) < 2.0**63
    whole = np.where(fits, values, 0).astype(np.int64)
    return NumberColumn(np.where(fits, whole, np.iinfo(np.int64).min), missing)


def _attempt(read, value, dtype, undefined_on_failure):
    try:
        return read(value)
    except (ValueError, TypeError) as error:
        if undefined_on_failure:
            return None
        if isinstance(error, OSError):
            raise OSError(str(error)) from None
        if isinstance(value, str):
            name = type_title(dtype)
            message = f'Unable to interpret value of "{value}" as a {name}.'
        else:
            message = "Invalid type conversion"
        raise RuntimeError(message) from None


def _picture(path):
    try:
        return Image(path)
    except ToolkitError as error:
        raise _NoPictureError(str(error)) from None


class _NoPictureError(ValueError, OSError):
    """A file that holds no picture."""


def _short_float(text):
    # Turi Create reads such text as a float of 32 bits.
    with np.errstate(over="ignore"):
        return float(np.float32(literals.real_number(text)))


def _numbers(values):
    return array.array("d", [float("nan") if value is None else value for value in values])


_CASTS = {
    (int, str): number_text,
    (float, str): lambda value: None if value != value else number_text(value),
    (int, datetime.datetime): dates.moment,
    (float, datetime.datetime): dates.moment,
    (str, int): literals.whole_number,
    (str, float): _short_float,
    (str, array.array): literals.vector,
    (str, list): literals.list_,
    (str, dict): literals.dict_,
    (str, Image): _picture,
    (array.array, list): list,
    (array.array, np.ndarray): np.array,
    (list, array.array): _numbers,
    (np.ndarray, array.array): lambda value: array.array("d", value.reshape(-1).tolist()),
    (datetime.datetime, int): lambda value: int(dates.seconds(value)),
    (datetime.datetime, float): dates.seconds,
    (Image, str): image_text,
    (Image, array.array): lambda value: array.array("d", value.pixel_data.reshape(-1).tolist()),
    **{
        (kind, str): literals.text_of
        for kind in (array.array, list, dict, datetime.datetime, np.ndarray)
    },
}


def append(one, other):
    """Return the values of two columns after each other; one without values has no type."""
    if one.dtype is other.dtype:
        return concatenate([one, other])
    if len(one) and len(other):
        raise RuntimeError("Data types in both SArrays have to be the same")
    kept, empty = (one, other) if len(one) or not len(other) else (other, one)
    cast(empty, kept.dtype, False)
    return kept


def of_results(results, dtype):
    """Return what a function gave for each row as a column, of a type or that of the first ones."""
    results = [plain(result) for result in results]
    return cast_results(results, column_type(dtype) if dtype else infer_type(results[:_LOOKED_AT]))


def cast_results(results, dtype):
    """Return what a function gave for each row as a column of type `dtype`."""
    if dtype is array.array:
        return column_from_values(results, dtype)
    if dtype is list:
        results = [list(value) if isinstance(value, array.array) else value for value in results]
    return column_from_values(results, dtype)


def fill(column, value):
    """Return a column with `value` where values are missing or NaN."""
    if value is None:
        return column
    gone = absent(column)
    filled = _filling(value, column.dtype)
    if isinstance(column, NumberColumn):
        return NumberColumn(np.where(gone, np.array(filled, column.values.dtype), column.values))
    values = [filled if old is None else old for old in column.tolist()]
    return column_from_values(values, column.dtype)


def _filling(value, dtype):
    value = plain(value)
    try:
        if dtype is str:
            return literals.text_of(value)
        if dtype is int and isinstance(value, float):
            return int(value)
        if dtype is datetime.datetime and isinstance(value, (int, float)):
            return dates.moment(value)
        if dtype in (int, float) and isinstance(value, str):
            raise TypeError
        return column_from_values([value], dtype).value(0)
    except (TypeError, ValueError):
        raise RuntimeError("Default value must be convertible to column type") from None


def numbers(values, missing):
    """Return a column of numbers from an array and a mask of missing ones."""
    return NumberColumn(values, missing)


def value_to(value, dtype):
    """Return one value as a type, numbers and text read into each other."""
    own = infer_type([value])
    if own is dtype or (own is int and dtype is float):
        return value
    if own is float and dtype is int:
        return int(value)
    read = _CASTS.get((own, dtype)) if own is not str else None
    try:
        return read(plain(value))
    except (TypeError, ValueError):
        name = type_title(dtype)
        raise TypeError(f"Cannot convert {value} to {name}") from None
