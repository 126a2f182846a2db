"""Approximate search on one machine: a graph over principal components, measured again."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from image_retrieval.hardware import cores
from image_retrieval.index.approximate import LONGEST, MEASURED, TUNED_FOR, RerankingEngine
from image_retrieval.index.components import Rotation, doubled
from image_retrieval.index.engine import needed
from image_retrieval.index.storage import read_array

_LINKS = 16  # M of the paper: links a row
_EFFORT = 200  # efConstruction of the paper
_SHORTEST = 16  # list of candidates tried
_ROTATED = 20_000  # rows at a time
_REPEATABLE = 50_000  # rows up to which one thread builds, so that the graph is the same
_FEW = 4  # queries that one thread answers sooner than several
_GRAPH = "graph.bin"
# The graph keeps `ef` for all threads that search it. One lock for all engines: a lock of its own
# would keep an engine from being copied.
_SEARCHING = threading.Lock()


class HnswEngine(RerankingEngine):
    """A navigable small-world graph, as good as asked for.

    The graph (Y. Malkov and D. Yashunin, "Efficient and robust approximate nearest neighbor
    search using Hierarchical Navigable Small World graphs", 2016; here by hnswlib) holds the
    first principal components of the vectors, in which a distance costs a fraction. Up to
    eight times as many candidates as wanted are taken from it and measured exactly.

    Some rows are held out first. As few components are kept, and as short a list of
    candidates (`ef`), as find `recall` of these rows' ten true neighbors; then the rows join
    the graph.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    recall : float
        The part of the true ten nearest neighbors to find, 0.5 to 0.999.

    Attributes
    ----------
    components : int
        Principal components the graph holds.
    ef : int
        Candidates that a search for ten neighbors keeps.
    measured_recall : float
        Reached on the held-out rows; 1.0 when there are too few rows to hold any out.
    """

    name = "hnsw"
    _graph: Any
    _rotation: Any
    _names: Any
    _tuned = (*RerankingEngine._tuned, "components", "ef", "_named")

    def __init__(self, metric: str = "euclidean", recall: float = 0.99) -> None:
        super().__init__(metric, recall)
        self.components, self.ef, self._named = 0, 0, 0
        # What the graph calls each row: ascending, and with gaps once rows were removed.
        self._graph = self._rotation = self._names = None

    def _tune(self, held_out, others):
        self._names, self._named = np.arange(self.n), self.n
        rotation = Rotation.fit(self._X, self.metric)
        if not len(held_out):
            self.ef = self.n
            self._start_graph(rotation, self.d, np.arange(self.n))
            return
        farthest = self._farthest(self._X[held_out], TUNED_FOR, others)
        for components in doubled(self.d):
            self._start_graph(rotation, components, others)
            if self._tune_ef(self._X[held_out], farthest):
                break
        self._insert(held_out)

    def _tune_ef(self, Q, farthest):
        self.ef = _SHORTEST
        while True:
            self.measured_recall = float(np.mean(self.search(Q, TUNED_FOR)[1] <= farthest))
            if self.measured_recall >= self._wanted(len(Q)):
                return True
            if self.ef >= (LONGEST if self.components < self.d else self.n):
                return False
            self.ef = min(math.ceil(self.ef * 1.25), self.n)

    def _start_graph(self, rotation, components, rows):
        self.components, self._rotation = components, rotation.first(components)
        self._graph = _index(components)
        how = {"M": _LINKS, "ef_construction": _EFFORT, "random_seed": 1}
        self._graph.init_index(self.n, **how, allow_replace_deleted=True)
        self._insert(rows)

    def _insert(self, rows):
        fresh = np.arange(self.n - len(self._names)) + self._named
        self._names, self._named = np.append(self._names, fresh), self._named + len(fresh)
        # What was removed makes room: the graph never holds more rows than there were at once.
        how = {"num_threads": 1 if self.n <= _REPEATABLE else cores(), "replace_deleted": True}
        if self.n > self._graph.get_max_elements():
            self._graph.resize_index(self.n)
        for start in range(0, len(rows), _ROTATED):
            part = rows[start : start + _ROTATED]
            self._graph.add_items(self._rotation(self._X[part]), self._names[part], **how)

    def _forget(self, kept):
        for name in self._names[~kept].tolist():
            self._graph.mark_deleted(name)
        self._names = self._names[kept]

    def _count(self, k):
        return max(k, min(MEASURED * max(k, 3), self._ef_for(k)))

    def _ef_for(self, k):
        return math.ceil(self.ef * max(1.0, k / TUNED_FOR))

    def _candidates(self, Q, count, k):
        """Return the rows (q, count) that the graph finds, None where it cannot."""
        ef = max(count, self._ef_for(k))
        threads = 1 if len(Q) < _FEW else cores()
        Y = self._rotation(Q)
        try:
            with _SEARCHING:
                self._graph.set_ef(min(ef, self.n))
                found = self._graph.knn_query(Y, k=count, num_threads=threads)[0]
        except RuntimeError:
            return None  # rows that are equal link to each other, and no path leads on
        return np.searchsorted(self._names, found.astype(np.int64))

    def _write(self, folder):
        super()._write(folder)
        if self._graph is not None:
            self._graph.save_index(str(folder / _GRAPH))
            np.save(str(folder / "names.npy"), self._names)
            np.save(str(folder / "center.npy"), self._rotation.center)
            np.save(str(folder / "rotation.npy"), self._rotation.matrix)

    def _reopen(self, folder):
        self._prepare_exact()
        if not self.n:
            return
        shapes = {"center": (self.d,), "rotation": (self.d, self.components)}
        arrays = (read_array(folder, name, "f", shape) for name, shape in shapes.items())
        center, matrix = arrays
        self._rotation = Rotation(center, matrix, self.metric)
        self._names = read_array(folder, "names", "i", (self.n,))
        self._graph = _index(self.components)
        how = {"max_elements": self.n, "allow_replace_deleted": True}
        self._graph.load_index(str(folder / _GRAPH), **how)


def _index(dimensions):
    hnswlib = needed("hnswlib", "hnsw", "pip install hnswlib, or use engine 'exact'")
    return hnswlib.Index(space="l2", dim=dimensions)
