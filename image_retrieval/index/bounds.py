"""Lower bounds of distances that float32 rounding cannot break.

One float32 matrix product gives the distances of all rows at the speed of the hardware,
with rounding errors. Each is lowered here by more than the error can be, so that a row
whose bound exceeds an exact distance is proven to be farther away.
"""

import numpy as np

from image_retrieval.index.distances import norms

_UNIT = 2.0**-24  # float32: half the distance from 1 to the next number
_ROUNDINGS = 12 * _UNIT
_TINY = 2.0**-120  # products that underflow
_LARGEST = 1e18  # its square still fits in float32
_OFFSET_WORTH_A_COPY = 16.0
_BLOCK = 1024
_GATHERED = 256  # rows copied at a time


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
        For the cosine, rows are scaled to unit length.

    Attributes
    ----------
    Z : ndarray of float32, shape (n, d)
        `X` itself, or a copy: of unit vectors for the cosine, and less the mean row where a
        large common offset would drown the differences between rows.
    """

    def __init__(self, X, metric):
        self.metric = metric
        lengths = norms(X)
        scale = _inverse(lengths) if metric == "cosine" else None
        self.center = _common_offset(X, lengths, scale)
        self.Z = X
        if scale is not None or self.center is not None:
            self.Z = _rounded_once(X, scale, self.center)
            lengths = norms(self.Z)
        self.usable = self._gamma() < 0.25 and lengths.max(initial=0) < _LARGEST
        if self.usable:
            self._prepare(lengths)

    def _gamma(self):
        terms = self.Z.shape[1] * _UNIT
        return terms / (1 - terms) if terms < 0.5 else 1.0

    def _prepare(self, lengths):
        squares = np.square(lengths)
        if self.metric == "cosine" and self.center is None:
            squares = np.where(lengths > 0, squares, 1.0)
        # (‖z‖ + ‖y‖)² = ‖z‖² + 2 ‖y‖ ‖z‖ + ‖y‖²: what depends on z is kept per row.
        self._base = (squares - _ROUNDINGS * lengths**2 - _TINY).astype(np.float32)
        self._slope = ((2 * self._gamma() + 2 * _ROUNDINGS) * lengths).astype(np.float32)
        self._slack = (_ROUNDINGS * lengths**2 + _TINY).astype(np.float32)

    def queries(self, Q):
        """Return queries in the space of `Z`, their squared lengths and which are usable.

        A query of zeros has no direction, and one too long overflows float32; such queries
        must be answered without bounds.
        """
        lengths = norms(Q)
        usable = np.full(len(Q), self.usable) & (lengths < _LARGEST)
        scale = None
        if self.metric == "cosine":
            usable &= lengths > 0
            scale = _inverse(lengths)
        same = scale is None and self.center is None
        Y = Q if same else _rounded_once(Q, scale, self.center)
        return Y, np.square(norms(Y)), usable

    def of_queries(self, Y):
        """Return what gives the bounds of chosen rows for the queries `Y`."""
        longest = float(norms(Y).max(initial=0))
        return _QueryBounds(self, np.float32(-2) * Y, np.float32(longest))


class _QueryBounds:
    def __init__(self, rows, doubled, longest):
        self._rows, self._doubled, self._longest = rows, doubled, longest
        self._constant = np.float32(_ROUNDINGS * float(longest) ** 2)
        self._memory = np.empty(0, dtype=np.float32)
        self._bases = self._copies = None

    def bounds(self, part):
        """Return lower bounds of ‖z − y‖² − ‖y‖² for the rows `part`, float32 (q, rows).

        The next call writes over them: fresh memory for each block would take as long to
        hand out as the selection takes.
        """
        rows, base = self._rows, self._base(part)
        shape = len(self._doubled), len(base)
        if self._memory.size < shape[0] * shape[1]:
            self._memory = np.empty(shape[0] * shape[1], dtype=np.float32)
        bounds = self._memory[: shape[0] * shape[1]].reshape(shape)
        np.matmul(self._doubled, rows.Z[part].T, out=bounds)
        bounds += base
        return bounds

    def pairs(self, query, rows):
        """Return the same for one query and chosen rows, an array of int; float32 (rows,)."""
        if self._bases is None:
            self._bases = self._base(slice(None))
            self._copies = np.empty((_GATHERED, self._rows.Z.shape[1]), dtype=np.float32)
        lower = self._bases[rows]
        for start in range(0, len(rows), _GATHERED):
            part = rows[start : start + _GATHERED]
            copies = np.take(self._rows.Z, part, axis=0, out=self._copies[: len(part)], mode="clip")
            lower[start : start + _GATHERED] += copies @ self._doubled[query]
        return lower

    def _base(self, part):
        rows = self._rows
        return rows._base[part] - self._longest * rows._slope[part] - self._constant

    def widest(self, part):
        """Return by how much at most a value may exceed its bound among the rows `part`."""
        rows = self._rows
        error = rows._slack[part] + self._longest * rows._slope[part]
        return 2 * (float(error.max(initial=0)) + float(self._constant))


def _inverse(lengths):
    return np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def _common_offset(X, lengths, scale):
    """Return the mean row where it is long against the rows' distances to it, else None."""
    if not len(X) or (scale is not None and not scale.all()):
        return None  # a vector of zeros has no unit vector, and must stay zero
    weights = np.ones(len(X)) if scale is None else scale
    with np.errstate(over="ignore", invalid="ignore"):
        mean = (weights.astype(np.float32) @ X) / np.float32(len(X))
        offset = float(np.square(mean, dtype=np.float64).sum())
        mean_square = float(np.mean(np.square(lengths))) if scale is None else 1.0
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
        result[start : start + _BLOCK] = part
    return result
