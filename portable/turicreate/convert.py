"""Columns to other types, and what stands in place of a missing value."""

import array
import datetime
import json

import numpy as np

from .columns import NumberColumn, ObjectColumn, VectorColumn
from .image import Image
from .infer import column_from_values, infer_type, number_text, plain
from .printing import type_title

_TYPES = (int, float, str, array.array, list, dict, datetime.datetime, Image, np.ndarray)
_NO_TYPE = "dtype must be one of int, float, str, array.array, list, dict, datetime, Image, ndarray"


def column_type(dtype):
    """Return a type as an SArray has it: bool becomes int."""
    if dtype is bool:
        return int
    if dtype not in _TYPES:
        raise TypeError(f"{_NO_TYPE}; got {dtype!r}")
    return dtype


def absent(column):
    """Return a mask of the values that are missing or NaN."""
    mask = column.missing_mask()
    if column.dtype is float:
        mask = mask | np.isnan(column.values)
    return mask


def cast(column, dtype, undefined_on_failure):
    """Return a column as another type."""
    if dtype is column.dtype:
        return column
    if dtype in (int, float) and column.dtype in (int, float):
        return _cast_numbers(column, dtype)
    convert = _CASTS.get((column.dtype, dtype))
    if convert is None:
        raise RuntimeError(
            f"Not able to cast to given type: {column.dtype.__name__} to {dtype.__name__}"
        )
    values = [_attempt(convert, value, undefined_on_failure) for value in column.tolist()]
    return column_from_values(values, dtype)


def _cast_numbers(column, dtype):
    if dtype is float:
        return NumberColumn(column.values.astype(np.float64), column.missing)
    # NaN has no integer, and is missing afterwards.
    missing = absent(column)
    values = np.where(missing, 0, column.values)
    if len(values) and np.abs(values).max() >= 2.0**63:
        raise OverflowError("an SArray holds integers from -2^63 to 2^63 - 1")
    return NumberColumn(values.astype(np.int64), missing)


def _attempt(convert, value, undefined_on_failure):
    if value is None:
        return None
    try:
        return convert(value)
    except (ValueError, TypeError):
        if undefined_on_failure:
            return None
        raise


def _read_number(kind, name):
    def read(text):
        try:
            return kind(text)
        except ValueError:
            raise RuntimeError(f'Unable to interpret value of "{text}" as a {name}.') from None

    return read


def _soft(read):
    """Let `undefined_on_failure` see a failed number as the ValueError it is."""

    def wrapped(text):
        try:
            return read(text)
        except RuntimeError as error:
            raise _NumberError(str(error)) from None

    return wrapped


class _NumberError(RuntimeError, ValueError):
    """Text that is not a number."""


def _list_text(value):
    """Return a list as compact JSON, as Turi Create casts lists to text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=list)


_CASTS = {
    (int, str): number_text,
    (float, str): lambda value: None if value != value else number_text(value),
    (str, int): _soft(_read_number(int, "integer")),
    (str, float): _soft(_read_number(float, "float")),
    (array.array, list): list,
    (array.array, str): lambda value: "[" + " ".join(map(number_text, value)) + "]",
    (list, array.array): lambda value: array.array("d", value),
    (list, str): _list_text,
    (dict, str): _list_text,
    (array.array, np.ndarray): np.array,
    (Image, array.array): lambda value: array.array("d", value.pixel_data.reshape(-1).tolist()),
}


def cast_results(results, dtype):
    """Return what a function gave for each row as a column of type `dtype`."""
    if dtype is array.array:
        return column_from_values(results, dtype)
    if dtype is list:
        results = [list(value) if isinstance(value, array.array) else value for value in results]
    return column_from_values(results, dtype)


def fill(column, value):
    """Return a column with `value` where values are missing or NaN."""
    gone = absent(column)
    if isinstance(column, NumberColumn):
        if not isinstance(value, (int, float, np.number)):
            raise RuntimeError("Default value must be convertible to column type")
        values = np.where(gone, np.array(value).astype(column.values.dtype), column.values)
        return NumberColumn(values)
    value = plain(value)
    if column.dtype is str and isinstance(value, (int, float)):
        value = number_text(value)
    if not isinstance(value, column.dtype) and not isinstance(column, VectorColumn):
        raise RuntimeError("Default value must be convertible to column type")
    values = [value if old is None else old for old in column.tolist()]
    if isinstance(column, VectorColumn):
        return column_from_values(values, array.array)
    return ObjectColumn.from_list(values, column.dtype)


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
    read = _CASTS.get((own, dtype))
    try:
        return read(plain(value))
    except (TypeError, ValueError):
        name = type_title(dtype)
        raise TypeError(f"Cannot convert {value} to {name}") from None
