"""Exact distances between pairs of vectors, in float64, in Turi Create's definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.index.validation import as_metric, as_vectors

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike

_PAIRS = 256
_PARALLEL = 1e-30  # of unit vectors: what their own rounding to float64 makes of equal ones


def distances(X: ArrayLike, Q: ArrayLike, metric: str = "euclidean") -> Array:
    """Return the distance from every row of `Q` to every row of `X`, computed in float64.

    The plain way, from differences: slow, exact, and what every engine is judged against.

    Parameters
    ----------
    X : array (n, d)
    Q : array (q, d)
    metric : {"euclidean", "squared_euclidean", "cosine"}
        The cosine distance is 1 - cos, and 1 where a vector is all zeros.

    Returns
    -------
    ndarray of float64, shape (q, n)

    Examples
    --------
    >>> distances([[0, 0], [3, 4]], [[0, 0]])
    array([[0., 5.]])
    """
    X = as_vectors(X)
    Q = as_vectors(Q, X.shape[1], "Q")
    as_metric(metric)
    rows = np.tile(np.arange(len(X)), len(Q))
    queries = np.repeat(np.arange(len(Q)), len(X))
    return PairDistances(X, metric).distances(Q, queries, rows).reshape(len(Q), len(X))


class PairDistances:
    """Squared Euclidean distances of chosen pairs, of the unit vectors for the cosine.

    Differences are taken before squares, so that the distance of a vector to itself is
    0.0 and a large offset common to all vectors costs no digits.

    Parameters
    ----------
    X : ndarray of float32, shape (n, d)
    metric : str
    """

    def __init__(self, X: Array, metric: str) -> None:
        self.X, self.metric = X, metric
        self.scale = inverse(norms(X)) if metric == "cosine" else None

    def distances(self, Q: Array, queries: Array, rows: Array) -> Array:
        """Return the distances of the same pairs as a call does, in the metric, float64."""
        return finish(self(Q, queries, rows), self.metric)

    def nearest(self, Q: Array, candidates: Array, k: int) -> tuple[Array, Array]:
        """Return the k nearest of each query's candidates and their distances.

        Parameters
        ----------
        Q : ndarray of float32, shape (q, d)
        candidates : ndarray of int, shape (q, c)
            Rows, -1 for none; c at least k.
        k : int

        Returns
        -------
        ndarray of int, shape (q, k)
            Equal distances in row order; -1 for none.
        ndarray of float64, shape (q, k)
            Infinite for none.
        """
        queries, columns = np.nonzero(candidates >= 0)
        found = np.full(candidates.shape, np.inf)
        found[queries, columns] = self.distances(Q, queries, candidates[queries, columns])
        order = np.lexsort((candidates, found))[:, :k]
        return tuple(np.take_along_axis(array, order, axis=1) for array in (candidates, found))

    def __call__(self, Q: Array, queries: Array, rows: Array) -> Array:
        """Return the squared distances of `Q[queries[i]]` and `X[rows[i]]`, float64."""
        scale = None if self.scale is None else inverse(norms(Q))
        result = np.empty(len(rows))
        for start in range(0, len(rows), _PAIRS):
            part = slice(start, start + _PAIRS)
            result[part] = self._part(Q, scale, queries[part], rows[part])
        return result

    def _part(self, Q, scale, queries, rows):
        x, q = self.X[rows], Q[queries]
        if scale is None:
            difference = np.subtract(x, q, dtype=np.float64)
            return np.einsum("ij,ij->i", difference, difference)
        ours, theirs = self.scale[rows, None], scale[queries, None]
        difference = x * ours - q * theirs
        squared = np.einsum("ij,ij->i", difference, difference)
        squared[squared < _PARALLEL] = 0.0
        # Turi Create gives 1 to a vector without a direction; half of 2 is that 1.
        squared[(ours * theirs)[:, 0] == 0] = 2.0
        return squared


def inverse(values: Array) -> Array:
    """Return 1 / value, and 0 for 0."""
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


def norms(X: Array) -> Array:
    """Return the Euclidean norm of each row, float64, without a float64 copy of `X`."""
    result = np.empty(len(X))
    for start in range(0, len(X), _PAIRS):
        part = X[start : start + _PAIRS].astype(np.float64)
        result[start : start + _PAIRS] = np.sqrt(np.einsum("ij,ij->i", part, part))
    return result


def finish(squared: Array, metric: str) -> Array:
    """Turn the squared distances of `PairDistances` into distances of the metric."""
    if metric == "euclidean":
        return np.sqrt(squared)
    return squared if metric == "squared_euclidean" else squared / 2


def unfinish(distance: float, metric: str) -> float:
    """Turn a distance of the metric back into a squared distance of `PairDistances`."""
    if metric == "euclidean":
        return distance * distance
    return distance if metric == "squared_euclidean" else distance * 2
