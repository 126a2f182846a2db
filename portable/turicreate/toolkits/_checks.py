"""What the toolkits ask of a dataset before they start."""

import array

import numpy as np

from ..columns import NumberColumn, VectorColumn
from ..missing import lacks
from ._main import ToolkitError


def need_frame(dataset, name="dataset"):
    """Refuse what is not an SFrame with rows and columns."""
    if not (hasattr(dataset, "column_names") and hasattr(dataset, "_column_data")):
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


def matrix(dataset, name, width=None):
    """Return a column of numbers or of vectors of one length as an array (n, d)."""
    column = dataset._column_data(name)
    if column.missing is not None:
        raise ToolkitError(
            f"Missing value (None) encountered in column '{name}'. Use the SFrame's dropna "
            "function to drop rows with 'None' values in them."
        )
    if isinstance(column, NumberColumn):
        found = column.values.astype(np.float64)[:, None]
    elif isinstance(column, VectorColumn):
        found = column.matrix()
    else:
        raise lacks(f"A feature column of type {column.dtype.__name__} ('{name}')")
    if found is None:
        lengths = column.lengths
        other = int(lengths[lengths != lengths[0]][0])
        raise _sizes(name, other, int(lengths[0]))
    if width is not None and found.shape[1] != width:
        raise _sizes(name, found.shape[1], width)
    return found


def _sizes(name, found, wanted):
    return ToolkitError(
        "Dataset mismatch between training and prediction. Numeric feature "
        f"'{name}' must contain lists of consistent size. (Found lists/arrays of sizes "
        f"{found} and {wanted})."
    )


def unpacked_names(dataset, names):
    """Return the names of single features, `f[0]`, `f[1]` for the vectors of `f`."""
    result = []
    for name in names:
        column = dataset._column_data(name)
        if column.dtype is array.array:
            result += [f"{name}[{number}]" for number in range(int(column.lengths[0]))]
        else:
            result.append(name)
    return result
