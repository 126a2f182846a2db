"""What an SFrame is made of: dictionaries, lists, data frames, folders and constants."""

import array
import datetime
import os
from collections.abc import Mapping, Set

import numpy as np

from . import storage, tabular
from .columns import NumberColumn, ObjectColumn
from .image import Image
from .infer import constant_column, is_pandas
from .sarray import SArray

_FORMATS = ("auto", "sframe", "dataframe", "dict", "array", "sarray", "empty", "sframe_obj")
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def frame_columns(data, form):
    """Return the columns {name: column} of a new SFrame."""
    if form not in (*_FORMATS, *_DELIMITERS):
        raise ValueError(f"Unknown input type: {form}")
    if data is None:
        return {}
    if isinstance(data, (str, os.PathLike)) and (form in _DELIMITERS or storage.is_text(data)):
        ending = str(data)[: -len(".gz")] if str(data).endswith(".gz") else str(data)
        form = form if form in _DELIMITERS else ending.rsplit(".", 1)[-1]
        return tabular.read_csv(data, {"delimiter": _DELIMITERS.get(form, ",")})[0]
    if isinstance(data, (str, os.PathLike)):
        return storage.read_table(data)
    if hasattr(data, "_columns") and hasattr(data, "column_names"):
        return dict(data._columns)
    return _same_length(_converted(data))


def _converted(data):
    if isinstance(data, SArray):
        return {"X1": data}
    if is_pandas(data) and hasattr(data, "columns"):
        return {str(name): SArray(data[name]) for name in data.columns}
    if isinstance(data, dict):
        return _from_dict(data)
    if isinstance(data, (list, tuple, np.ndarray, array.array)) or hasattr(data, "__next__"):
        return _from_list(data)
    if is_pandas(data) and hasattr(data, "to_numpy"):
        return {"X1": SArray(data)}
    raise ValueError(f"Cannot infer input type for data {data}")


def _from_dict(data):
    # Turi Create's order: by name, SArrays after everything else.
    arrays = {name: value for name, value in data.items() if isinstance(value, SArray)}
    others = [name for name in data if name not in arrays]
    for name in data:
        if not isinstance(name, str):
            raise TypeError(f"Column names must be str, got {name!r}")
    columns = {}
    for name in [*sorted(others), *sorted(arrays)]:
        value = data[name]
        if not isinstance(value, SArray):
            if not hasattr(value, "__len__"):
                raise TypeError(f"object of type '{type(value).__name__}' has no len()")
            if isinstance(value, (str, Mapping, Set)):
                value = list(value)
            # A matrix here becomes a column of arrays, as it does in Turi Create.
            rows = isinstance(value, np.ndarray) and value.ndim > 1
            value = SArray(list(value) if rows else value)
        columns[name] = value
    return columns


def _from_list(data):
    if isinstance(data, (list, tuple)) and any(isinstance(item, SArray) for item in data):
        if not all(isinstance(item, SArray) for item in data):
            raise ValueError("Cannot create SFrame from mix of regular values and SArrays")
        return {f"X{number}": item for number, item in enumerate(data, 1)}
    return {"X1": SArray(data)} if len(list(data)) else {}


def _same_length(columns):
    if len({len(column) for column in columns.values()}) > 1:
        raise RuntimeError("All column should be of the same length")
    return {name: column._column for name, column in columns.items()}


def assigned(value, size):
    """Return what `frame[name] = value` assigns as a column; one value is repeated `size` times."""
    single = isinstance(value, (str, dict, array.array)) or not hasattr(value, "__iter__")
    return _column(value, size, single and not isinstance(value, SArray))


def added(value, size):
    """Return what `frame.add_column(value)` adds as a column."""
    return _column(value, size, not (isinstance(value, SArray) or hasattr(value, "__iter__")))


def _column(value, size, is_constant):
    return constant_column(value, size) if is_constant else SArray(value)._column


def check_new_columns(data, names):
    """Refuse columns to add that are no SArrays with names."""
    for values, name in ((data, "datalist"), (names, "column_names")):
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            raise TypeError(f"{name} must be an iterable")
    if not all(isinstance(column, SArray) for column in data):
        raise TypeError("Must give column as SArray")
    if not all(isinstance(name, str) for name in names):
        raise TypeError("Invalid column name in list : must all be str")


def pandas_series(column):
    """Return a column as pandas holds it: pictures as PIL's, only missing values as None."""
    import pandas

    if isinstance(column, NumberColumn) and column.missing is None:
        return pandas.Series(column.values.copy())
    if isinstance(column, NumberColumn) and not column.missing.all():
        return pandas.Series(np.where(column.missing, np.nan, column.values))
    values = column.tolist()
    if column.dtype is Image:
        values = [None if value is None else value._to_pil_image() for value in values]
    if column.dtype is datetime.datetime:
        return _in_nanoseconds(pandas.Series(values))
    return pandas.Series(ObjectColumn.from_list(values, object).values, dtype=object)


def _in_nanoseconds(series):
    """Return dates as the pandas that Turi Create runs with keeps them, where they fit."""
    try:
        return series.dt.as_unit("ns")
    except (AttributeError, ValueError):
        return series
