"""Ruling rows out by their first principal components, before the full product.

An orthogonal rotation keeps distances, so the distance over the first p rotated dimensions,
with the difference of what is left of both lengths, is at most the whole distance. Rows for
which it exceeds a distance already found need no full product: all but four in a thousand of
20,000 features of images. `python -m tools.bench.pruning` measures what that gains.
"""

import math

import numpy as np

from image_retrieval.index.components import principal_axes
from image_retrieval.index.distances import norms
from image_retrieval.index.parallel import in_parallel
from image_retrieval.index.selection import lowest

DIMENSIONS = (64, 128, 192, 256, 384, 512)
_SAMPLE = 2000  # rows that the principal axes are computed from
_TRIALS = 64  # rows that serve as queries when the number of dimensions is chosen
_TRIED_ROWS = 50_000  # at most, among which they search
_NEIGHBORS = 10  # for each of them
# In units of a full product with n rows: each part of the rows that is not ruled out costs
# `_ROW_COST` times that part, and what must be done whatever is ruled out `_LEAST` + `_CALLS` / n.
_ROW_COST, _LEAST, _CALLS, _WORTH = 20.0, 0.1, 4000.0, 1.0
_SPARE = 16  # rows looked at beyond k before the others are ruled out
_BLOCK = 1024
_UNIT = 2.0**-24  # float32: half the distance from 1 to the next number
# Coordinates are computed in float64 and rounded once, but the length that is left is the root
# of a difference of squares: 1e-6 of a vector's length, 17 units, may be lost there. With
# (‖z‖ + ‖y‖)² ≤ 2 ‖z‖² + 2 ‖y‖² that makes 76 units of each squared length, and 38 more as the
# squared lengths themselves are taken before the rounding. The rest is spare.
_ROUNDINGS = 192 * _UNIT
_TINY = 2.0**-100  # products that underflow


