"""Functions of each value of a column: parts of text, lists, vectors and dictionaries, dates."""

import array
import datetime
import numbers

import numpy as np

from . import dates
from .image import Image, from_pixels
from .infer import column_from_values


def each(column, function, dtype):
    """Return the column of what a function gives for each value; missing ones stay so."""
    values = [None if value is None else function(value) for value in column.tolist()]
    return column_from_values(values, dtype)


def element_slice(column, part):
    """Return the same slice of every string, list or vector."""
    if column.dtype not in (str, list, array.array):
        raise TypeError("element_slice is only supported on str, list and array")
    if column.dtype is str:
        # As in Turi Create, strings are cut between bytes.
        return each(column, lambda value: value.encode("utf-8")[part].decode("utf-8"), str)
    return each(column, lambda value: value[part], column.dtype)


def vector_slice(column, start, end):
    """Return one element of every vector, or a slice; None where it is too short."""
    if column.dtype not in (array.array, list):
        raise RuntimeError("Only Vector type can be sliced")
    if end is None or end == start + 1:
        if column.dtype is array.array:
            return each(column, lambda value: _element(value, start), float)
        end = start + 1
    return each(column, lambda value: value[start:end] if len(value) >= end else None, column.dtype)


def _element(value, index):
    return value[index] if -len(value) <= index < len(value) else None


def item_length(column):
    """Return the lengths of lists, dictionaries or vectors."""
    if column.dtype not in (list, dict, array.array):
        raise TypeError("item_length() is only applicable for SArray of type list, dict and array.")
    return each(column, len, int)


def of_dicts(column, function, dtype):
    """Return the column of what a function gives for each dictionary."""
    if column.dtype is not dict:
        raise RuntimeError("The SArray must be of type dict")
    return each(column, function, dtype)


def has_keys(column, keys, enough):
    """Return 1 where any or all (`enough`) of some keys are in a dictionary."""
    keys = keys if isinstance(keys, list) else [keys]
    return of_dicts(column, lambda value: int(enough(key in value for key in keys)), int)


def trim_by_keys(column, keys, exclude):
    """Return dictionaries without some keys, or with these only."""
    keys = set(keys) if hasattr(keys, "__iter__") and not isinstance(keys, str) else {keys}
    return _trimmed(column, lambda key, _: (key in keys) != exclude)


def trim_by_values(column, lower, upper):
    """Return dictionaries without the numbers outside of two bounds."""
    for bound, name in ((lower, "lower"), (upper, "upper")):
        if bound is not None and not isinstance(bound, numbers.Number):
            raise TypeError(f"{name} bound has to be a numeric value")
    low = -np.inf if lower is None else lower
    high = np.inf if upper is None else upper
    return _trimmed(
        column, lambda _, value: not isinstance(value, (int, float)) or low <= value <= high
    )


def _trimmed(column, keep):
    if column.dtype is not dict:
        raise RuntimeError("Only dictionary type is supported for trim by keys.")
    return each(
        column, lambda value: {key: item for key, item in value.items() if keep(key, item)}, dict
    )


def dates_as_text(column, form):
    """Return dates as text, in a form of `strftime` with %ZP for the zone."""
    if column.dtype is not datetime.datetime:
        raise TypeError("datetime_to_str expects SArray of datetime as input SArray")
    return each(column, lambda value: dates.as_text(value, form), str)


def dates_of_text(column, form):
    """Return the dates of texts, in a form of `strptime` with %ZP for the zone."""
    if column.dtype is not str:
        raise TypeError("str_to_datetime expects SArray of str as input SArray")
    return each(column, lambda value: dates.from_text(value, form), datetime.datetime)


def split_dates(column, prefix, limit, timezone):
    """Return {name: Column} of year, month, day, hour, minute and second of dates."""
    if column.dtype is not datetime.datetime:
        raise TypeError("Only column of datetime type is supported.")
    if limit is not None and (isinstance(limit, str) or not hasattr(limit, "__iter__")):
        raise TypeError("'limit' must be a list")
    parts = dates.split(column.tolist(), prefix or "", limit, timezone)
    return {
        name: column_from_values(values, float if name.endswith("timezone") else int)
        for name, values in parts.items()
    }


def images(column, width, height, channels, undefined_on_failure, allow_rounding):
    """Return vectors of height * width * channels numbers as images."""
    if column.dtype is not array.array:
        raise TypeError("array_to_img expects SArray of arrays as input SArray")
    _check_pixels(column.flat, allow_rounding)
    shape = (height, width, channels) if channels > 1 else (height, width)

    def image(value):
        pixels = np.asarray(value)
        if pixels.size == height * width * channels:
            return from_pixels(pixels.astype(np.uint8).reshape(shape))
        if undefined_on_failure:
            return None
        raise RuntimeError("Dimensions do not match vec size")

    return each(column, image, Image)


def _check_pixels(values, allow_rounding):
    """Refuse numbers that are no pixels."""
    if not allow_rounding and (values != np.floor(values)).any():
        raise ValueError(
            "There are non-integer values in the array data. Images only support integer data "
            "values between 0 and 255. To permit rounding, set the 'allow_rounding' parameter "
            "to 1."
        )
    if len(values) and (values.min() < 0 or values.max() > 255):
        raise ValueError(
            "There are values outside the range of 0 to 255. Images only support integer data "
            "values between 0 and 255."
        )
