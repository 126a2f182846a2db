"""`groupby` and `value_counts`."""

import numpy as np

from .aggregate import COUNT, Aggregator
from .columns import NumberColumn
from .infer import column_from_values
from .selection import group_rows


def group(frame, keys, operations):
    """Return the columns {name: Column} of `SFrame.groupby`."""
    keys = [keys] if isinstance(keys, str) else keys
    if not isinstance(keys, (list, tuple)) or not all(isinstance(key, str) for key in keys):
        raise TypeError("Column name must be a string")
    for key in keys:
        if key not in frame.column_names():
            raise KeyError(f'Column "{key}" does not exist in SFrame')
    wanted = [pair for operation in operations for pair in _named(operation)]
    columns = [frame[key]._data for key in keys]
    groups, first = group_rows(columns) if keys else (np.zeros(0, int), np.zeros(0, int))
    result = {key: column.take(first) for key, column in zip(keys, columns)}
    members = _members(groups, len(first))
    for name, aggregator in wanted:
        name = _free_name(name or aggregator.name, result)
        result[name] = _aggregate(frame, aggregator, members)
    return result


def _named(operation):
    """Yield (name or None, Aggregator) of what a caller may pass."""
    if isinstance(operation, dict):
        for name, value in operation.items():
            yield name, _aggregator(value)
    elif isinstance(operation, (list, tuple)):
        for value in operation:
            yield from _named(value)
    else:
        yield None, _aggregator(operation)


def _aggregator(value):
    if value is COUNT:
        value = COUNT()
    if not isinstance(value, Aggregator):
        raise TypeError("Unexpected type in aggregator definition.")
    return value


def _members(groups, count):
    """Return the rows of each group, in order."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.searchsorted(groups[order], np.arange(1, count))) if count else []


def _aggregate(frame, aggregator, members):
    if not aggregator.columns:
        return NumberColumn(np.array([len(rows) for rows in members], np.int64))
    columns = [frame._column_data(name) for name in aggregator.columns]
    dtype = aggregator.result_type(columns)
    values = [aggregator.reduce(*(column.take(rows) for column in columns)) for rows in members]
    return column_from_values(values, dtype)


def _free_name(name, taken):
    """Return a name that is not taken, with .1, .2, ... added if needed."""
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}.{number}"
    return candidate


def value_counts(values):
    """Return an SFrame `value, count`, most frequent first, ties in order of appearance."""
    from .sframe import SFrame

    column = values._data
    groups, first = group_rows([column])
    counts = np.bincount(groups, minlength=len(first))
    order = np.argsort(-counts, kind="stable")
    return SFrame._of({"value": column.take(first[order]), "count": NumberColumn(counts[order])})
