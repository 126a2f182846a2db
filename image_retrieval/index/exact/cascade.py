"""One query at a time: a few axes rule most rows out, so that few of them must be read.

An orthogonal rotation keeps distances. Over the first p principal axes, with what is left of
both norms as one coordinate more, the distance is at most the whole one. A search for one query
is bound by reading the rows, and of most rows this reads a seventh.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.index.components import principal_axes
from image_retrieval.index.distances import norms
from image_retrieval.index.exact.bounds import UNIT, gamma
from image_retrieval.index.exact.selection import lowest
from image_retrieval.index.parallel import in_parallel, row_products
from image_retrieval.index.storage import read_array

if TYPE_CHECKING:
    from pathlib import Path

    from image_retrieval.index.exact.bounds import LowerBounds
    from image_retrieval.signatures import Array

_FIRST, _ALL = (192, 0.15), (448, 0.35)  # axes of either step: at most, and of each dimension
_SAMPLE = 5000  # rows that the axes are computed from
_TRIALS, _NEIGHBORS = 16, 10  # rows that try it out, and for how many neighbors
_MOST = 0.3  # of the rows may be left by the first step; with more, one product is faster
_NEAR = 2  # rows for each of the k whose distances give the limit for the others
_BLOCK = 1024
# Coordinates are computed in float64 and rounded once, 2 units of a product. What is left of a
# norm is the root of a difference of squares: 1e-6 of the norm, 17 units, may be lost there. With
# (‖z‖ + ‖y‖)² ≤ 2 ‖z‖² + 2 ‖y‖² that makes 76 units of each squared norm, and 38 more as the
# squared norms are those of vectors that were rounded before. The rest is spare. A query's
# coordinates are computed in float32, from half as many bytes: see `_on_axes`.
_ROUNDINGS = 192 * UNIT
_TINY = 2.0**-100  # products that underflow


class Cascade:
    """Rows on their principal axes, for the bounds of two steps.

    Parameters
    ----------
    bounds : LowerBounds
        Of the same rows.
    center : ndarray of float64, shape (d,)
    axes : ndarray of float, shape (p, d)
        Kept in float32.
    first : ndarray of float32, shape (2 + s, n)
        Squared norms less their rounding, what s axes leave of the norms, s coordinates.
    further : ndarray of float32, shape (n, 2 + p − s)
        What s axes and what all axes leave of the norms, the further coordinates.
    """

    def __init__(
        self, bounds: LowerBounds, center: Array, axes: Array, first: Array, further: Array
    ) -> None:
        self._bounds, self._split = bounds, len(first) - 2
        self._arrays = center, axes.astype(np.float32, copy=False), first, further
        self._center, self._axes, self._first, self._further = self._arrays
        self._error = np.sqrt([self._split, len(axes)]) * gamma(axes.shape[1] + 4)
        self._part = 4 * gamma(len(axes) + 8) + _ROUNDINGS + self._error[1]

    @classmethod
    def learn(cls, bounds: LowerBounds) -> Cascade | None:
        """Return the cascade of the rows of `bounds`, or None where it does not pay."""
        shapes, n = _shapes(bounds), len(bounds.Z)
        if not bounds.usable or n < 2 * _NEIGHBORS or shapes["first"][0] < 3:
            return None
        center, axes = principal_axes(bounds.Z, _SAMPLE)
        axes = np.ascontiguousarray(axes[:, : shapes["basis"][0]].T)
        blank = (np.empty(shapes[name], dtype=np.float32) for name in ("first", "further"))
        cascade = cls(bounds, center, axes, *blank)
        fill = partial(cascade._fill, axes)
        in_parallel(fill, [slice(i, i + _BLOCK) for i in range(0, n, _BLOCK)])
        trials = bounds.Z[np.linspace(0, n - 1, _TRIALS).astype(int)]
        squared = np.square(norms(trials))
        failed = [cascade.candidates(*trial, _NEIGHBORS) is None for trial in zip(trials, squared)]
        return None if sum(failed) > 1 else cascade

    @classmethod
    def read(cls, folder: Path, bounds: LowerBounds) -> Cascade | None:
        """Return the cascade that `write` left there for the rows of `bounds`, if one is."""
        if not (folder / "basis.npy").exists():
            return None
        shapes = _shapes(bounds)
        return cls(bounds, *(read_array(folder, name, "f", shapes[name]) for name in shapes))

    def write(self, folder: Path) -> None:
        """Write the arrays into a folder."""
        for name, array in zip(_shapes(self._bounds), self._arrays):
            np.save(str(folder / f"{name}.npy"), array, allow_pickle=False)

    def candidates(self, y: Array, squared_norm: float, k: int) -> Array | None:
        """Return all rows that may be among the k nearest of `y`; None where they are too many.

        Parameters
        ----------
        y : ndarray of float32, shape (d,)
            A usable query in the space of `LowerBounds.Z`.
        squared_norm : float
            ‖y‖².
        k : int
        """
        squared, slack, rests, found = self._on_axes(y, squared_norm)
        first, further = self._factors(rests, found)
        bounds, whole = first @ self._first, self._bounds.of_queries(y[None], squared_norm**0.5)
        # From ‖z − y‖² − ‖y‖² to what the two steps bound.
        extra = squared_norm - squared + slack
        near = lowest(bounds[None], _NEAR * k)[1][0]
        limit = np.nextafter(_reached(whole, near, k)[1] + extra, np.inf, dtype=np.float32)
        rows = np.flatnonzero(bounds <= limit)
        if len(rows) > _MOST * len(bounds):
            return None
        bounds = bounds[rows] + row_products(np.take(self._further, rows, axis=0), further)
        rows = rows[bounds <= limit]
        lower, limit = _reached(whole, rows, k)
        return rows[lower <= limit]

    def _factors(self, rests, found):
        """Return what rows are multiplied with, so that the sum is ‖z‖² − 2 y·z or less."""
        first = np.concatenate([[1, -2 * rests[0]], -2 * found[: self._split]])
        further = np.concatenate([[2 * rests[0], -2 * rests[1]], -2 * found[self._split :]])
        return first.astype(np.float32), further.astype(np.float32)

    def _fill(self, axes, part):
        Z = self._bounds.Z[part]
        centered = Z.astype(np.float64) - self._center
        found, squared = centered @ axes.T, np.einsum("ij,ij->i", centered, centered)
        for row, p in enumerate((self._split, None)):
            kept = np.square(found[:, :p]).sum(axis=1)
            self._further[part, row] = np.sqrt(np.maximum(squared - kept, 0))
        slack = self._slack(squared, np.square(norms(Z)))
        self._first[:2, part] = squared - slack, self._further[part, 0]
        self._first[2:, part] = found[:, : self._split].T
        self._further[part, 2:] = found[:, self._split :]

    def _slack(self, squared, squared_norms):
        # The terms of both steps together are at most 4 ‖z‖² + 4 ‖y‖².
        return self._part * np.maximum(squared, squared_norms) + _TINY

    def _on_axes(self, y, squared_norm):
        """Return its squared norm, its slack, what each step leaves of the norm, coordinates.

        Each coordinate is off by at most γ ‖y‖ (`bounds` has the source), with 4 roundings more
        for the axes and `y`. For p coordinates e = √p γ ‖y‖: their product with those of z is off
        by at most e ‖z‖, which is in the slack, and what they leave of the norm is the most that
        it may be, so that the bound holds.
        """
        centered = y - self._center
        found = row_products(self._axes, centered.astype(np.float32))
        squared = centered @ centered
        kept = np.sqrt([np.square(found[:p]).sum(dtype=np.float64) for p in (self._split, None)])
        kept = np.maximum(kept - self._error * squared**0.5, 0)
        rests = np.sqrt(np.maximum(squared - np.square(kept), 0))
        return squared, self._slack(squared, squared_norm), rests, found


def _reached(whole, rows, k):
    """Return bounds of ‖z − y‖² − ‖y‖² and what that of the k nearest does not exceed."""
    lower = whole.bounds(rows)[0]
    return lower, np.partition(lower, k - 1)[k - 1] + whole.widest(rows)


def _shapes(bounds):
    """Return the shapes of the arrays of a cascade by their names."""
    n, d = bounds.Z.shape
    split, p = (min(most, int(part * d)) for most, part in (_FIRST, _ALL))
    return {"center": (d,), "basis": (p, d), "first": (2 + split, n), "further": (n, 2 + p - split)}
