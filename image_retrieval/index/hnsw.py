"""Approximate search on one machine: a graph over principal components, measured again."""

import math
import threading

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.hardware import cores
from image_retrieval.index.components import principal_axes
from image_retrieval.index.distances import PairDistances, inverse, norms
from image_retrieval.index.engine import MemoryEngine, needed
from image_retrieval.index.exact import ExactSearch
from image_retrieval.index.parallel import in_parallel
from image_retrieval.index.storage import read_array

_LINKS = 16  # M of the paper: links a row
_EFFORT = 200  # efConstruction of the paper
_TUNED_FOR = 10  # neighbors a query while parameters are chosen
_MEASURED = 8  # candidates measured exactly, at most, for each neighbor asked for
_SHORTEST, _LONGEST = 16, 320  # lists of candidates tried, before more components are
_SAMPLE = 400  # held-out queries that parameters are chosen on
_ROTATED = 20_000  # rows at a time
_FITTED_ROWS = 5000  # that principal axes are computed from
_REPEATABLE = 50_000  # rows up to which one thread builds, so that the graph is the same
_EQUAL = 1 + 1e-9  # by what part distances of equal rows may differ
_FEW = 4  # queries that one thread answers sooner than several
_GRAPH = "graph.bin"
# The graph keeps `ef` for all threads that search it. One lock for all engines: a lock of its own
# would keep an engine from being copied.
_SEARCHING = threading.Lock()


class HnswEngine(MemoryEngine):
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

    def __init__(self, metric="euclidean", recall=0.99):
        super().__init__(metric)
        if isinstance(recall, bool) or not 0.5 <= recall <= 0.999:
            raise InputError(f"recall must be between 0.5 and 0.999, got {recall!r}")
        self.recall = float(recall)
        self.components, self.ef, self.measured_recall = 0, 0, 1.0
        self._graph = self._rotation = None
        self._tuned_n = 0

    def _settings(self):
        tuned = {"ef": self.ef, "recall": self.measured_recall, "n": self._tuned_n}
        return {**super()._settings(), "tuned": tuned, "components": self.components}

    def _prepare(self):
        self._prepare_exact()
        self._tuned_n, self.measured_recall = self.n, 1.0
        if self.n:
            self._tune(_Rotation.fit(self._X, self.metric))

    def _prepare_exact(self):
        self._exactly, self._exact = PairDistances(self._X, self.metric), None

    def _tune(self, rotation):
        held_out, others = _split(self.n)
        if not len(held_out):
            self.ef = self.n
            self._start_graph(rotation, self.d, np.arange(self.n))
            return
        Q = self._X[held_out]
        true = self._brute_force().nearest(Q, _TUNED_FOR, others)[1]
        # 64, 128, … and all
        for components in [*(64 << i for i in range(20) if 64 << i < self.d), self.d]:
            self._start_graph(rotation, components, others)
            if self._tune_ef(Q, true[:, -1:] * _EQUAL):
                break
        self._insert(held_out)

    def _tune_ef(self, Q, farthest):
        self.ef = _SHORTEST
        while True:
            # By distance: of rows that are equal, any will do.
            self.measured_recall = float(np.mean(self.search(Q, _TUNED_FOR)[1] <= farthest))
            # A standard error above, so that chance does not pass what falls short.
            error = math.sqrt(self.recall * (1 - self.recall) / (_TUNED_FOR * len(Q)))
            if self.measured_recall >= self.recall + error:
                return True
            if self.ef >= (_LONGEST if self.components < self.d else self.n):
                return False
            self.ef = min(math.ceil(self.ef * 1.25), self.n)

    def _start_graph(self, rotation, components, rows):
        self.components, self._rotation = components, rotation.first(components)
        self._graph = _index(components)
        self._graph.init_index(self.n, M=_LINKS, ef_construction=_EFFORT, random_seed=1)
        self._insert(rows)

    def _insert(self, rows):
        threads = 1 if self.n <= _REPEATABLE else cores()
        for start in range(0, len(rows), _ROTATED):
            part = rows[start : start + _ROTATED]
            self._graph.add_items(self._rotation(self._X[part]), part, num_threads=threads)

    def _extend(self, first):
        if self.n > 2 * self._tuned_n:
            self._prepare()
            return
        self._prepare_exact()
        self._graph.resize_index(self.n)
        self._insert(np.arange(first, self.n))

    def _brute_force(self):
        """Return the exact search of the same rows, for what the graph is no help with."""
        if self._exact is None:
            self._exact = ExactSearch(self._X, self.metric)
        return self._exact

    def _nearest(self, Q, k, radius, rows):
        share = 1.0 if rows is None else len(rows) / self.n
        wanted = max(k, min(_MEASURED * max(k, 3), self._ef_for(k)))
        count = math.ceil(wanted / share)
        candidates = None if count > self.n / 4 else self._candidates(Q, count, k)
        if candidates is None:
            return self._brute_force().nearest(Q, k, rows, radius)
        if rows is not None:
            candidates[~np.isin(candidates, rows)] = -1
        places, distances = self._measure(Q, candidates, k)
        few = (candidates >= 0).sum(axis=1) < (0 if rows is None else min(3 * k, len(rows)))
        if few.any():
            places[few], distances[few] = self._brute_force().nearest(Q[few], k, rows)
        return places, distances

    def _ef_for(self, k):
        return math.ceil(self.ef * max(1.0, k / _TUNED_FOR))

    def _candidates(self, Q, count, k):
        """Return the rows (q, count) that the graph finds, None where it cannot."""
        ef = max(count, self._ef_for(k))
        threads = 1 if len(Q) < _FEW else cores()
        Y = self._rotation(Q)
        try:
            with _SEARCHING:
                self._graph.set_ef(min(ef, self.n))
                return self._graph.knn_query(Y, k=count, num_threads=threads)[0].astype(np.int64)
        except RuntimeError:
            return None  # rows that are equal link to each other, and no path leads on

    def _measure(self, Q, candidates, k):
        size = math.ceil(len(Q) / cores()) if len(Q) > 64 else len(Q)
        parts = [slice(start, start + size) for start in range(0, len(Q), size)]
        found = in_parallel(lambda part: self._exactly.nearest(Q[part], candidates[part], k), parts)
        return tuple(np.concatenate(arrays) for arrays in zip(*found))

    def _write(self, folder):
        super()._write(folder)
        if self._graph is not None:
            self._graph.save_index(str(folder / _GRAPH))
            np.save(str(folder / "center.npy"), self._rotation.center)
            np.save(str(folder / "rotation.npy"), self._rotation.matrix)

    def _read(self, folder, settings):
        tuned = settings["tuned"]
        self.ef, self.measured_recall = tuned["ef"], tuned["recall"]
        self._tuned_n, self.components = tuned["n"], settings["components"]
        super()._read(folder, settings)

    def _reopen(self, folder):
        self._prepare_exact()
        if not self.n:
            return
        shapes = {"center": (self.d,), "rotation": (self.d, self.components)}
        arrays = (read_array(folder, name, "f", shape) for name, shape in shapes.items())
        self._rotation = _Rotation(*arrays, self.metric)
        self._graph = _index(self.components)
        self._graph.load_index(str(folder / _GRAPH), max_elements=self.n)


