"""Columns into rows and back: stack, unpack and pack."""

import array

import numpy as np

from .columns import VectorColumn
from .infer import column_from_values, infer_type
from .missing import lacks


def unpack_array(values, prefix, types, na_value, limit):
    """Return the elements of lists, dictionaries or vectors as an SFrame, see `SArray.unpack`."""
    from .sframe import SFrame

    if values.dtype not in (list, dict, array.array):
        raise TypeError("Only SArray of dict/list/array type supports unpack")
    if types is not None or na_value is not None:
        raise lacks("unpack(column_types=..., na_value=...)", "convert the new columns instead")
    rows = values.tolist()
    if values.dtype is dict:
        names = sorted({key for row in rows if row is not None for key in row})
        pick = [lambda row, key=key: row.get(key) for key in names]
    else:
        names = range(max((len(row) for row in rows if row is not None), default=0))
        pick = [lambda row, at=at: row[at] if at < len(row) else None for at in names]
    columns = {}
    for name, element in zip(names, pick):
        if limit is None or name in limit:
            found = [None if row is None else element(row) for row in rows]
            dtype = float if values.dtype is array.array else infer_type(found)
            columns[f"{prefix}.{name}" if prefix else str(name)] = column_from_values(found, dtype)
    return SFrame._of(columns, values._sized)


def stack_rows(values, drop_na):
    """Return (source row of each new row, [Column of elements]) of `SFrame.stack`."""
    column = values._data
    if values.dtype not in (list, dict, array.array):
        raise TypeError("Stack is only supported for column of dict/list/array type.")
    lengths = [0 if row is None else len(row) for row in column.tolist()]
    kept = np.array(lengths) if drop_na else np.maximum(lengths, 1)
    rows = np.repeat(np.arange(len(column)), kept.astype(np.int64))
    if isinstance(column, VectorColumn) and (drop_na or min(lengths, default=1)):
        return rows, [column_from_values(column.flat.tolist(), float)]
    elements = [_elements(row, drop_na) for row in column.tolist()]
    flat = [element for row in elements for element in row]
    if values.dtype is dict:
        return rows, [_inferred([pair[side] for pair in flat]) for side in (0, 1)]
    return rows, [_inferred(flat)]


def _elements(row, drop_na):
    found = list(row.items()) if isinstance(row, dict) else list(row or ())
    if found or drop_na:
        return found
    return [(None, None)] if isinstance(row, dict) else [None]


def _inferred(values):
    return column_from_values(values, infer_type(values))


def pack_rows(frame, names, prefix, dtype, fill_na, remove_prefix):
    """Return the column of `SFrame.pack_columns`."""
    if dtype not in (list, dict, array.array):
        raise ValueError("Resulting dtype has to be one of dict/array.array/list type")
    keys = [name[len(prefix) + 1 :] if prefix and remove_prefix else name for name in names]
    lists = [[fill_na if v is None else v for v in frame[name].tolist()] for name in names]
    rows = [list(row) for row in zip(*lists)]
    if dtype is dict:
        rows = [{k: v for k, v in zip(keys, row) if v is not None} for row in rows]
    return column_from_values(rows, dtype)
