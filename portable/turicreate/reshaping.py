"""Columns into rows and back: stack, unpack and pack, on tables {name: Column}."""

import array

import numpy as np

from . import convert, elements
from .aggregate import CONCAT
from .columns import VectorColumn
from .grouping import group
from .infer import column_from_values, infer_type, make_column, undefined_column
from .names import free_names, number_name

_NESTED = (dict, list, array.array)
_UNPACKED = (int, float, str, list, dict, array.array)
_LOOKED_AT = 100
_FIRST = 10


def unpack_table(table, name, prefix, types, na_value, limit):
    """Return a table with a column replaced by one for each of its elements."""
    if name is None:
        name = _only_nested(table)
        prefix = "" if prefix is None else prefix
    elif name not in table:
        raise KeyError(f"Column '{name}' does not exist in current SFrame")
    prefix = name if prefix is None else prefix
    new = unpack_column(table[name], prefix, types, na_value, limit)
    rest = {own: column for own, column in table.items() if own != name}
    return {**rest, **dict(zip(free_names(list(new), rest), new.values()))}


def unstack_table(table, names, new_name):
    """Return a table of the other columns' combinations with lists of the values of one, or
    dictionaries of two.
    """
    if not isinstance(names, str) and len(names) != 2:
        raise TypeError(
            "'column_names' parameter has to be either a string or a list of two strings."
        )
    names = [names] if isinstance(names, str) else names
    keys = [name for name in table if name not in names]
    values = CONCAT(*names)
    return group(table, keys, [{new_name: values} if new_name else values])


def split_dates(table, name, prefix, limit, timezone):
    """Return a table with a column of dates as columns of their parts."""
    if name not in table:
        raise KeyError(f"column '{name}' does not exist in current SFrame")
    new = elements.split_dates(table[name], name if prefix is None else prefix, limit, timezone)
    rest = {own: column for own, column in table.items() if own != name}
    return {**rest, **dict(zip(free_names(list(new), rest), new.values()))}


def flattened(parts, names, types):
    """Return the table of lists of rows, one list after the other."""
    if isinstance(names, str):
        raise TypeError(f"Cannot interpret type '{str}' as list of strings.")
    if not all(isinstance(r, list) and all(isinstance(x, list) for x in r) for r in parts):
        raise TypeError("Output type of the lambda function must be a list of lists")
    types = _row_types(parts[:_FIRST]) if types == "auto" else types
    if len(types) != len(names):
        raise AssertionError("Number of output columns must match the size of column names")
    rows = [row for part in parts for row in part]
    columns = zip(*rows) if rows else [()] * len(names)
    return {name: _flat(list(v), kind) for name, v, kind in zip(names, columns, types)}


def _row_types(parts):
    kinds = {tuple(map(type, row)) for part in parts for row in part}
    if not kinds:
        raise TypeError(
            "Could not infer output column types from the first ten rows of the SFrame. Please "
            "use the 'column_types' parameter to set the types."
        )
    if len(kinds) > 1:
        raise TypeError("Mapped rows must have the same length and types")
    return kinds.pop()


def _flat(values, kind):
    if kind is type(None):
        return undefined_column(len(values))
    return make_column(values, convert.column_type(kind))


def _only_nested(table):
    if not table:
        raise RuntimeError("No column exists in the current SFrame")
    nested = [name for name, column in table.items() if column.dtype in _NESTED]
    if not nested:
        raise RuntimeError("No columns can be unpacked")
    if len(nested) > 1:
        raise RuntimeError("Column name needed to unpack")
    return nested[0]


def unpack_column(column, prefix="X", types=None, na_value=None, limit=None):
    """Return the elements of lists, dictionaries or vectors as columns by name.

    Parameters
    ----------
    column : Column
    prefix : str or None
        What the new names begin with, before a dot.
    types : list of type, optional
        Of the elements of `limit`; inferred without it.
    na_value : optional
        Stands for what is missing in the elements too.
    limit : list, optional
        The keys or places to take; all of the first 100 rows without it.
    """
    if column.dtype not in _NESTED:
        raise TypeError("Only SArray of dict/list/array type supports unpack")
    if prefix is not None and not isinstance(prefix, str):
        raise TypeError("'column_name_prefix' must be a string")
    if limit is not None:
        limit = _checked_limit(column, limit)
    rows = column.tolist()
    if types is not None:
        types = _checked_types(column, types, limit)
        limit = range(len(types)) if limit is None else limit
    elif column.dtype is dict:
        limit, types = _dict_parts(rows, limit)
    else:
        limit, types = _list_parts(column, rows, limit)
    result = {}
    for place, dtype in zip(limit, types):
        values = [_picked(row, place, na_value) for row in rows]
        try:
            part = _read(values, dtype)
        except TypeError:
            raise RuntimeError("Invalid type conversion") from None
        result[f"{prefix}.{place}" if prefix else str(place)] = part
    return result


