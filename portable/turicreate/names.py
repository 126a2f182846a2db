"""Names of new columns."""


def free_name(name, taken):
    """Return a name that is not taken, with .1, .2, ... added if needed.

    >>> free_name("a", ["a", "a.1"])
    'a.2'
    """
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}.{number}"
    return candidate


def free_names(names, taken):
    """Return names with .1 added to all of them until none is taken."""
    while set(names) & set(taken):
        names = [f"{name}.1" for name in names]
    return names


def number_name(columns):
    """Return the name of a new column that has none: X and its place, with .1 if that is taken.

    >>> number_name(["a", "X3"])
    'X3.1'
    """
    return free_name(f"X{len(columns) + 1}", columns)


def need(columns, names):
    """Return names as a list, or refuse those of no column."""
    for name in names:
        if name not in columns:
            raise RuntimeError(f"Column {name} does not exist")
    return list(names)


def chosen(columns, keys):
    """Return some columns of a table, by name or by type."""
    if isinstance(keys, str) or not hasattr(keys, "__iter__"):
        raise TypeError("column_names must be an iterable")
    keys = list(keys)
    if not all(isinstance(key, (str, type)) for key in keys):
        raise TypeError("Invalid key type: must be str, unicode, bytes or type")
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"There are duplicate keys in key list: {key!r}")
    found = need(columns, [key for key in keys if isinstance(key, str)])
    # As in Turi Create, types come in the order of the columns, after names.
    typed = [name for name, column in columns.items() if column.dtype in keys]
    found += [name for name in typed if name not in found]
    return {name: columns[name] for name in found}


def without(columns, names):
    """Return a table without some columns."""
    names = list(names)
    for name in names:
        if name not in columns:
            raise KeyError(f"Cannot find column {name}")
    return {name: column for name, column in columns.items() if name not in names}


def swapped(columns, one, other):
    """Return a table in which two columns have changed places."""
    need(columns, [one, other])
    places = {one: other, other: one}
    return {places.get(name, name): columns[places.get(name, name)] for name in columns}


def renamed(columns, new_names):
    """Return a table whose columns have other names, given as {old name: new name}."""
    if not isinstance(new_names, dict):
        raise TypeError("names must be a dictionary: oldname -> newname")
    for name in new_names:
        if name not in columns:
            raise ValueError(f"Cannot find column {name} in the SFrame")
    new = [new_names.get(name, name) for name in columns]
    if len(set(new)) != len(new):
        raise RuntimeError("Two columns would have the same name")
    return dict(zip(new, columns.values()))