class Pruning:
    """Rows in the space of their first principal components.

    Parameters
    ----------
    bounds : LowerBounds
        Of the rows.
    dimensions : sequence of int, optional
        Numbers of components to choose from, `DIMENSIONS` by default.
    most : float, optional
        What a search may cost at most, in full products, to be worth it; 1 by default.

    Attributes
    ----------
    dimensions : int
        The number chosen, or 0 where ruling rows out does not pay.
    """

    def __init__(self, bounds, dimensions=None, most=None):
        self.dimensions = 0
        n, d = bounds.Z.shape
        choice = [p for p in sorted(dimensions or DIMENSIONS) if p <= d // 2]
        if not choice or not n:
            return
        self._center, axes = principal_axes(bounds.Z, _SAMPLE)
        self._axes = np.ascontiguousarray(axes[:, : choice[-1]])
        squares = np.square(norms(bounds.Z))
        rows, rests, lengths = self._coordinates(bounds.Z, choice)
        rows[:, 0] = lengths - 2 * self._slack(lengths, squares)
        costs = self._costs(bounds, choice, (rows, rests, lengths), squares)
        best = int(np.argmin(costs))
        if costs[best] <= (_WORTH if most is None else most):
            self.dimensions = choice[best]
            self._axes = np.ascontiguousarray(axes[:, : self.dimensions])
            rows[:, 1] = rests[:, best]
            self._rows = np.ascontiguousarray(rows[:, : self.dimensions + 2])

    def of_queries(self, Y):
        """Return what gives the bounds of rows for queries in the space of `LowerBounds.Z`."""
        queries, rests, lengths = self._coordinates(Y, [self.dimensions])
        extra = self._slack(lengths, np.square(norms(Y))) - lengths
        return _QueryPruning(self._rows, _factors(queries, rests[:, 0]), extra)

    def _coordinates(self, Z, choice):
        """Return coordinates after two empty columns, and lengths.

        Returns
        -------
        ndarray of float32, shape (n, 2 + p)
        ndarray of float32, shape (n, len(choice))
            The lengths left after each number of dimensions.
        ndarray of float64, shape (n,)
            Squared lengths less the center.
        """
        n, p = len(Z), self._axes.shape[1]
        rows = np.zeros((n, 2 + p), dtype=np.float32)
        rests, lengths = np.empty((n, len(choice)), dtype=np.float32), np.empty(n)

        def fill(start):
            part = slice(start, start + _BLOCK)
            centered = Z[part].astype(np.float64) - self._center
            lengths[part] = np.einsum("ij,ij->i", centered, centered)
            found = centered @ self._axes
            rows[part, 2:] = found
            for at, p in enumerate(choice):
                left = lengths[part] - np.einsum("ij,ij->i", found[:, :p], found[:, :p])
                rests[part, at] = np.sqrt(np.maximum(left, 0))

        in_parallel(fill, range(0, n, _BLOCK))
        return rows, rests, lengths

    def _slack(self, lengths, squares):
        """Return by how much rounding may raise a bound, for rows half of it."""
        terms = (self._axes.shape[1] + 2) * _UNIT
        return (terms / (1 - terms) + _ROUNDINGS) * np.maximum(lengths, squares) + _TINY

    def _costs(self, bounds, choice, coordinates, squares):
        """Return what a search costs with each number of dimensions, in full products."""
        rows, rests, lengths = coordinates
        trials = np.linspace(0, len(rows) - 1, _TRIALS).astype(int)
        sample = slice(None, None, math.ceil(len(rows) / _TRIED_ROWS))
        whole = bounds.of_queries(bounds.Z[trials]).bounds(sample)
        k = min(_NEIGHBORS, whole.shape[1] - 1)
        limits = np.partition(whole, k, axis=1)[:, k] + squares[trials]
        costs = []
        for at, p in enumerate(choice):
            rows[:, 1] = rests[:, at]
            queries = _factors(rows[trials, : p + 2], rests[trials, at])
            left = queries @ rows[sample, : p + 2].T <= (limits - lengths[trials])[:, None]
            product = p / bounds.Z.shape[1]
            costs.append(product + _ROW_COST * left.mean() + _LEAST + _CALLS / len(rows))
        return costs


def _factors(queries, rests):
    """Return queries so that a product with a row is ‖z‖² - 2 y·z."""
    queries = np.float32(-2) * queries
    queries[:, 0], queries[:, 1] = 1, -2 * rests
    return queries


class _QueryPruning:
    def __init__(self, rows, queries, extra):
        self._rows, self._queries, self._extra = rows, queries, extra
        self._memory = np.empty(0, dtype=np.float32)

    def bounds(self, part):
        """Return lower bounds of ‖z − y‖² for the rows `part`, less a number for each query.

        float32, (q, rows); the next call writes over them.
        """
        rows = self._rows[part]
        size = len(self._queries) * len(rows)
        if self._memory.size < size:
            self._memory = np.empty(size, dtype=np.float32)
        bounds = self._memory[:size].reshape(len(self._queries), len(rows))
        return np.matmul(self._queries, rows.T, out=bounds)

    def limits(self, squared):
        """Return what bounds of rows at most so far away cannot exceed, float32 (q,)."""
        limits = (squared + self._extra).astype(np.float32)
        return np.nextafter(limits, np.float32(np.inf))


class PrunedSearch:
    """The k nearest of all rows, for queries that bounds can be used for.

    Parameters
    ----------
    pruning : Pruning
    bounds : LowerBounds
    exactly : PairDistances
    k : int
    """

    def __init__(self, pruning, bounds, exactly, k):
        self.pruning, self.full, self.exactly, self.k = pruning, bounds, exactly, k

    def __call__(self, Q, Y, lengths, blocks):
        """Return rows and squared distances, (q, k), nearest first.

        Parameters
        ----------
        Q, Y : ndarray of float32, shape (q, d)
            Queries, and the same in the space of the bounds.
        lengths : ndarray of float64, shape (q,)
            Squared lengths of `Y`.
        blocks : iterable of slice
            Of all rows; the first of more than k.
        """
        pruned, full = self.pruning.of_queries(Y), self.full.of_queries(Y)
        near = _Near(full, full.widest(slice(None)), len(Q), self.k)
        for part in blocks:
            bounds = pruned.bounds(part)
            if near.empty:
                self._start(near, bounds)
            limits = pruned.limits(near.limits + lengths)
            # In one dimension numpy finds the few among many several times faster than in two.
            places = np.flatnonzero(bounds <= limits[:, None])
            queries, columns = np.divmod(places, bounds.shape[1])
            near.take(queries, columns + part.start)
        return self._nearest(Q, *near.pairs())

    def _start(self, near, bounds):
        """Look at the rows with the lowest bounds first: near rows rule out most others."""
        _, columns = lowest(bounds, min(self.k + _SPARE, bounds.shape[1]))
        near.take(np.repeat(np.arange(len(columns)), columns.shape[1]), columns.reshape(-1))
        np.put_along_axis(bounds, columns, np.float32(np.inf), axis=1)

    def _nearest(self, Q, queries, rows):
        squared = self.exactly(Q, queries, rows)
        order = np.lexsort((rows, squared, queries))
        first = np.searchsorted(queries, np.arange(len(Q)))
        chosen = order[first[:, None] + np.arange(self.k)]
        return rows[chosen], squared[chosen]


class _Near:
    """The rows that may be among the k nearest of each query, by their full bounds."""

    def __init__(self, full, widest, q, k):
        self._full, self._widest, self._k = full, widest, k
        self._rows, self._lower = [[]] * q, [[]] * q
        self.limits = np.full(q, np.inf)
        self.empty = True

    def take(self, queries, rows):
        """Measure pairs, sorted by query, and keep those that may be among the nearest."""
        self.empty = False
        ends = np.searchsorted(queries, np.arange(len(self.limits) + 1))
        for query in np.flatnonzero(np.diff(ends)):
            found = rows[ends[query] : ends[query + 1]]
            self._keep(query, found, self._full.pairs(query, found))

    def _keep(self, query, rows, lower):
        if len(self._rows[query]):
            rows = np.concatenate([self._rows[query], rows])
            lower = np.concatenate([self._lower[query], lower])
        if len(rows) >= self._k:
            # The k rows with the lowest bounds are no farther than this.
            limit = np.partition(lower, self._k - 1)[self._k - 1] + self._widest
            kept = lower <= limit
            rows, lower = rows[kept], lower[kept]
            self.limits[query] = limit
        self._rows[query], self._lower[query] = rows, lower

    def pairs(self):
        """Return the queries and the rows that are left, sorted by query."""
        counts = [len(rows) for rows in self._rows]
        return np.repeat(np.arange(len(counts)), counts), np.concatenate(self._rows)
