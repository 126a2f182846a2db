"""`groupby` and `value_counts`, on tables {name: Column}."""

import array
import datetime
from dataclasses import dataclass

import numpy as np

from .aggregate import COUNT
from .columns import NumberColumn
from .infer import column_from_values
from .names import free_name
from .selection import group_rows, key_of

_NUMBERS = (int, float)
_VECTORS = (array.array, np.ndarray)
_ORDERED = (int, float, datetime.datetime)
_QUANTILE = "__builtin__quantile__["


@dataclass(frozen=True)
class Operation:
    """How to reduce the rows of a group: a title, a function, input types and the result's.

    `reduce` gets the group's part of each column; `allowed` are the types of the first
    column, None for all; `result` is a type, or a function of the columns.
    """

    title: str
    reduce: object
    allowed: tuple = None
    result: object = None

    def type_of(self, columns):
        """Return the type of the result."""
        if self.result is None or isinstance(self.result, type):
            return self.result or columns[-1].dtype
        return self.result(*columns)


def _present(column):
    return column.take(~column.missing_mask())


def _number(function, nothing=None):
    """Return a reduction of the numbers that are there; `nothing` where there are none."""

    def reduce(column):
        values = _present(column).values
        return function(values).item() if len(values) else nothing

    return reduce


def _arrays(column):
    """Return arrays of one shape as one array, or None."""
    values = column.tolist()
    return np.stack(values) if len({value.shape for value in values}) == 1 else None


def _vector(function):
    def reduce(column):
        present = _present(column)
        if column.dtype is np.ndarray:
            rows = _arrays(present) if len(present) else np.empty((1, 0))
            return None if rows is None else function(rows, axis=0)
        if not len(present):
            return array.array("d")
        rows = present.matrix()
        return None if rows is None else array.array("d", function(rows, axis=0).tolist())

    return reduce


def _extreme(choose, of_numbers):
    def reduce(column):
        present = _present(column)
        if not len(present):
            return None
        if isinstance(present, NumberColumn):
            return of_numbers.reduce(present.values).item()
        return choose(present.tolist())

    return reduce


def _arg(choose, of_numbers, least):
    def reduce(column, output):
        rows = np.flatnonzero(~column.missing_mask())
        if not len(rows):
            return None
        if not isinstance(column, NumberColumn):
            return output.value(choose(rows.tolist(), key=column.value))
        values = column.values[rows]
        values = np.where(values == values, values, least)
        return output.value(int(rows[of_numbers(values)]))

    return reduce


def _distinct(column):
    seen = {}
    for value in column.tolist():
        seen.setdefault(key_of(value), value)
    return list(seen.values())


def _counts(column):
    counts = {}
    for value in column.tolist():
        counts[value] = counts.get(value, 0) + 1
    return counts


def _pairs(keys, values):
    pairs = zip(keys.tolist(), values.tolist())
    return {key: value for key, value in pairs if key is not None}


def _list_type(column):
    return array.array if column.dtype is float else list


_OPERATIONS = {
    "sum": Operation("Sum", _number(np.sum, 0), _NUMBERS),
    "vector__sum": Operation("Vector Sum", _vector(np.sum), _VECTORS),
    "avg": Operation("Avg", _number(np.mean), _NUMBERS, float),
    "vector__avg": Operation("Vector Avg", _vector(np.mean), _VECTORS),
    "min": Operation("Min", _extreme(min, np.fmin), _ORDERED),
    "max": Operation("Max", _extreme(max, np.fmax), _ORDERED),
    "var": Operation("Var", _number(np.var, 0.0), _NUMBERS, float),
    "stdv": Operation("Stdv", _number(np.std, 0.0), _NUMBERS, float),
    "count": Operation("Count", len, None, int),
    "count__distinct": Operation(
        "Count Distinct", lambda column: len(_distinct(column)), None, int
    ),
    "distinct": Operation("Distinct", _distinct, None, list),
    "freq_count": Operation("Frequency Count", _counts, (int, str), dict),
    "select_one": Operation("Select One", lambda column: column.value(len(column) - 1)),
    "concat__list": Operation("List", lambda column: _present(column).tolist(), None, _list_type),
    "concat__dict": Operation("Dict", _pairs, None, dict),
    "argmax": Operation("argmax", _arg(max, np.argmax, -np.inf), _ORDERED),
    "argmin": Operation("argmin", _arg(min, np.argmin, np.inf), _ORDERED),
}


def _quantiles(name):
    shares = [float(share) for share in name[len(_QUANTILE) : -1].split(",")]

    def reduce(column):
        values = np.sort(_present(column).values.astype(np.float64))
        return array.array("d", [quantile(values, share) for share in shares])

    return Operation("Quantiles", reduce, _NUMBERS, array.array)


def quantile(ordered, share):
    """Return the value of an ordered array below which a share of the values lies, or 0."""
    if not len(ordered):
        return 0.0
    return float(ordered[min(int(share * len(ordered)), len(ordered) - 1)])


