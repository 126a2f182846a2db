"""What every table has in common: an SFrame, a pandas DataFrame and a dict of columns.

Turi Create is never imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Sequence

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Table

# What a query returns, in Turi Create's own schema.
NEIGHBOR_COLUMNS = ("query_label", "reference_label", "distance", "rank")


def is_table(value: object) -> bool:
    """Tell a table with named columns from pictures, arrays and sequences."""
    named = isinstance(value, dict) or hasattr(value, "columns")
    return named or callable(getattr(value, "column_names", None))


def column_names(table: Table) -> list[str]:
    """Return the names of a table's columns."""
    if callable(getattr(table, "column_names", None)):
        return list(table.column_names())
    return [str(name) for name in table]


def column(table: Table, name: str, what: str | None = None) -> Any:
    """Return one column, as the table holds it.

    Parameters
    ----------
    table : SFrame, pandas.DataFrame or dict of columns
    name : str
    what : str, optional
        What to call the table in an error message.

    Raises
    ------
    InputError
        When there is no such column; it names those there are.

    Examples
    --------
    >>> column({"id": [5, 6]}, "id")
    [5, 6]
    """
    there = column_names(table)
    if name not in there:
        problem = f"there is no column {name!r}" + (f" in {what}" if what else "")
        raise InputError(f"{problem}; there are {', '.join(there) or 'none'}")
    return table[name]


def neighbor_columns(neighbors: Table, names: Sequence[str] = NEIGHBOR_COLUMNS) -> list[Any]:
    """Return columns of the table that a query returned.

    Raises
    ------
    InputError
        When it is no such table, or has no rows.
    """
    if not is_table(neighbors):
        problem = "neighbors must be a table as a model's query returns it, got "
        found = type(neighbors).__name__
        raise InputError(f"{problem}{found}; pass the result of model.query(...)")
    columns = [column(neighbors, name, "neighbors") for name in names]
    if not len(columns[0]):
        raise InputError("neighbors has no rows; query images, with k of 1 or more and no radius")
    return columns


def extractions_of(table: Table) -> Mapping[str, Any]:
    """Return what a table knows of how its feature columns were made.

    Parameters
    ----------
    table : SFrame, pandas.DataFrame or dict of columns

    Returns
    -------
    dict of str to extraction
        By column; empty for a table that knows nothing, see `sframes.with_extractions`.
    """
    known = getattr(table, "extractions", None)
    return dict(known) if isinstance(known, dict) else {}
