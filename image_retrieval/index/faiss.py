"""Approximate search through faiss: any of its indexes, measured again in full."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import numpy as np

from image_retrieval.errors import InputError, one_line
from image_retrieval.index.approximate import ListingEngine, some
from image_retrieval.index.components import as_measured
from image_retrieval.index.engine import needed
from image_retrieval.index.storage import damaged

_TRAINED_ON = 100_000  # rows, at most about
_AT_ONCE = 20_000  # rows that are added at a time
_FILE = "index.bin"


class FaissEngine(ListingEngine):
    """An index of faiss that lists candidates, which are then measured exactly.

    faiss (M. Douze and others, "The Faiss library", 2024) has all kinds of codes, by a short
    text: "SQ8" is one byte per number, "PCA64,SQ8" that of 64 principal components,
    "OPQ32_128,PQ32" a product quantizer of 32 bytes behind an optimized rotation to 128 numbers,
    "ITQ256,LSH" 256 bits, and "IVF100,SQ8" looks into some of 100 cells only.

    As few candidates are measured, and as few cells looked into, as find `recall` of the ten true
    neighbors of some rows, themselves not counted. Where that takes more than a quarter of the
    rows, all are measured. An index that is saved and loaded leaves the vectors in their file.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    recall : float
        The part of the true ten nearest neighbors to find, 0.5 to 0.999.
    factory : str
        What faiss's `index_factory` takes. Written for 800 rows or more: fewer are all measured.

    Attributes
    ----------
    candidates : int
        Measured in full for ten neighbors; the number of rows where all are measured.
    measured_recall : float
        Reached on those rows; 1.0 when there are fewer than 800 rows and all are measured.
    """

    name = "faiss"

    def __init__(
        self, metric: str = "euclidean", recall: float = 0.99, factory: str = "SQ8"
    ) -> None:
        super().__init__(metric, recall)
        self.factory = factory
        self._index: Any = None

    def _tune(self, asking, others):
        self.candidates = self.n
        with _refusing(self.factory):
            self._index = _faiss().index_factory(self.d, self.factory)
            if len(asking):
                self._index.train(self._measured(some(others, _TRAINED_ON)))
        if len(asking):
            self._insert(np.arange(self.n))
            farthest = self._farthest_others(asking)
            while not self._choose_candidates(asking, farthest) and self._look_further():
                pass

    def _look_further(self):
        """Look into twice as many cells; tell whether there are any more."""
        try:
            cells = _faiss().extract_index_ivf(self._index)
        except RuntimeError:
            return False  # it has none
        more = cells.nprobe < cells.nlist
        cells.nprobe *= 2
        return more

    def _measured(self, rows):
        return np.ascontiguousarray(as_measured(self._X[rows], self.metric))

    def _insert(self, rows):
        if self._index.ntotal == rows[0]:  # else there are too few rows to train it
            for start in range(0, len(rows), _AT_ONCE):
                self._index.add(self._measured(rows[start : start + _AT_ONCE]))

    def _forget(self, kept):
        # Not `remove_ids`: some indexes then number the others anew, some do not, some have none.
        if self._index.ntotal:
            self._index.reset()  # of the rows, not of what was learned
            self._insert(np.arange(np.count_nonzero(kept)))

    def _candidates(self, Q, count, k):
        return self._index.search(as_measured(Q, self.metric), count)[1]

    def _write(self, folder):
        super()._write(folder)
        if self.n:
            _faiss().serialize_index(self._index).tofile(str(folder / _FILE))

    def _reopen(self, folder):
        self._prepare_exact()
        if self.n:
            self._index = _faiss().deserialize_index(np.fromfile(str(folder / _FILE), np.uint8))
            if self._index.d != self.d or self._index.ntotal not in (0, self.n):
                raise damaged(folder / _FILE)


def _faiss():
    return needed("faiss", "faiss", "pip install faiss-cpu, or use engine 'codes'")


@contextmanager
def _refusing(factory):
    try:
        yield
    except (RuntimeError, TypeError) as error:
        problem = f"faiss cannot use the factory {factory!r} here ({one_line(error)})"
        raise InputError(f"{problem}; use one like 'SQ8' or 'PCA64,SQ8'") from None
