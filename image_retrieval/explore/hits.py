"""Who is the neighbor of whom: neighbors joined with the pictures and labels they name.

An SFrame, a pandas DataFrame and a dict of lists all serve as a table; Turi Create is
never imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb, as_rgb_list
from image_retrieval.tables import column, column_names, is_table, neighbor_columns

if TYPE_CHECKING:
    from image_retrieval.signatures import Table

SAME, OTHER, ITSELF, UNKNOWN = "yes", "no", "itself", "?"


@dataclass(frozen=True, eq=False)
class Item:
    """A picture with its id and label; what is not known is None."""

    id: Any = None
    pixels: Any = None
    label: Any = None


@dataclass(frozen=True, eq=False)
class Hit:
    """A neighbor; `match` is SAME or OTHER label, the query ITSELF, or UNKNOWN."""

    rank: int
    item: Item
    distance: float
    match: str


@dataclass(frozen=True, eq=False)
class Answer:
    """One query and its hits in rank order."""

    query_label: Any
    query: Item
    hits: list[Hit]


def answers(
    neighbors: Table,
    reference: Table,
    query: Any = None,
    k: int | None = None,
    query_by: str | None = None,
) -> list[Answer]:
    """Return one Answer a query, in the order of the neighbors; see `gallery`."""
    rows = _neighbor_rows(neighbors, k)
    found = _reference_items(reference, {row[1] for row in rows})
    queries = _query_items(query, {row[0] for row in rows}, query_by)
    result = {row[0]: Answer(row[0], queries[row[0]], []) for row in rows}
    for query_label, reference_label, distance, rank in sorted(rows, key=lambda row: row[3]):
        item, answer = found[reference_label], result[query_label]
        answer.hits.append(Hit(rank, item, distance, _match(answer.query, item)))
    return list(result.values())


def values_of(table: Table, name: str, what: str) -> list[Any]:
    """Return one column of a table as a list of plain values, see `tables.column`."""
    return [_plain(value) for value in column(table, name, what)]


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _neighbor_rows(neighbors, k):
    columns = neighbor_columns(neighbors)
    if k is not None and (isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1):
        raise InputError(f"k must be a whole number from 1, got {k!r}")
    rows = zip(*(map(_plain, values) for values in columns))
    return [row for row in rows if k is None or row[3] <= k]


def _reference_items(reference, wanted):
    """Return an Item for each wanted id, reading no other picture."""
    names = ["id", "image", "label"]
    columns = [column(reference, name, "reference") for name in names]
    ids = values_of(reference, "id", "reference")
    _check_ids(ids, wanted)
    if hasattr(reference, "filter_by"):
        rows = reference[names].filter_by(list(wanted), "id")
        columns = [rows[name] for name in names]
    else:
        columns = [compress(values, (value in wanted for value in ids)) for values in columns]
    items = (Item(_plain(key), as_rgb(image), label) for key, image, label in zip(*columns))
    return {item.id: item for item in items}


def _check_ids(ids, wanted):
    known = set(ids)
    if len(known) < len(ids):
        raise InputError("reference has an id twice; each row needs an id of its own")
    missing = sorted(wanted - known, key=str)
    if missing:
        which = f"{len(missing)} of the neighbors, the first {missing[0]!r}"
        way_out = "pass the table the model was created from, with label='id'"
        raise InputError(f"{which}, are not among the ids of the reference; {way_out}")


def _query_items(query, wanted, query_by):
    """Return an Item for each query label of the neighbors."""
    if query_by not in (None, "row", "id"):
        raise InputError(f"query_by must be 'row', 'id' or None, got {query_by!r}")
    if query is None:
        return {label: Item() for label in wanted}
    if not is_table(query):
        query = {"image": as_rgb_list(query)}
    images, there = list(column(query, "image", "query")), column_names(query)
    known = {name: values_of(query, name, "query") for name in there if name in ("id", "label")}
    ids, labels = (known.get(name, [None] * len(images)) for name in ("id", "label"))
    places = _query_places(ids, wanted, query_by).items()
    return {label: Item(ids[row], as_rgb(images[row]), labels[row]) for label, row in places}


def _query_places(ids, wanted, query_by):
    """Return the row of the query that each query label means: a row number or an id."""
    rows = {label: label for label in wanted if label in range(len(ids))}
    places = {value: row for row, value in enumerate(ids) if value is not None and value in wanted}
    ways = {None: [rows, places], "row": [rows], "id": [places]}[query_by]
    fits = [found for found in ways if len(found) == len(wanted)]
    if not fits:
        allowed = {"row": "row numbers", "id": "ids"}.get(query_by, "row numbers or ids")
        which = f"the query labels of the neighbors, the first {min(wanted, key=str)!r}"
        problem = f"{which}, are not {allowed} of the {len(ids)} query rows"
        raise InputError(f"{problem}; pass the rows that were queried")
    if len(fits) == 2 and rows != places:
        ask = "query_by='row' after model.query(rows), query_by='id' after query(rows, label='id')"
        problem = "the query labels can be row numbers of the query and ids in it"
        raise InputError(f"{problem}; say which: {ask}")
    return fits[0]


def _match(query, item):
    # Same id alone would not do: train and test rows are numbered separately.
    if query.id == item.id and np.array_equal(query.pixels, item.pixels):
        return ITSELF
    if query.label is None:
        return UNKNOWN
    return SAME if query.label == item.label else OTHER
