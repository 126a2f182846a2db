"""Turi Create's own nearest-neighbor model, behind the interface of the other engines."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.index.engine import MemoryEngine, needed
from image_retrieval.tables import NEIGHBOR_COLUMNS

_METHODS = ("brute_force", "ball_tree", "lsh")
_MODEL = "model"


class TuriCreateEngine(MemoryEngine):
    """The course's engine: `turicreate.nearest_neighbors`, its results unchanged.

    Only the order of exact ties is made the reference order, which `ball_tree` does not
    keep. `lsh` is approximate and may return fewer than k neighbors; `ball_tree` has no
    cosine distance.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    method : {"brute_force", "ball_tree", "lsh"}
    """

    name = "turicreate"

    def __init__(self, metric: str = "euclidean", method: str = "brute_force") -> None:
        super().__init__(metric)
        if method not in _METHODS:
            raise InputError(f"method {method!r} is not known; use one of {', '.join(_METHODS)}")
        if method == "ball_tree" and metric == "cosine":
            raise InputError("ball_tree has no cosine distance; use method 'brute_force'")
        self.method = method
        self._model: Any = None

    def _prepare(self):
        self._model = self._model_of(np.arange(self.n))

    def _model_of(self, rows):
        if not len(rows):
            return None  # Turi Create makes no model of nothing
        tc, table = _turicreate(), _table(self._X[rows])
        table["row"] = tc.SArray(rows.tolist(), dtype=int)
        how = {"features": ["vector"], "distance": self.metric, "method": self.method}
        # Turi Create prints a table of elapsed times even when it is not verbose.
        with redirect_stdout(StringIO()):
            return tc.nearest_neighbors.create(table, label="row", **how, verbose=False)

    def _nearest(self, Q, k, radius, rows):
        model: Any = self._model if rows is None else self._model_of(rows)
        with redirect_stdout(StringIO()):
            found = model.query(_table(Q), k=k, radius=radius, verbose=False)
        return _as_matrix(found, len(Q), k)

    def _write(self, folder):
        super()._write(folder)
        if self._model is not None:
            self._model.save(str(folder / _MODEL))

    def _reopen(self, folder):
        # Not built anew: the hash functions of `lsh` are random.
        if self.n:
            self._model = _turicreate().load_model(str(folder / _MODEL))


def _turicreate():
    way_out = "use engine 'exact', which finds the same neighbors"
    return needed("turicreate", TuriCreateEngine.name, way_out)


def _table(X):
    from image_retrieval.sframes import vectors_to_sarray

    return _turicreate().SFrame({"vector": vectors_to_sarray(X)})


def _as_matrix(found, q, k):
    kinds = dict(zip(NEIGHBOR_COLUMNS, (np.int64, np.int64, np.float64)))
    queries, rows, values = (found[name].to_numpy().astype(kinds[name]) for name in kinds)
    order = np.lexsort((rows, values, queries))
    queries, rows, values = queries[order], rows[order], values[order]
    columns = np.arange(len(queries)) - np.searchsorted(queries, queries)
    places, distances = np.full((q, k), -1, dtype=np.int64), np.full((q, k), np.inf)
    places[queries, columns], distances[queries, columns] = rows, values
    return places, distances
