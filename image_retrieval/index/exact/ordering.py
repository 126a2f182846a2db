"""Putting all rows in order at about the cost of a product and a sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.index.distances import finish, inverse, norms, unfinish
from image_retrieval.index.products import product

if TYPE_CHECKING:
    from image_retrieval.index.distances import PairDistances
    from image_retrieval.signatures import Array

_UNIT = 2.0**-53  # float64: half the distance from 1 to the next number
_DIGITS = 1e-9  # the part that a squared distance may be off by
_BLOCK = 1024
_ARRAYS = 32  # bytes of all arrays together, a pair


class Ordering:
    """Squared distances by one float64 product; those in doubt are measured from differences.

    With z a row and y a query, less the mean row, the product gives ‖z − y‖² to within
    e = 2 (d + 8) u (‖z‖ + ‖y‖)² (N. J. Higham, Accuracy and Stability of Numerical Algorithms,
    2nd edition, section 3.1; twice, as what is measured is off by no more). Rows
    that follow each other by 2 e or less may be in the wrong order, and a value below 10⁹ e has
    lost digits: these are measured.

    Parameters
    ----------
    exactly : PairDistances
    rows : ndarray of int, sorted, or None
        The rows to put in order, all for None.
    k : int
        How many to return.
    block_bytes : int
        Memory for one block of queries, a core.
    radius : float, optional
        Rows about so far away are measured, too, as they may be within it or not.
    """

    def __init__(
        self,
        exactly: PairDistances,
        rows: Array | None,
        k: int,
        block_bytes: int,
        radius: float | None = None,
    ) -> None:
        self._exactly, self._k = exactly, k
        self._edge = np.inf if radius is None else unfinish(radius, exactly.metric)
        self._rows = np.arange(len(exactly.X)) if rows is None else rows
        self._size = max(1, block_bytes // (_ARRAYS * len(self._rows)))
        # Unit vectors are as short as they can be, and to move them would cost digits.
        cosine = exactly.metric == "cosine"
        self._center = 0.0 if cosine else exactly.X[self._rows].mean(axis=0, dtype=np.float64)

    def __call__(self, Q: Array) -> tuple[Array, ...]:
        """Return rows and distances, (q, k)."""
        parts = [Q[start : start + self._size] for start in range(0, len(Q), self._size)]
        return tuple(np.concatenate(arrays) for arrays in zip(*map(self._ordered, parts)))

    def _ordered(self, Q):
        squared, error = self._product(Q)
        order = np.argsort(squared, axis=1)
        squared = np.take_along_axis(squared, order, axis=1)
        distances = finish(squared, self._exactly.metric)
        queries, places = np.nonzero(self._doubtful(squared, error))
        rows = self._rows[order[queries, places]]
        distances[queries, places] = self._exactly.distances(Q, queries, rows)
        again = np.unique(queries)
        better = np.lexsort((order[again], distances[again]))
        for array in (order, distances):
            array[again] = np.take_along_axis(array[again], better, axis=1)
        return self._rows[order[:, : self._k]], distances[:, : self._k]

    def _product(self, Q):
        """Return the squared distances and by how much each query's may be off, (q, 1)."""
        Y = self._in_float64(Q)
        query_norms, longest = norms(Y)[:, None], 0.0
        squared = np.empty((len(Q), len(self._rows)))
        for start in range(0, len(self._rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            Z = self._in_float64(self._exactly.X[self._rows[part]])
            squared_norms = np.einsum("ij,ij->i", Z, Z)
            squared[:, part] = squared_norms + np.square(query_norms) - 2 * product(Y, Z)
            longest = max(longest, squared_norms.max() ** 0.5)
            if self._exactly.metric == "cosine":
                squared[:, part][:, squared_norms == 0] = 2.0  # no direction, see PairDistances
        if self._exactly.metric == "cosine":
            squared[query_norms[:, 0] == 0] = 2.0
        error = 2 * (Q.shape[1] + 8) * _UNIT * np.square(query_norms + longest)
        return np.maximum(squared, 0, out=squared), error

    def _in_float64(self, X):
        X64 = X.astype(np.float64)
        if self._exactly.metric == "cosine":
            return X64 * inverse(norms(X))[:, None]
        return X64 - self._center

    def _doubtful(self, squared, error):
        """Tell which of the sorted squared distances must be measured."""
        result = squared <= error / _DIGITS
        close = np.diff(squared, axis=1) <= 2 * error
        result[:, 1:] |= close
        result[:, :-1] |= close
        return result | (np.abs(squared - self._edge) <= 2 * error)
