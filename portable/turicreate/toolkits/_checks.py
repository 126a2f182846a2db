"""What the toolkits ask of a dataset before they start."""

import array
from collections import Counter

import numpy as np

from ..columns import NumberColumn, VectorColumn
from ..missing import lacks
from ..printing import type_title
from ._main import ToolkitError


def need_frame(dataset, name="dataset"):
    """Refuse what is not an SFrame with rows and columns."""
    if not (hasattr(dataset, "column_names") and hasattr(dataset, "_columns")):
        raise ToolkitError(
            f"Input {name} is not an SFrame. If it is a Pandas DataFrame, you may use the "
            "to_sframe() function to convert it to an SFrame."
        )
    if not dataset.num_columns() or not len(dataset):
        raise ToolkitError(
            f"Input {name} either has no rows or no columns. A non-empty SFrame is required."
        )


def need_columns(dataset, names):
    """Refuse an SFrame that lacks one of some columns."""
    gone = [name for name in names if name not in dataset.column_names()]
    if gone:
        raise ToolkitError(f"Input data does not contain the following columns: {gone}")


def feature_names(dataset, features, others):
    """Return the feature columns: those asked for, or all but `others`."""
    if features is None:
        features = dataset.column_names()
    elif not isinstance(features, list) or not all(isinstance(name, str) for name in features):
        raise TypeError("If specified, input 'features' must be a list of strings.")
    return [name for name in features if name not in others]


def matrix(dataset, name, width=None, mean=None):
    """Return a column of numbers or of vectors of one length as an array (n, d).

    Missing values are refused, or filled with `mean`, (d,), if one is given.
    """
    if mean is not None and name not in dataset.column_names():
        return np.tile(mean, (len(dataset), 1))
    column = dataset._columns[name]
    if column.missing is not None and mean is None:
        raise missing_value(name)
    if not isinstance(column, (NumberColumn, VectorColumn)):
        raise lacks(f"A feature column of type {column.dtype.__name__} ('{name}')")
    gone = column.missing_mask()
    present = column.take(~gone) if gone.any() else column
    if isinstance(column, NumberColumn):
        found = present.values.astype(np.float64)[:, None]
    else:
        found = _vectors(name, present, width)
    return _filled(found, gone, mean) if gone.any() else found


def missing_value(name):
    """Return the error of a missing value in a feature."""
    return ToolkitError(
        f"Missing value (None) encountered in column '{name}'. Use the SFrame's dropna "
        "function to drop rows with 'None' values in them."
    )


def _vectors(name, column, width):
    if not len(column):
        return np.empty((0, width or 0))
    found = column.matrix()
    if found is None:
        lengths = column.lengths
        other = int(lengths[lengths != lengths[0]][0])
        raise _sizes(name, other, int(lengths[0]))
    if width is not None and found.shape[1] != width:
        raise _sizes(name, found.shape[1], width)
    return found


def _filled(found, gone, mean):
    result = np.empty((len(gone), len(mean)))
    result[~gone], result[gone] = found, mean
    return result


def filling(dataset, name):
    """Return the width and the mean of a column of numbers or vectors, nothing for others."""
    if dataset._columns[name].dtype not in (int, float, array.array):
        return {}
    rows = matrix(dataset, name)
    return {"width": rows.shape[1], "mean": rows.mean(axis=0)}


def check_schema(dataset, reference, names):
    """Refuse columns whose types are others than those of the reference rows."""
    for name in names:
        trained, found = (side._columns[name].dtype for side in (reference, dataset))
        if trained is not found:
            raise ToolkitError(
                f"Schema mismatch. Feature '{name}' was of type {type_title(trained)} during "
                f"training but is of type {type_title(found)} during prediction."
            )


def texts(dataset, name, missing=None):
    """Return a column of strings as a list; missing ones are refused or get a replacement."""
    found = dataset._columns[name].tolist()
    if missing is None and None in found:
        raise ToolkitError(
            f"Missing value (None) encountered in column '{name}'. Use the SFrame's `dropna` "
            "function to drop rows with 'None' values."
        )
    return [missing if text is None else text for text in found]


def pair_rows(dataset, names, means=None):
    """Return the rows of several columns as dictionaries {(column, key): number}.

    Missing values are refused, or filled by {column: what `filling` returns}.
    """
    parts = [_pairs(dataset, name, means and means[name], means is not None) for name in names]
    return [{key: value for row in rows for key, value in row.items()} for rows in zip(*parts)]


def _pairs(dataset, name, means, fill):
    column = dataset._columns[name]
    if column.missing is not None and not fill:
        raise missing_value(name)
    if column.dtype in (int, float, array.array):
        rows = matrix(dataset, name, **(means or {}))
        return [{(name, at): value for at, value in enumerate(row)} for row in rows.tolist()]
    return [{(name, key): value for key, value in _items(name, row)} for row in column.tolist()]


def _items(name, row):
    if not isinstance(row, dict):
        return Counter(row or ()).items()
    for value in row.values():
        if not isinstance(value, (int, float)):
            raise ToolkitError(
                f"The dictionaries of column '{name}' must hold numbers only; found {value!r}"
            )
    return row.items()


def _sizes(name, found, wanted):
    return ToolkitError(
        "Dataset mismatch between training and prediction. Numeric feature "
        f"'{name}' must contain lists of consistent size. (Found lists/arrays of sizes "
        f"{found} and {wanted})."
    )


def unpacked_names(dataset, names):
    """Return the names of single features: `f[0]`, `f[1]` for vectors, `f[key]` for keys."""
    result = []
    for name in names:
        column = dataset._columns[name]
        if column.dtype is array.array:
            result += [f"{name}[{number}]" for number in range(int(column.lengths[0]))]
        elif column.dtype in (dict, list):
            keys = dict.fromkeys(key for row in column.tolist() for key in row or ())
            result += [f"{name}[{key}]" for key in keys]
        elif column.dtype is not str:
            result.append(name)
    return result
