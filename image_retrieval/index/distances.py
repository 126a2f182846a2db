"""Exact distances between pairs of vectors, in float64, in Turi Create's definitions."""

import numpy as np

from image_retrieval.index.validation import as_metric, as_vectors

_PAIRS = 256


def distances(X, Q, metric="euclidean"):
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
    squared = PairDistances(X, metric)(Q, queries, rows)
    return finish(squared, metric).reshape(len(Q), len(X))


class PairDistances:
    """Squared Euclidean distances of chosen pairs, of the unit vectors for the cosine.

    Differences are taken before squares, so that the distance of a vector to itself is
    0.0 and a large offset common to all vectors costs no digits.

    Parameters
    ----------
    X : ndarray of float32, shape (n, d)
    metric : str
    """

    def __init__(self, X, metric):
        self.X = X
        self.scale = _inverse_lengths(X) if metric == "cosine" else None

    def __call__(self, Q, queries, rows, dtype=np.float64):
        """Return the squared distances of `Q[queries[i]]` and `X[rows[i]]`.

        Computed in `dtype`: float32 is faster, and right to six digits.
        """
        scale = None if self.scale is None else _inverse_lengths(Q)
        result = np.empty(len(rows))
        for start in range(0, len(rows), _PAIRS):
            part = slice(start, start + _PAIRS)
            result[part] = self._part(Q, scale, queries[part], rows[part], dtype)
        return result

    def _part(self, Q, scale, queries, rows, dtype):
        x, q = self.X[rows], Q[queries]
        if scale is None:
            difference = np.subtract(x, q, dtype=dtype)
            return np.einsum("ij,ij->i", difference, difference)
        ours, theirs = (a[:, None].astype(dtype) for a in (self.scale[rows], scale[queries]))
        difference = x * ours - q * theirs
        squared = np.einsum("ij,ij->i", difference, difference)
        # Turi Create gives 1 to a vector without a direction; half of 2 is that 1.
        squared[(ours * theirs)[:, 0] == 0] = 2.0
        return squared


def _inverse_lengths(X):
    lengths = norms(X)
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def norms(X):
    """Return the Euclidean length of each row, float64, without a float64 copy of `X`."""
    result = np.empty(len(X))
    for start in range(0, len(X), _PAIRS):
        part = X[start : start + _PAIRS].astype(np.float64)
        result[start : start + _PAIRS] = np.sqrt(np.einsum("ij,ij->i", part, part))
    return result


def finish(squared, metric):
    """Turn the squared distances of `PairDistances` into distances of the metric."""
    if metric == "euclidean":
        return np.sqrt(squared)
    return squared if metric == "squared_euclidean" else squared / 2


def unfinish(distance, metric):
    """Turn a distance of the metric back into a squared distance of `PairDistances`."""
    if metric == "euclidean":
        return distance * distance
    return distance if metric == "squared_euclidean" else distance * 2
