"""Choosing rows of a table: the course's examples, a random few, and folds to validate with.

Rows may be sorted by label, so that the first ones stand for nothing: every choice is made at
random, with a seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.datasets.rows import origins, take_rows
from image_retrieval.errors import InputError
from image_retrieval.tables import column

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, Table

_CAT, _CAR = ("cat", 18), ("automobile", 8)


def example_rows(images: Table) -> tuple[int, int]:
    """Return the rows of the course's two examples, the cat and the car.

    Parameters
    ----------
    images : SFrame, pandas.DataFrame or dict of columns
        With a column `label`.

    Returns
    -------
    cat, car : int
        18 and 8, as in the original course, where these rows show a cat and an automobile.
        Elsewhere the first image with the label, and where there is no such label, the first
        image of the first label, or the second, in the alphabet.

    Examples
    --------
    >>> example_rows({"label": ["boat", "tree", "boat", "cat"]})
    (3, 0)
    """
    labels = [str(label) for label in column(images, "label")]
    if len(set(labels)) < 2:
        raise InputError("two examples need images of two labels at least; give such a table")
    cat = _example_row(labels, *_CAT, other=_CAR[0])
    return cat, _example_row(labels, *_CAR, other=labels[cat])


def _example_row(labels, label, row, other):
    if label not in labels:
        return labels.index(min(set(labels) - {other}))
    return row if labels[row : row + 1] == [label] else labels.index(label)


def choose(images: Table, n: int, seed: int = 0) -> Table:
    """Return some rows of a table, chosen at random, in the table's order.

    Parameters
    ----------
    images : SFrame
    n : int
        All rows are returned where there are not more.
    seed : int

    Returns
    -------
    SFrame
    """
    # RandomState's streams are frozen, those of default_rng may change with NumPy's version.
    return take_rows(images, sorted(np.random.RandomState(seed).permutation(len(images))[:n]))


def folds(images: Table, n: int = 5, seed: int = 0) -> Array:
    """Deal rows out to folds for cross-validation; those of one origin go to the same fold.

    Parameters
    ----------
    images : SFrame, pandas.DataFrame or dict of columns
    n : int
        Folds.
    seed : int

    Returns
    -------
    ndarray of int, shape (rows,)
        The fold of each row, from 0, as `sklearn.model_selection.PredefinedSplit` takes it.

    Examples
    --------
    >>> folds({"id": [1, 2, 3, 4], "origin": ["a", "b", "b", "a"]}, n=2).tolist()
    [1, 0, 0, 1]
    """
    _, shown = np.unique(np.asarray(origins(images)), return_inverse=True)
    return (np.random.RandomState(seed).permutation(shown.max() + 1) % n)[shown]
