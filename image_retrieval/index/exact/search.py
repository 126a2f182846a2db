"""Exact search at the speed of a matrix product."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.hardware import cores
from image_retrieval.index.distances import PairDistances, unfinish
from image_retrieval.index.exact.bounds import LowerBounds
from image_retrieval.index.exact.cascade import Cascade
from image_retrieval.index.exact.ordering import Ordering
from image_retrieval.index.exact.selection import lowest
from image_retrieval.index.parallel import in_parallel

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

_SPARE = 8  # rows kept beyond k, so that the (k + 1)th bound rarely needs a second look
_QUERIES = 512  # a thread's share of queries at a time
_FEWEST = 32  # with fewer queries a thread, BLAS divides the product better than we do
_MEASURED_ROWS = 256  # so few are measured rather than put in order
_ORDERED_PART = 8  # with k of more than this part of the rows, all are put in order
_SINGLE = 2  # queries at once that the cascade answers sooner than a product does
_LEARN_AFTER = 400  # such searches, which then have taken as long as learning does
_LEARN_NUMBERS = 10_000_000  # n · d from which on a cascade is faster
_MOST_NEIGHBORS = 100  # with more, too few rows are ruled out
_ROUNDED = 1 + 1e-12  # squares of distances that are equal may differ by less
# One for all searches: a lock of its own would keep an engine from being copied.
_LEARNING = threading.Lock()


class ExactSearch:
    """The nearest rows of a matrix, proven for every query.

    One float32 matrix product in blocks gives each row a lower bound of its distance that
    rounding cannot break (`LowerBounds`). The rows with the lowest bounds are measured again
    in float64. If the k-th of those distances is below the bound of every other row, they are
    the nearest; if not, all rows whose bound does not exceed it are measured as well. One or
    two queries at a time go through a `Cascade` once it is learned, and a ranking of
    more than an eighth of the rows through an `Ordering`.

    Parameters
    ----------
    X : ndarray of float32, shape (n, d)
        Kept, not copied.
    metric : {"euclidean", "squared_euclidean", "cosine"}
    block_bytes : int
        Memory for one block of the product, a core.

    Attributes
    ----------
    bounds : LowerBounds
    cascade : Cascade or None
        None until it is learned, and where it does not pay.
    """

    def __init__(self, X: Array, metric: str = "euclidean", block_bytes: int = 32 << 20) -> None:
        self.bounds = LowerBounds(X, metric)
        self.cascade: Any = None
        self._exactly, self._block_bytes = PairDistances(X, metric), block_bytes
        self._singles: float = 0

    def nearest(
        self, Q: Array, k: int, rows: Array | None = None, radius: float | None = None
    ) -> tuple[Array, Array]:
        """Return the k nearest rows of each query and their distances.

        Parameters
        ----------
        Q : ndarray of float32, shape (q, d)
        k : int
            At least 1, and at most as many as rows are searched.
        rows : ndarray of int, sorted, optional
            Search only among these.
        radius : float, optional
            A distance to which others will be compared; all are returned, however far.

        Returns
        -------
        places : ndarray of int64, shape (q, k)
            Nearest first, equal distances in row order.
        distances : ndarray of float64, shape (q, k)
            Measured in float64 from differences, 0.0 for an equal row; where k is more than an
            eighth of more than 256 rows, right to a part in 10⁹.
        """
        n = len(self.bounds.Z)
        if rows is not None and len(rows) == n:
            rows = None
        if rows is None and len(Q) <= _SINGLE and self._has_learned(k):
            return _joined(self._by_cascade(q[None], k) for q in Q)
        return self._answer(Q, k, rows, radius)

    def learn(self) -> bool:
        """Learn the cascade now; return whether there is one."""
        with _LEARNING:
            if self.cascade is None:
                self.cascade = Cascade.learn(self.bounds)
            self._singles = math.inf
        return self.cascade is not None

    def _has_learned(self, k):
        n, d = self.bounds.Z.shape
        if n * d < _LEARN_NUMBERS or k > min(_MOST_NEIGHBORS, n // _ORDERED_PART):
            return False
        self._singles += 1
        if self.cascade is None and _LEARN_AFTER < self._singles < math.inf:
            self.learn()
        return self.cascade is not None

    def _by_cascade(self, q, k):
        Y, squared_norms, usable = self.bounds.queries(q)
        rows = self.cascade.candidates(Y[0], squared_norms[0], k) if usable[0] else None
        if rows is None:
            return self._answer(q, k, None)
        return self._exactly.nearest(q, rows[None], k)

    def _answer(self, Q, k, rows, radius=None):
        n = len(self.bounds.Z) if rows is None else len(rows)
        if n > _MEASURED_ROWS and k * _ORDERED_PART > n:
            search: Any = Ordering(self._exactly, rows, k, self._block_bytes, radius)
        else:
            search = _Search(self._exactly, self.bounds, rows, n, k, self._block_bytes)
        share = _share(len(Q))
        return _joined(in_parallel(search, [Q[i : i + share] for i in range(0, len(Q), share)]))


def _share(queries):
    """Return how many queries a thread answers at a time, so that all threads end together."""
    workers = cores()
    parts = workers * math.ceil(queries / (_QUERIES * workers))
    return max(_FEWEST, math.ceil(queries / parts))


def _joined(answers):
    return tuple(np.concatenate(arrays) for arrays in zip(*answers))


class _Search:
    """One search for the k nearest of n rows, shared by the threads that answer it."""

    def __init__(self, exactly, bounds, rows, n, k, block_bytes):
        self.exactly, self.bounds, self.rows = exactly, bounds, rows
        self.n, self.k, self.block_bytes = n, k, block_bytes

    def __call__(self, Q):
        """Return rows and distances, (q, k)."""
        Y, squared_norms, usable = self.bounds.queries(Q)
        answer = np.empty((len(Q), self.k), dtype=np.int64), np.empty((len(Q), self.k))
        left = np.ones(len(Q), dtype=bool)
        if self.k + _SPARE < self.n and usable.any():
            left[usable] = ~self._by_bounds(Q, Y, squared_norms, usable, answer)
            again = np.flatnonzero(left & usable)
            most = self._squared(answer[1][again, -1]) - squared_norms[again]
            for query, rows in zip(again, self._rows_within(Y[again], most)):
                self._measure(Q, query, rows, answer)
            left &= ~usable
        for query in np.flatnonzero(left):
            rows = np.arange(self.n) if self.rows is None else self.rows
            self._measure(Q, query, rows, answer)
        return answer

    def _squared(self, distances):
        return unfinish(distances, self.bounds.metric) * _ROUNDED

    def _measure(self, Q, query, rows, answer):
        for into, found in zip(answer, self.exactly.nearest(Q[query][None], rows[None], self.k)):
            into[query] = found[0]

    def _by_bounds(self, Q, Y, squared_norms, usable, answer):
        """Answer usable queries by the rows with the lowest bounds; tell which that settles."""
        Q, of = Q[usable], self.bounds.of_queries(Y[usable])
        kept, places, widest = self._lowest_bounds(of, len(Q))
        kth = np.partition(kept, self.k - 1, axis=1)[:, self.k - 1]
        highest = kept.max(axis=1)
        places[kept > (kth + widest)[:, None]] = -1
        places, distances = self.exactly.nearest(Q, places, self.k)
        answer[0][usable], answer[1][usable] = places, distances
        # Strictly above: a row that ties with the k-th may come before it in order.
        return highest > self._squared(distances[:, -1]) - squared_norms[usable]

    def _lowest_bounds(self, of, q):
        keep = self.k + _SPARE
        kept, places, widest = [], [], 0.0
        for start, part in self._blocks(q):
            bounds = of.bounds(part)
            values, columns = lowest(bounds, min(keep, bounds.shape[1]))
            kept.append(values)
            places.append(columns + start)
            widest = max(widest, of.widest(part))
        kept, places = np.concatenate(kept, axis=1), np.concatenate(places, axis=1)
        if kept.shape[1] > keep:
            kept, columns = lowest(kept, keep)
            places = np.take_along_axis(places, columns, axis=1)
        return kept, places if self.rows is None else self.rows[places], widest

    def _rows_within(self, Y, most):
        """Return for each query the rows whose bound is at most its `most`."""
        of = self.bounds.of_queries(Y)
        found: list[list[Any]] = [[] for _ in most]
        for start, part in self._blocks(max(1, len(most))):
            for rows, bounds, limit in zip(found, of.bounds(part), most):
                rows.append(np.flatnonzero(bounds <= limit) + start)
        found = map(np.concatenate, found)
        return found if self.rows is None else (self.rows[places] for places in found)

    def _blocks(self, q):
        """Yield the start and the rows of each block, as a slice or an array of rows."""
        # Chosen rows are copied to be multiplied; the copy, too, must fit into a block.
        widest = q if self.rows is None else max(q, self.bounds.Z.shape[1])
        most = max(1024, self.block_bytes // (4 * widest))
        size = math.ceil(self.n / math.ceil(self.n / most))  # no short block at the end
        for start in range(0, self.n, size):
            part = slice(start, start + size)
            yield start, part if self.rows is None else self.rows[part]
