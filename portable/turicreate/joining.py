"""`join`: rows of two SFrames that agree in key columns."""

import numpy as np

from .columns import concatenate
from .infer import column_from_values
from .selection import key_of

_KINDS = ("inner", "left", "right", "outer")


def join(left, right, on, how, alter_name):
    """Return the columns of a join.

    Rows come in the order of `left`, and for one of its rows in the order of `right`;
    rows of `right` alone come last.
    """
    if how not in _KINDS:
        raise ValueError("Invalid join type")
    keys = _keys(left, right, on)
    for one, other in keys.items():
        if left._column_data(one).dtype is not right._column_data(other).dtype:
            raise RuntimeError(
                f"Columns {one} and {other} do not have the same type in both SFrames."
            )
    rows = _matches(
        [left._column_data(key) for key in keys],
        [right._column_data(key) for key in keys.values()],
        how,
    )
    result = {name: _take(left._column_data(name), rows[0]) for name in left.column_names()}
    for one, other in keys.items():
        result[one] = _first_present(
            result[one], _take(right._column_data(other), rows[1]), rows[0]
        )
    for name in right.column_names():
        if name not in keys.values():
            own_name = _new_name((alter_name or {}).get(name, name), result)
            result[own_name] = _take(right._column_data(name), rows[1])
    return result


def _keys(left, right, on):
    if on is None:
        on = [name for name in left.column_names() if name in right.column_names()]
    if isinstance(on, str):
        on = [on]
    keys = dict(on) if isinstance(on, dict) else {name: name for name in on}
    for frame, names in ((left, keys), (right, keys.values())):
        for name in names:
            frame._column_data(name)
    return keys


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
    empty = column_from_values([None], column.dtype)
    return concatenate([column, empty]).take(np.where(gone, len(column), rows))


def _first_present(left, right, rows):
    """Return the key column of the left side, of the right one where the left has no row."""
    if not (rows < 0).any():
        return left
    both = concatenate([left, right])
    own = np.arange(len(rows))
    return both.take(np.where(rows < 0, own + len(rows), own))


def _new_name(name, taken):
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}.{number}"
    return candidate
