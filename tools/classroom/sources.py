"""What the source of a cell says without being run."""

import ast


def with_receipt(source, receipt):
    """Return the source of a cell of tests that, at its end, raises `receipt`.

    Parameters
    ----------
    source : str
        The tests. A value at their end is partial credit; it comes after the receipt.
    receipt : str
        Letters and digits.

    Returns
    -------
    str
        The source of a cell that always fails, with an AssertionError that begins with the
        receipt when the tests pass.

    Examples
    --------
    >>> print(with_receipt("assert found == 3", "a1"))
    assert found == 3
    assert not 'a1', 'a1'
    >>> print(with_receipt("2 * right", "a1"))
    assert not 'a1', 'a1' + str((2 * right))
    """
    last = (_statements(source) or [None])[-1]
    if not isinstance(last, ast.Expr):
        return f"{source}\nassert not {receipt!r}, {receipt!r}"
    value = ast.get_source_segment(source, last)
    before = "".join(source.splitlines(keepends=True)[: last.lineno - 1])
    return f"{before}assert not {receipt!r}, {receipt!r} + str(({value}))"


def bound_names(source):
    """Return the names that a cell gives to functions, classes and what it imports.

    Examples
    --------
    >>> bound_names("import numpy as np" + chr(10) + "def check(x): pass")
    ['np', 'check']
    """
    names = []
    for statement in _statements(source):
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.append(statement.name)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            names += [each.asname or each.name.split(".")[0] for each in statement.names]
    return names


def imported_modules(notebook):
    """Return the modules that the cells of a notebook import which are the course's own.

    A name imported from a module counts as one of its modules; only trying tells.
    """
    modules = set()
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("locked"):
            for statement in _statements(cell.source):
                modules.update(_modules(statement))
    return sorted(modules)


def _modules(statement):
    if isinstance(statement, ast.Import):
        return [each.name for each in statement.names]
    if isinstance(statement, ast.ImportFrom) and statement.module:
        inner = [f"{statement.module}.{each.name}" for each in statement.names]
        return [statement.module, *inner]
    return []


def _statements(source):
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):
        # It has magics, or is no Python at all.
        return []