@dataclass(frozen=True)
class Wanted:
    """A column that a group's rows are reduced to; an empty name is found from the operation."""

    name: str
    operation: Operation
    columns: tuple

    def title(self):
        """Return the name of the new column."""
        kind, columns = self.operation.title, self.columns
        if kind == "Count":
            return "Count"
        if kind.startswith("arg"):
            return f"{columns[1]} for {kind} of {columns[0]}"
        return f"{kind} of {'_'.join(columns)}"


def group(table, keys, operations):
    """Return the columns {name: Column} of `SFrame.groupby` of a table {name: Column}."""
    keys = _checked_keys(table, [keys] if isinstance(keys, str) else keys)
    wanted = [one for operation in operations for one in _wanted(table, operation)]
    for one in wanted:
        _check_types(table, one)
    names = [one.name for one in wanted if one.name]
    if len({*keys, *names}) < len(keys) + len(names):
        raise RuntimeError("Output columns names are not unique")
    groups, first = _groups(table, keys, any(one.columns for one in wanted))
    result = {key: table[key].take(first) for key in keys}
    members = _members(groups, len(first))
    for one in wanted:
        name = one.name or free_name(one.title(), result)
        result[name] = _aggregate(table, one, members)
    return result


def _groups(table, keys, reads):
    """Return (group number of each row, first row of each group).

    Without keys there is one group, or none if no aggregator `reads` a column.
    """
    if keys:
        return group_rows([table[key] for key in keys])
    rows = len(next(iter(table.values()))) if table and reads else 0
    return np.zeros(rows, np.int64), np.zeros(min(rows, 1), np.int64)


def _checked_keys(table, keys):
    for key in keys:
        if not isinstance(key, str):
            raise TypeError("Column name must be a string")
        if key not in table:
            raise KeyError(f'Column "{key}" does not exist in SFrame')
        if table[key].dtype is dict:
            raise TypeError("Cannot group on a dictionary column.")
    return list(keys)


def _wanted(table, entry):
    """Yield what an argument of `groupby` asks for: {name: aggregator}, a list or one."""
    if isinstance(entry, dict):
        for name, value in entry.items():
            yield from _resolved(table, name, value)
    else:
        for value in entry if isinstance(entry, list) else [entry]:
            yield from _resolved(table, "", value)


def _resolved(table, name, value):
    if value is COUNT:
        value = COUNT()
    if type(value) is not tuple:
        place = f" of output column: {name}" if name else "."
        raise TypeError(f"Unexpected type in aggregator definition{place}")
    operation, columns = value
    several = operation.startswith("__builtin__arg") and isinstance(columns[0], tuple)
    if operation.startswith("__builtin__arg") and name and several != isinstance(name, tuple):
        raise TypeError(
            "Output column(s) and aggregate column(s) for aggregate operation should be either "
            "all tuple or all string."
        )
    if several:
        names = name or [""] * len(columns[0])
        parts = [(own, (column, columns[1])) for own, column in zip(names, columns[0])]
    else:
        parts = [(name, tuple(columns))]
    return [_one(table, own, operation, part) for own, part in parts]


def _one(table, name, operation, columns):
    kind = str(operation)[len("__builtin__") :].rstrip("_")
    if kind == "count":
        return Wanted(name, _OPERATIONS[kind], ())
    for column in columns:
        if not isinstance(column, str):
            raise TypeError("Column name must be a string")
        if column not in table:
            # Turi Create finds these two out elsewhere, by another name.
            if kind in ("sum", "avg"):
                raise RuntimeError(f"Column name {column} does not exist.")
            raise KeyError(f"Column {column} does not exist in SFrame")
    if kind in ("sum", "avg") and table[columns[0]].dtype in _VECTORS:
        kind = f"vector__{kind}"
    if kind == "concat__dict" and table[columns[0]].dtype not in (int, float, str):
        raise TypeError("CONCAT key column must be int, float or str type")
    found = _quantiles(operation) if operation.startswith(_QUANTILE) else _OPERATIONS.get(kind)
    if found is None:
        raise TypeError("Operation type not recognized.")
    return Wanted(name, found, columns)


def _check_types(table, wanted):
    allowed = wanted.operation.allowed
    if allowed and table[wanted.columns[0]].dtype not in allowed:
        raise RuntimeError(
            f"Requested operation: {wanted.operation.title} not supported on the type of column "
            f"{wanted.columns[0]}"
        )


def _members(groups, count):
    """Return the rows of each group, in order."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.searchsorted(groups[order], np.arange(1, count))) if count else []


def _aggregate(table, wanted, members):
    columns = [table[name] for name in wanted.columns]
    if not columns:
        return NumberColumn(np.array([len(rows) for rows in members], np.int64))
    reduce = wanted.operation.reduce
    values = [reduce(*(column.take(rows) for column in columns)) for rows in members]
    return column_from_values(values, wanted.operation.type_of(columns))


def value_counts(column):
    """Return {`value`: Column, `count`: Column}, most frequent first, ties as they appear."""
    groups, first = group_rows([column])
    counts = np.bincount(groups.astype(np.intp), minlength=len(first))
    order = np.argsort(-counts, kind="stable")
    return {"value": column.take(first[order]), "count": NumberColumn(counts[order])}
