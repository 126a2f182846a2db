"""Approximate search through codes: one byte per principal component, measured again in full."""

from __future__ import annotations

from typing import Any

import numpy as np

from image_retrieval.index.approximate import ListingEngine, some
from image_retrieval.index.components import FITTED_ROWS, Rotation, doubled
from image_retrieval.index.exact.selection import lowest
from image_retrieval.index.parallel import in_parallel
from image_retrieval.index.storage import read_array

_LEVELS = 255  # steps between the smallest and the largest value of a component
_BLOCK = 4096  # rows at a time, so that they stay in the processor's cache
_QUERIES = 64  # at a time
_ARRAYS = ("center", "rotation", "lowest", "step", "lengths")


class CodesEngine(ListingEngine):
    """Brute force over vectors of a few bytes, as good as asked for.

    The first principal components of each vector are rounded to one byte each (scalar
    quantization). The distances between a query and these codes choose candidates, which are
    measured exactly. The query itself is not rounded. (H. Jégou, M. Douze and C. Schmid, "Product
    quantization for nearest neighbor search", 2011, call this an asymmetric distance, and H. Jégou,
    R. Tavenard, M. Douze and L. Amsaleg, "Searching in one billion vectors: re-rank with source
    coding", 2011, measure candidates again.)

    As few components are kept, and as few candidates measured, as find `recall` of the ten true
    neighbors of some rows, themselves not counted. An index that is saved and loaded leaves the
    vectors in their file: in memory are the codes, and four more bytes per vector (twelve for
    the cosine).

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    recall : float
        The part of the true ten nearest neighbors to find, 0.5 to 0.999.

    Attributes
    ----------
    components : int
        Bytes per code.
    candidates : int
        Measured in full for ten neighbors; the number of rows where all are measured.
    measured_recall : float
        Reached on those rows; 1.0 when there are fewer than 800 rows and all are measured.
    """

    name = "codes"
    _rotation: Any
    _lowest: Any
    _step: Any
    _codes: Any
    _lengths: Any
    _tuned = (*ListingEngine._tuned, "components")

    def __init__(self, metric: str = "euclidean", recall: float = 0.99) -> None:
        super().__init__(metric, recall)
        self.components = 0
        self._rotation = self._lowest = self._step = self._codes = self._lengths = None

    def _tune(self, asking, others):
        rotation = Rotation.fit(self._X[some(others, FITTED_ROWS)], self.metric)
        farthest = self._farthest_others(asking) if len(asking) else None
        self.candidates = self.n
        for components in doubled(self.d):
            self._encode(rotation.first(components))
            if farthest is None or self._choose_candidates(asking, farthest):
                break

    def _encode(self, rotation):
        self._rotation, self.components = rotation, rotation.matrix.shape[1]
        parts = [rotation(self._X[rows]) for rows in _blocks(self.n)]
        self._lowest = np.min([part.min(axis=0) for part in parts], axis=0)
        span = np.max([part.max(axis=0) for part in parts], axis=0) - self._lowest
        self._step = np.where(span > 0, span / _LEVELS, 1).astype(np.float32)
        self._codes, self._lengths = self._rounded(parts)

    def _rounded(self, parts):
        """Return the codes of components and the squared lengths of what they stand for."""
        codes = [np.rint((part - self._lowest) / self._step) for part in parts]
        codes = [part.clip(0, _LEVELS).astype(np.uint8) for part in codes]
        lengths = [np.square(part * self._step + self._lowest).sum(axis=1) for part in codes]
        return np.concatenate(codes), np.concatenate(lengths)

    def _insert(self, rows):
        codes, lengths = self._rounded([self._rotation(self._X[rows])])
        self._codes = np.concatenate([self._codes, codes])
        self._lengths = np.concatenate([self._lengths, lengths])

    def _forget(self, kept):
        self._codes, self._lengths = self._codes[kept], self._lengths[kept]

    def _candidates(self, Q, count, k):
        Y = -2 * self._rotation(Q)
        starts = range(0, len(Y), _QUERIES)
        found = in_parallel(lambda i: self._scan(Y[i : i + _QUERIES], count), starts)
        return np.concatenate(found)

    def _scan(self, Y, count):
        """Return the rows with the lowest distances, the lowest first."""
        Z, values, places = Y * self._step, [], []
        for rows in _blocks(self.n):
            # What is left out of the squared distance is the same for all rows.
            found = Z @ self._codes[rows].astype(np.float32).T
            found += self._lengths[rows] + (Y @ self._lowest)[:, None]
            best, columns = lowest(found, min(count, found.shape[1]))
            values.append(best)
            places.append(columns + rows.start)
        values, places = np.concatenate(values, axis=1), np.concatenate(places, axis=1)
        order = np.argsort(values, axis=1, kind="stable")[:, :count]
        return np.take_along_axis(places, order, axis=1)

    def _write(self, folder):
        super()._write(folder)
        if self.n:
            rotation = self._rotation
            arrays = rotation.center, rotation.matrix, self._lowest, self._step, self._lengths
            for name, array in zip((*_ARRAYS, "codes"), (*arrays, self._codes)):
                np.save(str(folder / f"{name}.npy"), array)

    def _reopen(self, folder):
        self._prepare_exact()
        if not self.n:
            return
        p = self.components
        shapes = (self.d,), (self.d, p), (p,), (p,), (self.n,)
        arrays = (read_array(folder, name, "f", shape) for name, shape in zip(_ARRAYS, shapes))
        center, matrix, self._lowest, self._step, self._lengths = arrays
        self._rotation = Rotation(center, matrix, self.metric)
        self._codes = read_array(folder, "codes", "u", (self.n, p))


def _blocks(n):
    return [slice(start, min(n, start + _BLOCK)) for start in range(0, n, _BLOCK)]
