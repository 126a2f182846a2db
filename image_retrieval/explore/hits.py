"""Who is the neighbor of whom: neighbors joined with the pictures and labels they name.

An SFrame, a pandas DataFrame and a dict of lists all serve as a table; Turi Create is
never imported.
"""

from collections import namedtuple

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb, as_rgb_list
from image_retrieval.sframes import column_names

NEIGHBOR_COLUMNS = ("query_label", "reference_label", "distance", "rank")
SAME, OTHER, ITSELF, UNKNOWN = "yes", "no", "itself", "?"

Item = namedtuple("Item", "id pixels label")
Item.__doc__ = "A picture with its id and label; what is not known is None."

Hit = namedtuple("Hit", "rank item distance match")
Hit.__doc__ = "A neighbor; `match` is SAME or OTHER label, the query ITSELF, or UNKNOWN."

Answer = namedtuple("Answer", "query_label query hits")
Answer.__doc__ = "One query (an Item) and its hits in rank order."


def answers(neighbors, reference, query=None, k=None, query_by=None):
    """Return one Answer a query, in the order of the neighbors; see `gallery`."""
    rows = _neighbor_rows(neighbors, k)
    found = _reference_items(reference, {row[1] for row in rows})
    queries = _query_items(query, {row[0] for row in rows}, query_by)
    grouped = {}
    for query_label, reference_label, distance, rank in rows:
        item, asked = found[reference_label], queries[query_label]
        hit = Hit(rank, item, distance, _match(asked, item))
        grouped.setdefault(query_label, []).append(hit)
    return [Answer(label, queries[label], hits) for label, hits in grouped.items()]


def table_columns(table, names, what, needed=()):
    """Return columns of a table as lists, by name; those of `names` it has.

    Raises
    ------
    InputError
        When a needed column is missing.
    """
    there = column_names(table)
    for name in needed:
        if name not in there:
            raise InputError(
                f"{what} has no column {name!r}; it has {', '.join(there) or 'none'}, "
                f"and needs {', '.join(needed)}"
            )
    return {name: [_plain(value) for value in table[name]] for name in names if name in there}


def is_table(value):
    """Tell a table with named columns from pictures."""
    return isinstance(value, dict) or hasattr(value, "columns") or hasattr(value, "column_names")


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _neighbor_rows(neighbors, k):
    if not is_table(neighbors):
        raise InputError(
            f"neighbors must be a table as a model's query returns it, "
            f"got {type(neighbors).__name__}; pass the result of model.query(...)"
        )
    if k is not None and (isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1):
        raise InputError(f"k must be a whole number from 1, got {k!r}")
    columns = table_columns(neighbors, NEIGHBOR_COLUMNS, "neighbors", NEIGHBOR_COLUMNS)
    rows = list(zip(*(columns[name] for name in NEIGHBOR_COLUMNS)))
    if not rows:
        raise InputError("neighbors has no rows; query with at least one image and k of 1 or more")
    order = {label: place for place, label in enumerate(dict.fromkeys(columns["query_label"]))}
    rows.sort(key=lambda row: (order[row[0]], row[3]))
    return [row for row in rows if k is None or row[3] <= k]


def _reference_items(reference, wanted):
    """Return an Item for each wanted id, reading no other picture."""
    needed = ("id", "image", "label")
    ids = table_columns(reference, ("id",), "reference", needed)["id"]
    _check_ids(ids, wanted)
    if hasattr(reference, "filter_by"):
        rows = reference[list(needed)].filter_by(list(wanted), "id")
        columns = [list(rows[name]) for name in needed]
    else:
        places = [place for place, value in enumerate(ids) if value in wanted]
        columns = [_take(reference[name], places) for name in needed]
    return {
        _plain(key): Item(_plain(key), as_rgb(image), label) for key, image, label in zip(*columns)
    }


def _check_ids(ids, wanted):
    known = set(ids)
    if len(known) < len(ids):
        raise InputError("reference has an id twice; each row needs an id of its own")
    missing = sorted(wanted - known, key=str)
    if missing:
        raise InputError(
            f"{len(missing)} of the neighbors, the first {missing[0]!r}, are not among the ids of "
            "the reference; pass the table the model was created from, with label='id'"
        )


def _take(column, places):
    column = list(column)
    return [column[place] for place in places]


def _query_items(query, wanted, query_by):
    """Return an Item for each query label of the neighbors."""
    if query_by not in (None, "row", "id"):
        raise InputError(f"query_by must be 'row', 'id' or None, got {query_by!r}")
    if query is None:
        return {label: Item(None, None, None) for label in wanted}
    columns = _query_columns(query)
    places = _query_places(columns["id"], wanted, query_by)
    return {
        label: Item(columns["id"][row], as_rgb(columns["image"][row]), columns["label"][row])
        for label, row in places.items()
    }


def _query_columns(query):
    """Return the lists `id`, `image` and `label` of the query rows, of None where unknown."""
    if is_table(query):
        columns = table_columns(query, ("id", "image", "label"), "query", ("image",))
    else:
        columns = {"image": as_rgb_list(query)}
    unknown = [None] * len(columns["image"])
    return {name: columns.get(name, unknown) for name in ("id", "image", "label")}


def _query_places(ids, wanted, query_by):
    """Return the row of the query that each query label means: a row number or an id."""
    rows = {label: label for label in wanted if label in range(len(ids))}
    places = {value: row for row, value in enumerate(ids) if value is not None and value in wanted}
    ways = {None: [rows, places], "row": [rows], "id": [places]}[query_by]
    fits = [found for found in ways if len(found) == len(wanted)]
    if not fits:
        allowed = {"row": "row numbers", "id": "ids"}.get(query_by, "row numbers or ids")
        raise InputError(
            f"the query labels of the neighbors, the first {min(wanted, key=str)!r}, are not "
            f"{allowed} of the {len(ids)} query rows; pass the rows that were queried"
        )
    if len(fits) == 2 and rows != places:
        raise InputError(
            "the query labels can be row numbers of the query and ids in it; say which: "
            "query_by='row' after model.query(rows), query_by='id' after query(rows, label='id')"
        )
    return fits[0]


def _match(query, item):
    if (
        query.pixels is not None
        and query.id == item.id
        and np.array_equal(query.pixels, item.pixels)
    ):
        # Same id alone would not do: train and test rows are numbered separately.
        return ITSELF
    if query.label is None:
        return UNKNOWN
    return SAME if query.label == item.label else OTHER