def _checked_limit(column, limit):
    if isinstance(limit, str) or not hasattr(limit, "__iter__"):
        raise TypeError("'limit' must be a list")
    limit = list(limit)
    kinds = {type(place) for place in limit}
    if len(kinds) != 1:
        raise TypeError("'limit' contains values that are different types")
    if column.dtype is not dict and kinds != {int}:
        raise TypeError("'limit' must contain integer values.")
    if len(set(limit)) != len(limit):
        raise ValueError("'limit' contains duplicate values")
    return limit


def _checked_types(column, types, limit):
    if not hasattr(types, "__iter__"):
        raise TypeError("column_types must be a list")
    types = list(types)
    if not all(kind in _UNPACKED for kind in types):
        raise TypeError(
            "column_types contains unsupported types. Supported types are ['float', 'int', "
            "'list', 'dict', 'str', 'array.array']"
        )
    if limit is not None and len(limit) != len(types):
        raise ValueError("limit and column_types do not have the same length")
    if limit is None and column.dtype is dict:
        raise ValueError(
            "if 'column_types' is given, 'limit' has to be provided to unpack dict type."
        )
    return types


def _dict_parts(rows, limit):
    """Return the keys of dictionaries in order, and the types of their values."""
    _first_rows(rows)
    there = [row for row in rows if row is not None]
    keys = limit if limit is not None else {key for row in there for key in row}
    try:
        keys = sorted(keys)
    except TypeError:
        raise RuntimeError("Invalid type conversion") from None
    return keys, [_common_type([row.get(key) for row in there]) for key in keys]


def _common_type(values):
    """Return the one type of values, str for several, float for none."""
    kinds = {infer_type([value]) for value in values if value is not None}
    for many, one in (({int, float}, float), ({list, array.array}, list)):
        if kinds == many:
            return one
    return kinds.pop() if len(kinds) == 1 else str if kinds else float


def _list_parts(column, rows, limit):
    first = _first_rows(rows)
    limit = range(max(map(len, first))) if limit is None else limit
    if column.dtype is array.array:
        return limit, [float] * len(limit)
    parts = [[row[at] if at < len(row) else None for row in first] for at in limit]
    return limit, [infer_type(values) for values in parts]


def _first_rows(rows):
    first = [row for row in rows[:_LOOKED_AT] if row is not None]
    if not any(first):
        raise RuntimeError(
            "Cannot infer number of items from the SArray, SArray may be empty. please "
            "explicitly provide column types"
        )
    return first


def _picked(row, place, na_value):
    if row is None:
        return None
    found = row.get if isinstance(row, dict) else row.__getitem__
    value = found(place) if isinstance(row, dict) or place < len(row) else None
    return None if na_value is not None and value == na_value else value


def _read(values, dtype):
    """Return values as a column of a type, numbers and text read into each other."""
    values = [None if value is None else convert.value_to(value, dtype) for value in values]
    return column_from_values(values, dtype)


def stack_table(table, name, new_names, drop_na, types):
    """Return a table with a row for each element of a column of lists, dictionaries, vectors."""
    if name not in table:
        raise ValueError(f"Cannot find column '{name}' in the SFrame.")
    column = table[name]
    if column.dtype not in _NESTED:
        raise TypeError("Stack is only supported for column of dict/list/array type.")
    types = _stack_types(column, types)
    new_names = _stack_names(table, name, column, new_names)
    if types is None:
        types = _element_types(column)
    rows, elements = _stacked(column, drop_na, types)
    result = {own: part.take(rows) for own, part in table.items() if own != name}
    for new, part in zip(new_names, elements):
        result[new or number_name(result)] = part
    return result


def _stack_types(column, types):
    if types is None:
        return None
    types = [types] if isinstance(types, type) else list(types)
    if column.dtype is dict and len(types) != 2:
        raise ValueError("Expecting two column types to unpack a dict column")
    if column.dtype is not dict and len(types) != 1:
        raise ValueError("Expecting a single column type to unpack list or array columns")
    return types


def _stack_names(table, name, column, names):
    if names is None:
        return [None] * (1 + (column.dtype is dict))
    if column.dtype is dict:
        if not isinstance(names, list):
            raise TypeError("new_column_name has to be a list to stack dict type")
        if len(names) != 2:
            raise TypeError("new_column_name must have length of two")
    elif not isinstance(names, str):
        raise TypeError("new_column_name has to be a str")
    names = names if isinstance(names, list) else [names]
    for new in names:
        if new in table and new != name:
            raise ValueError(f"Column with name '{new}' already exists, pick a new column name")
    if len(set(names)) < len(names):
        raise RuntimeError("There is duplicate column names in new_column_names parameter")
    return names


