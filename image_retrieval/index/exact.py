"""Exact search at the speed of a matrix product, and faster once it has seen many queries."""

import math
import threading

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.hardware import cores
from image_retrieval.index.bounds import LowerBounds
from image_retrieval.index.distances import PairDistances, finish, unfinish
from image_retrieval.index.engine import MemoryEngine
from image_retrieval.index.parallel import in_parallel
from image_retrieval.index.pruning import PrunedSearch, Pruning
from image_retrieval.index.selection import lowest

_SPARE = 8  # rows kept beyond k, so that the (k + 1)th bound rarely needs a second look
_QUERIES = 512  # a thread's share of queries at a time
_FEWEST = 32  # with fewer queries a thread, BLAS divides the product better than we do
_PRUNED_ROWS = 10_000  # with fewer, the product is not what a search costs
_PRUNED_QUERIES = 64  # with fewer at once, reading the rows is
_PRUNED_NEIGHBORS = 100  # with more, too few rows are ruled out
# One for all engines: a lock of its own would keep an engine from being copied.
_LEARNING = threading.Lock()


class ExactEngine(MemoryEngine):
    """Brute force: the true nearest neighbors, proven for every query.

    One float32 matrix product in blocks gives each reference row a lower bound of its
    distance that rounding cannot break (`image_retrieval.index.bounds`). The rows with
    the lowest bounds are measured again in float64. If the k-th of those distances is
    below the bound of every other row, they are the nearest; if not, all rows whose bound
    does not exceed it are measured as well.

    After many queries on 10,000 rows or more, the rows' first principal components are computed,
    once. From then on they rule most rows out before the full product, for 64 queries or more
    at a time (`image_retrieval.index.pruning`); the neighbors are the same.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    block_mb : int
        Memory for one block of the product, in MiB a core.
    prune_after : int or None
        The number of such queries after which that begins; None for never.
    """

    name = "exact"

    def __init__(self, metric="euclidean", block_mb=32, prune_after=10_000):
        super().__init__(metric)
        if not isinstance(block_mb, int) or block_mb < 1:
            raise InputError(f"block_mb must be an integer of at least 1, got {block_mb!r}")
        if prune_after is not None and (not isinstance(prune_after, int) or prune_after < 0):
            raise InputError(
                f"prune_after must be an integer of at least 0, or None, got {prune_after!r}"
            )
        self.block_mb, self.prune_after = block_mb, prune_after

    def _options(self):
        options = {"metric": self.metric, "block_mb": self.block_mb}
        return {**options, "prune_after": self.prune_after}

    def _prepare(self):
        self._exactly = PairDistances(self._X, self.metric)
        self._bounds = LowerBounds(self._X, self.metric)
        self._pruning, self._asked = None, 0

    def _nearest(self, Q, k, radius, rows):
        n = self.n if rows is None else len(rows)
        if rows is not None and n == self.n:
            rows = None
        limit = np.inf if radius is None else unfinish(radius, self.metric) * (1 + 1e-12)
        search = _Search(self._exactly, self._bounds, rows, n, k, self.block_mb << 20)
        most = _QUERIES
        if rows is None and len(Q) >= _PRUNED_QUERIES and k <= _PRUNED_NEIGHBORS:
            search.pruning = self._pruning_after(len(Q))
        if search.pruning is not None:
            # All rows in one block rule each other out best.
            most = min(max(search.block_bytes // (4 * n), _PRUNED_QUERIES), _QUERIES // 2)
        share = _share(len(Q), most)
        parts = [Q[start : start + share] for start in range(0, len(Q), share)]
        answers = in_parallel(lambda part: search(part, limit), parts)
        places = np.concatenate([answer[0] for answer in answers])
        squared = np.concatenate([answer[1] for answer in answers])
        return places, finish(squared, self.metric)

    def _pruning_after(self, queries):
        """Return the principal components, or None while they would not pay."""
        if self.prune_after is None or self.n < _PRUNED_ROWS or not self._bounds.usable:
            return None
        with _LEARNING:
            if self._pruning is None and self._asked >= self.prune_after:
                self._pruning = Pruning(self._bounds)
            self._asked += queries
            return self._pruning if self._pruning and self._pruning.dimensions else None


def _share(queries, most):
    """Return how many queries a thread answers at a time, so that all threads end together."""
    workers = cores()
    parts = workers * math.ceil(queries / (most * workers))
    return max(_FEWEST, math.ceil(queries / parts))


class _Search:
    """One search for the k nearest of n rows, shared by the threads that answer it."""

    def __init__(self, exactly, bounds, rows, n, k, block_bytes):
        self.exactly, self.bounds, self.rows = exactly, bounds, rows
        self.n, self.k, self.block_bytes = n, k, block_bytes
        self.pruning = None

    def __call__(self, Q, limit):
        """Return rows (-1 for none) and squared distances, (q, k), no farther than `limit`."""
        Y, lengths, usable = self.bounds.queries(Q)
        places = np.empty((len(Q), self.k), dtype=np.int64)
        squared = np.empty((len(Q), self.k))
        limits = np.full(len(Q), limit)
        left = np.arange(len(Q))
        if self.pruning is not None and usable.any():
            left = np.flatnonzero(~usable)
            places[usable], squared[usable] = self._pruned(Q[usable], Y[usable], lengths[usable])
        elif self.k + _SPARE < self.n and usable.any():
            chosen = np.flatnonzero(usable)
            places[chosen], squared[chosen], proven = self._by_bounds(
                Q[chosen], Y[chosen], lengths[chosen]
            )
            limits[chosen] = squared[chosen, -1]
            left = np.setdiff1d(left, chosen[proven])
        for some in filter(len, (left[usable[left]], left[~usable[left]])):
            of = self.bounds.of_queries(Y[some]) if usable[some].all() else None
            places[some], squared[some] = self._measure(Q[some], of, limits[some], lengths[some])
        return places, squared

    def _pruned(self, Q, Y, lengths):
        search = PrunedSearch(self.pruning, self.bounds, self.exactly, self.k)
        return search(Q, Y, lengths, [part for _, part in self._blocks(len(Q))])

    def _by_bounds(self, Q, Y, lengths):
        """Measure the rows with the lowest bounds, and tell which queries that settles."""
        of = self.bounds.of_queries(Y)
        kept, places, widest = self._lowest_bounds(of, len(Q))
        highest = kept.max(axis=1)
        kth = np.partition(kept, self.k - 1, axis=1)[:, self.k - 1]
        queries, columns = np.nonzero(kept <= (kth + widest)[:, None])
        squared = np.full(kept.shape, np.inf)
        squared[queries, columns] = self.exactly(Q, queries, places[queries, columns])
        places, squared = _sorted(places, squared, self.k)
        # Strictly above: a row that ties with the k-th may come before it in order.
        return places, squared, highest > squared[:, -1] - lengths

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

    def _measure(self, Q, of, limits, lengths):
        """Measure every row, or with bounds `of` each that may be within its query's limit."""
        found = [[] for _ in Q]
        bounded = of is not None and np.isfinite(limits).all()
        for start, part in self._blocks(len(Q)):
            rows = np.arange(start, start + _length(part)) if self.rows is None else part
            may = of.bounds(part) <= (limits - lengths)[:, None] if bounded else None
            for query, q in enumerate(Q):
                near = rows if may is None else rows[may[query]]
                found[query].append((near, self.exactly(q[None], np.zeros_like(near), near)))
        return self._nearest_of(found)

    def _nearest_of(self, found):
        places = np.full((len(found), self.k), -1, dtype=np.int64)
        squared = np.full((len(found), self.k), np.inf)
        for query, parts in enumerate(found):
            rows, measured = (np.concatenate(arrays) for arrays in zip(*parts))
            order = np.lexsort((rows, measured))[: self.k]
            places[query, : len(order)] = rows[order]
            squared[query, : len(order)] = measured[order]
        return places, squared

    def _blocks(self, q):
        """Yield the start and the rows of each block, as a slice or an array of rows."""
        # Chosen rows are copied to be multiplied; the copy, too, must fit into a block.
        widest = q if self.rows is None else max(q, self.bounds.Z.shape[1])
        most = max(1024, self.block_bytes // (4 * widest))
        size = math.ceil(self.n / math.ceil(self.n / most))  # no short block at the end
        for start in range(0, self.n, size):
            stop = min(start + size, self.n)
            yield start, slice(start, stop) if self.rows is None else self.rows[start:stop]


def _length(part):
    return part.stop - part.start if isinstance(part, slice) else len(part)


def _sorted(places, squared, k):
    """Sort each row by distance, then by place, and keep the first `k`."""
    order = np.argsort(places, axis=1)
    places, squared = (np.take_along_axis(array, order, axis=1) for array in (places, squared))
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return tuple(np.take_along_axis(array, order, axis=1) for array in (places, squared))
