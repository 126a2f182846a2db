"""One query at a time: a few axes rule most rows out, so that few of them must be read.

An orthogonal rotation keeps distances. Over the first p principal axes, with what is left of
both norms as one coordinate more, the distance is at most the whole one. A search for one query
is bound by reading the rows, and of most rows this reads a seventh.
"""

from __future__ import annotations

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
# squared norms are those of vectors that were rounded before. The rest is spare.
_ROUNDINGS = 192 * UNIT
_TINY = 2.0**-100  # products that underflow


class Cascade:
    """Rows on their principal axes, for the bounds of two steps.

    Parameters
    ----------
    bounds : LowerBounds
        Of the same rows.
    center : ndarray of float64, shape (d,)
    axes : ndarray of float64, shape (p, d)
    first : ndarray of float32, shape (2 + s, n)
        Squared norms less their rounding, what s axes leave of the norms, s coordinates.
    further : ndarray of float32, shape (n, 2 + p − s)
        What s axes and what all axes leave of the norms, the further coordinates.
    """

    def __init__(
        self, bounds: LowerBounds, center: Array, axes: Array, first: Array, further: Array
    ) -> None:
        self._bounds, self._split = bounds, len(first) - 2
        self._arrays = center, axes, first, further
        self._center, self._axes, self._first, self._further = self._arrays

    @classmethod
    def learn(cls, bounds: LowerBounds) -> Cascade | None:
        """Return the cascade of the rows of `bounds`, or None where it does not pay."""
        shapes, n = _shapes(bounds), len(bounds.Z)
        if not bounds.usable or n < 2 * _NEIGHBORS or shapes["first"][0] < 3:
            return None
        center, axes = principal_axes(bounds.Z, _SAMPLE)
        axes = np.ascontiguousarray(axes[:, : shapes["axes"][0]].T)
        blank = (np.empty(shapes[name], dtype=np.float32) for name in ("first", "further"))
        cascade = cls(bounds, center, axes, *blank)
        in_parallel(cascade._fill, [slice(i, i + _BLOCK) for i in range(0, n, _BLOCK)])
        trials = bounds.Z[np.linspace(0, n - 1, _TRIALS).astype(int)]
        squared = np.square(norms(trials))
        failed = [cascade.candidates(*trial, _NEIGHBORS) is None for trial in zip(trials, squared)]
        return None if sum(failed) > 1 else cascade

    @classmethod
    def read(cls, folder: Path, bounds: LowerBounds) -> Cascade | None:
        """Return the cascade that `write` left there for the rows of `bounds`, if one is."""
        if not (folder / "axes.npy").exists():
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
        found = self._on_axes(y[None], squared_norm)
        squared, slack, rests, found = (values[0] for values in found)
        first, further = self._factors(rests, found)
        bounds, whole = first @ self._first, self._bounds.of_queries(y[None], squared_norm**0.5)
        # From ‖z − y‖² − ‖y‖² to what the two steps bound.
        extra = squared_norm - squared + slack
        near = lowest(bounds[None], _NEAR * k)[1][0]
        limit = np.float32(_reached(whole, near, k)[1] + extra)
        limit = np.nextafter(limit, np.float32(np.inf))
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

    def _fill(self, part):
        Z = self._bounds.Z[part]
        squared, slack, rests, found = self._on_axes(Z, np.square(norms(Z)))
        self._first[0, part], self._first[1, part] = squared - slack, rests[:, 0]
        self._first[2:, part] = found[:, : self._split].T
        self._further[part, :2], self._further[part, 2:] = rests, found[:, self._split :]

    def _on_axes(self, Z, squared_norms):
        """Return squared norms, their rounding, what each step leaves of norms, coordinates."""
        centered = Z.astype(np.float64) - self._center
        one = len(Z) == 1
        found = row_products(self._axes, centered[0])[None] if one else centered @ self._axes.T
        squared = np.einsum("ij,ij->i", centered, centered)
        kept = np.stack([np.square(found[:, :p]).sum(axis=1) for p in (self._split, None)], axis=1)
        rests = np.sqrt(np.maximum(squared[:, None] - kept, 0))
        # The terms of both steps together are at most 4 ‖z‖² + 4 ‖y‖².
        part = 4 * gamma(len(self._axes) + 8) + _ROUNDINGS
        return squared, part * np.maximum(squared, squared_norms) + _TINY, rests, found


def _reached(whole, rows, k):
    """Return bounds of ‖z − y‖² − ‖y‖² and what that of the k nearest does not exceed."""
    lower = whole.bounds(rows)[0]
    return lower, np.partition(lower, k - 1)[k - 1] + whole.widest(rows)


def _shapes(bounds):
    """Return the shapes of the arrays of a cascade by their names."""
    n, d = bounds.Z.shape
    split, p = (min(most, int(part * d)) for most, part in (_FIRST, _ALL))
    return {"center": (d,), "axes": (p, d), "first": (2 + split, n), "further": (n, 2 + p - split)}