def _element_types(column):
    first = [row for row in column.take(slice(0, _LOOKED_AT)).tolist() if row is not None]
    if not first:
        raise ValueError("Cannot infer column type because there is not enough rows to infer value")
    if column.dtype is array.array:
        return [float]
    if column.dtype is dict:
        pairs = [pair for row in first for pair in row.items()]
        return [infer_type([pair[side] for pair in pairs]) for side in (0, 1)]
    return [infer_type([element for row in first for element in row])]


def _stacked(column, drop_na, types):
    """Return (source row of each new row, [Column of elements])."""
    if isinstance(column, VectorColumn) and types == [float]:
        return _stacked_vectors(column, drop_na)
    nothing = [] if drop_na else [(None, None) if column.dtype is dict else None]
    elements = [_elements(row) or nothing for row in column.tolist()]
    rows = np.repeat(np.arange(len(column)), [len(row) for row in elements])
    flat = [element for row in elements for element in row]
    parts = [[pair[side] for pair in flat] for side in (0, 1)] if column.dtype is dict else [flat]
    return rows, [_read(part, dtype) for part, dtype in zip(parts, types)]


def _stacked_vectors(column, drop_na):
    lengths = column.lengths
    kept = lengths if drop_na else np.maximum(lengths, 1)
    rows = np.repeat(np.arange(len(column)), kept)
    places = np.cumsum(kept) - kept
    values = np.full(kept.sum(), np.nan)
    there = np.ones(len(values), bool)
    there[places[(lengths == 0) & (kept > 0)]] = False
    values[there] = column.flat
    return rows, [convert.numbers(values, ~there)]


def _elements(row):
    return list(row.items()) if isinstance(row, dict) else list(row or ())


def pack_table(table, names, prefix, dtype, fill_na, remove_prefix, new_name):
    """Return a table with several columns as one of lists, dictionaries or vectors."""
    if new_name is None and prefix is not None:
        new_name = prefix
    names = _packed_names(table, names, prefix)
    if dtype not in _NESTED:
        raise ValueError("Resulting dtype has to be one of dict/array.array/list type")
    if dtype is array.array:
        _check_numbers(table, names, fill_na)
    rest = {name: column for name, column in table.items() if name not in names}
    if new_name is not None:
        if not isinstance(new_name, str):
            raise TypeError("'new_column_name' has to be a string")
        if new_name in rest:
            raise KeyError(f"Current SFrame already contains a column name {new_name}")
    keys = _packed_keys(names, prefix) if dtype is dict and remove_prefix else names
    packed = _packed(table, names, keys, dtype, fill_na)
    return {**rest, (new_name or number_name(rest)): packed}


def _packed_names(table, names, prefix):
    if names is not None and prefix is not None:
        raise ValueError(
            "'column_names' and 'column_name_prefix' parameter cannot be given at the same time."
        )
    if prefix is not None:
        if not isinstance(prefix, str):
            raise TypeError("'column_name_prefix' must be a string")
        names = [name for name in table if name.startswith(prefix)]
        if not names:
            raise ValueError(f"There is no column starts with prefix '{prefix}'")
        return names
    if names is None:
        return list(table)
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise TypeError("column_names must be an iterable type")
    names = list(names)
    for name in names:
        if name not in table:
            raise ValueError(f"Current SFrame has no column called '{name}'.")
    if len(set(names)) != len(names):
        raise ValueError("There is duplicate column names in column_names parameter")
    if not names:
        raise RuntimeError('Column "" has different size than current columns!')
    return names


def _check_numbers(table, names, fill_na):
    if fill_na is not None and type(fill_na) not in (int, float):
        raise ValueError("fill_na value for array needs to be numeric type")
    for name in names:
        if table[name].dtype not in (int, float):
            raise TypeError(f"Column '{name}' type is not numeric, cannot pack into array type")


def _packed_keys(names, prefix):
    """Return names without the prefix and, if all have the same, the sign after it."""
    if prefix is None:
        return names
    after = {name[len(prefix) : len(prefix) + 1] for name in names}
    cut = len(prefix) + (len(after) == 1 and after <= {".", "-", "_"})
    return [name[cut:] for name in names]


def _packed(table, names, keys, dtype, fill_na):
    if dtype is array.array and fill_na is None:
        fill_na = float("nan")
    columns = [table[name].tolist() for name in names]
    columns = [[fill_na if value is None else value for value in column] for column in columns]
    rows = [list(row) for row in zip(*columns)]
    if dtype is dict:
        rows = [{k: v for k, v in zip(keys, row) if v is not None} for row in rows]
    return column_from_values(rows, dtype)
