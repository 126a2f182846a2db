"""Choosing rows: of one label as many as of another, in parts, in any order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Iterable, Mapping

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.tables import column_names

if TYPE_CHECKING:
    from image_retrieval.signatures import Table, Values


def take_rows(sframe: Table, rows: Iterable[int]) -> Table:
    """Return these rows of an SFrame, in this order.

    Parameters
    ----------
    sframe : turicreate.SFrame
    rows : iterable of int
        Each at most once.
    """
    import turicreate as tc

    place = {int(row): position for position, row in enumerate(rows)}
    chosen = sframe[tc.SArray([int(row in place) for row in range(len(sframe))])]
    places = [place[row] for row in sorted(place)]
    if places == sorted(places):
        return chosen
    chosen = chosen.add_column(tc.SArray(places), "_place").sort("_place")
    return chosen.remove_column("_place")


def origins(table: Table) -> list[str]:
    """Return what each row of a table of images was made from, as a list of str.

    Rows of one photograph or drawing are not independent of each other. Where the table has
    no column `origin`, each row is taken for a photograph of its own, called by its id.
    """
    there = "origin" in column_names(table)
    return list(table["origin"]) if there else [str(value) for value in table["id"]]


def choose_rows(
    labels: Values,
    count: int,
    seed: int,
    name: str = "count",
    fixed: Mapping[int, str] | None = None,
) -> list[int]:
    """Choose rows at random, the same number of each label as far as possible.

    The rows come in ascending order, which is CIFAR-10's own and mixes the labels. For each
    place in `fixed`, the row there changes places with the next one of the label wanted.

    Parameters
    ----------
    labels : sequence of str
    count : int
        Number of rows to choose.
    seed : int
    name : str
        How an error message calls `count`.
    fixed : dict of int to str, optional
        Labels that places in the result must have.

    Returns
    -------
    list of int

    Raises
    ------
    InputError
        When there are not so many rows, or too few for the fixed places.

    Examples
    --------
    >>> choose_rows(["cat", "dog", "cat", "cat"], 2, seed=0)
    [1, 3]
    """
    labels = np.asarray(labels)
    least = max(fixed) + 1 if fixed else 1
    if not least <= count <= len(labels):
        there = f"{len(labels):,} {name} images of {', '.join(sorted(set(labels)))}"
        way_out = f"choose {least} to {len(labels):,}"
        raise InputError(f"{name}={count} is not possible: there are {there}; {way_out}")
    rows = sorted(_even_choice(labels, count, seed))
    fixed = fixed or {}
    for place, label in fixed.items():
        _put_label(rows, labels, place, label, set(fixed) - {place})
    return rows


def _even_choice(labels, count, seed):
    # RandomState's streams are frozen, those of default_rng may change with NumPy's version.
    random = np.random.RandomState(seed)
    shuffled = [random.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    ranked = [(rank, row) for rows in shuffled for rank, row in enumerate(rows.tolist())]
    # A stable sort by rank deals the labels out in turn; a label that runs out is passed over.
    return [row for _, row in sorted(ranked, key=lambda pair: pair[0])[:count]]


def _put_label(rows, labels, place, label, taken):
    later = [*range(place, len(rows)), *range(place)]
    found = next((i for i in later if labels[rows[i]] == label and i not in taken), None)
    if found is None:
        raise InputError(f"there is no image of {label!r} for row {place}; choose more rows")
    rows[place], rows[found] = rows[found], rows[place]


def split_rows(
    labels: Values, test_size: float = 0.3, seed: int = 42, origins: Values | None = None
) -> tuple[list[int], list[int]]:
    """Split rows at random, each label in the same proportion.

    Parameters
    ----------
    labels : sequence of n str
    test_size : float
        Share of the rows for the second part, between 0 and 1.
    seed : int
    origins : sequence of n str, optional
        Rows of one origin stay together: the share is then one of the origins.

    Returns
    -------
    train, test : list of int
        Row numbers, ascending.

    Raises
    ------
    InputError
        When a label has a single picture, or the share leaves a part without some label.

    Examples
    --------
    >>> train, test = split_rows(["cat"] * 10 + ["dog"] * 10)
    >>> len(train), len(test)
    (14, 6)
    """
    from sklearn.model_selection import train_test_split

    origins = range(len(labels)) if origins is None else origins
    strata = _strata(origins, labels)
    try:
        how = {"test_size": test_size, "random_state": seed, "stratify": list(strata.values())}
        test = train_test_split(list(strata), **how)[1]
    except ValueError as error:
        few, count = min(Counter(strata.values()).items(), key=lambda item: item[1])
        problem = f"{len(labels)} pictures cannot be split with test_size={test_size} ({error})"
        way_out = f"{str(few)!r} has {count}: add pictures, or choose another share between 0 and 1"
        raise InputError(f"{problem}; {way_out}") from None
    in_test = np.isin(origins, test)
    return np.flatnonzero(~in_test).tolist(), np.flatnonzero(in_test).tolist()


def _strata(origins, labels):
    """Return the label that each origin counts for."""
    labels_of: dict[Any, set[Any]] = {}
    first: dict[Any, Any] = {}
    for origin, label in zip(origins, labels):
        labels_of.setdefault(origin, set()).add(label)
    # Labels that share origins, such as faces and their close crops, count as one. So does an
    # origin that only one of them has, because a file of the other could not be read.
    for group in labels_of.values():
        first.update({label: min({*group, first.get(label, label)}) for label in group})
    return {origin: first[min(group)] for origin, group in labels_of.items()}