class _Rotation:
    """Principal components of the vectors, of their directions for the cosine."""

    def __init__(self, center, matrix, metric):
        self.center, self.matrix, self.metric = center, matrix, metric

    @classmethod
    def fit(cls, X, metric):
        sample = X[:: math.ceil(len(X) / _FITTED_ROWS)]
        center, matrix = principal_axes(_as_measured(sample, metric), _FITTED_ROWS)
        return cls(center.astype(np.float32), matrix.astype(np.float32), metric)

    def first(self, components):
        """Return the rotation to the first components only."""
        matrix = np.asfortranarray(self.matrix[:, :components])
        return _Rotation(self.center, matrix, self.metric)

    def __call__(self, X):
        """Return the components of vectors, float32."""
        centered = _as_measured(X, self.metric) - self.center
        if len(X) < _FEW:
            # One thread: to wake and await a second takes longer than the product.
            return np.einsum("ij,kj->ik", centered, self.matrix.T)
        return centered @ self.matrix


def _as_measured(X, metric):
    if metric != "cosine":
        return X
    return (X * inverse(norms(X))[:, None]).astype(np.float32)


def _split(n):
    """Return rows to hold out and the others; none when a tenth would be too few."""
    order = np.random.default_rng(0).permutation(n)
    count = min(_SAMPLE, n // 10) if n >= 10 * _MEASURED * _TUNED_FOR else 0
    return np.sort(order[:count]), np.sort(order[count:])


def _index(dimensions):
    hnswlib = needed("hnswlib", "hnsw", "pip install hnswlib, or use engine 'exact'")
    return hnswlib.Index(space="l2", dim=dimensions)
