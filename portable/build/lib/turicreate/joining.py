"""`join`: rows of two tables that agree in key columns."""

import numpy as np

from .columns import concatenate
from .names import free_name
from .selection import key_of

_KINDS = ("left", "right", "outer", "inner")


def join(left, right, on, how, alter_name):
    """Return the columns of a join of two tables {name: Column}.

    Rows come in the order of `left`, and for one of its rows in the order of `right`;
    rows of `right` alone come last. What has the same name on both sides gets `.1` on the
    right one, unless `alter_name` has a name for it.
    """
    if how not in _KINDS:
        raise ValueError("Invalid join type")
    if not left or not right:
        raise ValueError("Cannot join an SFrame with no columns.")
    keys = _keys(left, right, on)
    new_names = _new_names(alter_name or {}, left, right, keys)
    _check_types(left, right, keys)
    ours, theirs = _matches([left[key] for key in keys], [right[key] for key in keys.values()], how)
    own = {name: _take(column, ours) for name, column in left.items()}
    for one, other in keys.items():
        own[one] = _first_present(own[one], _take(right[other], theirs), ours)
    others = {name: right[name] for name in right if name not in keys.values()}
    names = [*left, *_right_names(others, left, new_names)]
    taken = [*own.values(), *(_take(column, theirs) for column in others.values())]
    smaller = _cells(right) < _cells(left)
    return dict(zip(_unique(names, len(left), list(left), keys, smaller), taken))


def _cells(table):
    return len(table) * len(next(iter(table.values())))


def _right_names(others, left, new_names):
    """Return the names of the right side's columns, those that are taken with .1 or a new one."""
    taken, names = set(left), []
    for name in others:
        if name in taken:
            new = new_names.get(name, f"{name}.1")
            if name in new_names and new in taken:
                raise RuntimeError(
                    f"user provided column name {{ {new} }} conflicts with table name used in "
                    "SFrame"
                )
            name = new
        taken.add(name)
        names.append(name)
    return names


def _unique(names, count, left, keys, right_first):
    """Return names without repetitions; Turi Create gives the smaller table's precedence."""
    order = list(range(len(names)))
    if right_first:
        order = [
            *(at for at in order[:count] if left[at] in keys),
            *order[count:],
            *(at for at in order[:count] if left[at] not in keys),
        ]
    result = {}
    for at in order:
        result[at] = free_name(names[at], result.values())
    return [result[at] for at in range(len(names))]


def _keys(left, right, on):
    if on is None:
        on = [name for name in left if name in right]
    if isinstance(on, str):
        on = [on]
    if not isinstance(on, (list, dict)):
        raise TypeError("Must pass a str, list, or dict of join keys")
    if not all(isinstance(name, str) for name in on):
        raise TypeError("Join keys must each be a str.")
    keys = dict(on) if isinstance(on, dict) else {name: name for name in on}
    for table, names in ((left, keys), (right, keys.values())):
        for name in names:
            if name not in table:
                raise RuntimeError(f"Column name {name} does not exist.")
    return keys


def _new_names(alter_name, left, right, keys):
    if not isinstance(alter_name, dict):
        raise TypeError("alter_name must be a dict of names of columns of the right SFrame")
    for name, new in alter_name.items():
        if name not in right or name in keys:
            raise KeyError(f"Redundant key {name} for collision resolution")
        if name == new:
            raise ValueError(f"Key {name} should not be equal to value")
        if new in left or new in right:
            raise ValueError(f"Value {new} will cause further collision")
        if not isinstance(new, str):
            raise TypeError(f"The new name of column {name} must be a str, not {new!r}")
        if list(alter_name.values()).count(new) > 1:
            raise RuntimeError(
                f"user provided resolution name {{ {new} }} duplicates with other resolution name."
            )
    return alter_name


def _check_types(left, right, keys):
    for one, other in keys.items():
        there = len(left[one]) and len(right[other])
        if there and left[one].dtype is not right[other].dtype:
            raise RuntimeError(
                f"Columns {one} and {other} do not have the same type in both SFrames."
            )


def _matches(left, right, how):
    """Return the rows of both sides as two arrays, -1 where a side has none."""
    places = {}
    for row, key in enumerate(zip(*[column.tolist() for column in right])):
        places.setdefault(key_of(key), []).append(row)
    ours, theirs, used = [], [], set()
    for row, key in enumerate(zip(*[column.tolist() for column in left])):
        found = places.get(key_of(key), [])
        used.update(found)
        if not found and how in ("left", "outer"):
            found = [-1]
        ours += [row] * len(found)
        theirs += found
    if how in ("right", "outer"):
        alone = [row for row in range(len(right[0])) if row not in used]
        ours += [-1] * len(alone)
        theirs += alone
    return np.array(ours, np.int64), np.array(theirs, np.int64)


def _take(column, rows):
    """Return rows of a column, missing where a row is -1."""
    gone = rows < 0
    if not gone.any():
        return column.take(rows)
    return column.with_missing(1).take(np.where(gone, len(column), rows))


def _first_present(left, right, rows):
    """Return the key column of the left side, of the right one where the left has no row."""
    if not (rows < 0).any():
        return left
    both = concatenate([left, right])
    own = np.arange(len(rows))
    return both.take(np.where(rows < 0, own + len(rows), own))
