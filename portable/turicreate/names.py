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
