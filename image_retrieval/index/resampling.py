"""More vectors than there are images, to see what a search costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.index.validation import as_labels, as_vectors

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Values


def resample(X: ArrayLike, labels: Values, n: int, seed: int = 0) -> Array:
    """Return `n` new vectors that lie among the old ones as those lie among themselves.

    Each is an old vector, moved by half the difference of two others of its label, and
    never negative, as features after a ReLU are. Clusters and distances to the nearest
    neighbor stay close to those of the old ones.

    Parameters
    ----------
    X : array of numbers, shape (m, d)
        Not negative, m at least 1.
    labels : sequence of m str
    n : int
    seed : int

    Returns
    -------
    ndarray of float32, shape (n, d)

    Examples
    --------
    >>> resample([[0, 1], [2, 1]], ["cat", "cat"], 5).shape
    (5, 2)
    """
    X = as_vectors(X)
    if not len(X):
        raise InputError("there are no vectors to resample; give at least one")
    labels = as_labels(labels, len(X))
    rng = np.random.default_rng(seed)
    start = rng.integers(0, len(X), n)
    result = X[start]
    for label in np.unique(labels):
        same, chosen = np.flatnonzero(labels == label), np.flatnonzero(labels[start] == label)
        first, second = rng.choice(same, (2, len(chosen)))
        result[chosen] += (X[first] - X[second]) / 2
    return np.maximum(result, 0, out=result)
