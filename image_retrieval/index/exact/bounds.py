"""Lower bounds of distances that float32 rounding cannot break.

One float32 matrix product gives the distances of all rows at the speed of the hardware,
with rounding errors. Each is lowered here by more than the error can be, so that a row
whose bound exceeds an exact distance is proven to be farther away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.index.distances import inverse, norms
from image_retrieval.index.parallel import row_products
from image_retrieval.index.products import product

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

UNIT = 2.0**-24  # float32: half the distance from 1 to the next number
_ROUNDINGS = 12 * UNIT
_TINY = 2.0**-120  # products that underflow
_LARGEST = 1e18  # its square still fits in float32
_OFFSET_WORTH_A_COPY = 16.0
_BLOCK = 1024
_FEW = 512  # rows that one core multiplies sooner than several


class LowerBounds:
    """Bounds of squared distances from one float32 matrix product.

    For unit vectors the squared distance is twice the cosine distance, so that one formula
    serves all metrics. With z a stored row and y a query, ‖z − y‖² − ‖y‖² = ‖z‖² − 2 y·z.
    The product of d terms, in whatever order it is summed, is off by at most
    γ ‖y‖ ‖z‖ with γ = d u / (1 − d u) (N. J. Higham, Accuracy and Stability of Numerical
    Algorithms, 2nd edition, section 3.1); everything else is a few roundings of
    (‖y‖ + ‖z‖)².

    Parameters
    ----------
    X : ndarray of float32, shape (n, d)
    metric : str
        For the cosine, rows are scaled to unit norm.

    Attributes
    ----------
    Z : ndarray of float32, shape (n, d)
        `X` itself, or a copy: of unit vectors for the cosine, and less the mean row where a
        large common offset would drown the differences between rows.
    usable : bool
        Whether float32 can bound these rows at all.
    """

    def __init__(self, X: Array, metric: str) -> None:
        self.metric = metric
        row_norms = norms(X)
        scale = inverse(row_norms) if metric == "cosine" else None
        self.center = _common_offset(X, row_norms, scale)
        self.Z = X
        if scale is not None or self.center is not None:
            self.Z = _rounded_once(X, scale, self.center)
            row_norms = norms(self.Z)
        self.usable = X.shape[1] * UNIT < 0.2 and row_norms.max(initial=0) < _LARGEST
        if self.usable:
            self._prepare(row_norms)

    def _prepare(self, row_norms):
        squared_norms = np.square(row_norms)
        if self.metric == "cosine" and self.center is None:
            squared_norms = np.where(row_norms > 0, squared_norms, 1.0)
        # (‖z‖ + ‖y‖)² = ‖z‖² + 2 ‖y‖ ‖z‖ + ‖y‖²: what depends on z is kept per row.
        self._base = (squared_norms - _ROUNDINGS * row_norms**2 - _TINY).astype(np.float32)
        slope = 2 * gamma(self.Z.shape[1]) + 2 * _ROUNDINGS
        self._slope = (slope * row_norms).astype(np.float32)
        self._slack = (_ROUNDINGS * row_norms**2 + _TINY).astype(np.float32)

    def queries(self, Q: Array) -> tuple[Array, Array, Array]:
        """Return queries in the space of `Z`, their squared norms and which are usable.

        A query of zeros has no direction, and one too long overflows float32; such queries
        must be answered without bounds.
        """
        query_norms = norms(Q)
        usable = np.full(len(Q), self.usable) & (query_norms < _LARGEST)
        scale = None
        if self.metric == "cosine":
            usable &= query_norms > 0
            scale = inverse(query_norms)
        if scale is None and self.center is None:
            return Q, np.square(query_norms), usable
        Y = _rounded_once(Q, scale, self.center)
        query_norms = norms(Y)
        return Y, np.square(query_norms), usable & (query_norms < _LARGEST)

    def of_queries(self, Y: Array, longest: float | None = None) -> Any:
        """Return what gives the bounds of chosen rows for the queries `Y`, at most so long."""
        longest = norms(Y).max(initial=0) if longest is None else longest
        return _QueryBounds(self, np.float32(-2) * Y, np.float32(longest))


class _QueryBounds:
    def __init__(self, rows, doubled, longest):
        self._rows, self._doubled, self._longest = rows, doubled, longest
        self._constant = np.float32(_ROUNDINGS * float(longest) ** 2)
        self._memory = np.empty(0, dtype=np.float32)

    def bounds(self, part):
        """Return lower bounds of ‖z − y‖² − ‖y‖² for the rows `part`, float32 (q, rows).

        The next call writes over them: fresh memory for each block would take as long to
        hand out as the selection takes.
        """
        rows = self._rows
        base = rows._base[part] - self._longest * rows._slope[part] - self._constant
        shape = len(self._doubled), len(base)
        if self._memory.size < shape[0] * shape[1]:
            self._memory = np.empty(shape[0] * shape[1], dtype=np.float32)
        bounds = self._memory[: shape[0] * shape[1]].reshape(shape)
        if shape[0] == 1 and shape[1] <= _FEW:
            bounds[0] = row_products(rows.Z[part], self._doubled[0])
        else:
            product(self._doubled, rows.Z[part], out=bounds)
        bounds += base
        return bounds

    def widest(self, part):
        """Return by how much at most a value may exceed its bound among the rows `part`."""
        rows = self._rows
        error = rows._slack[part] + self._longest * rows._slope[part]
        return 2 * (float(error.max(initial=0)) + float(self._constant))


def gamma(terms: Any) -> Any:
    """Return Higham's γ: by what part of its terms a float32 sum may be off."""
    return terms * UNIT / (1 - terms * UNIT)


def _common_offset(X, row_norms, scale):
    """Return the mean row where it is long against the rows' distances to it, else None."""
    if not len(X) or (scale is not None and not scale.all()):
        return None  # a vector of zeros has no unit vector, and must stay zero
    weights = np.ones(len(X)) if scale is None else scale
    with np.errstate(over="ignore", invalid="ignore"):
        mean = (weights.astype(np.float32) @ X) / np.float32(len(X))
        offset = float(np.square(mean, dtype=np.float64).sum())
        mean_square = float(np.mean(np.square(row_norms))) if scale is None else 1.0
    if not np.isfinite(offset) or offset <= _OFFSET_WORTH_A_COPY * max(mean_square - offset, 0.0):
        return None
    return mean


def _rounded_once(X, scale, center):
    # In float64 until the end: two float32 roundings would exceed what the bounds allow.
    result = np.empty_like(X)
    for start in range(0, len(X), _BLOCK):
        part = X[start : start + _BLOCK].astype(np.float64)
        if scale is not None:
            part *= scale[start : start + _BLOCK, None]
        if center is not None:
            part -= center
        with np.errstate(over="ignore"):  # an infinite norm then makes it unusable
            result[start : start + _BLOCK] = part
    return result
