"""What approximate engines share: cheap distances choose candidates, full ones order them."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.hardware import cores
from image_retrieval.index.distances import PairDistances
from image_retrieval.index.engine import MemoryEngine
from image_retrieval.index.exact import ExactSearch
from image_retrieval.index.parallel import in_parallel

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

TUNED_FOR = 10  # neighbors a query while parameters are chosen
MEASURED = 8  # candidates measured exactly for each neighbor asked for: what is cheap
LONGEST = 320  # lists of candidates tried, before more components are
_SAMPLE = 400  # rows that ask while parameters are chosen
_EQUAL = 1 + 1e-9  # by what part distances of equal rows may differ


class RerankingEngine(MemoryEngine):
    """An engine that takes candidates from something small and measures them in full.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    recall : float
        The part of the true ten nearest neighbors to find, 0.5 to 0.999.

    Attributes
    ----------
    measured_recall : float
        Reached while parameters were chosen; 1.0 when there are too few rows to choose with.
    """

    _tuned: tuple[str, ...] = ("measured_recall", "_tuned_n", "_changes")  # saved with the index

    def __init__(self, metric: str = "euclidean", recall: float = 0.99) -> None:
        super().__init__(metric)
        if isinstance(recall, bool) or not 0.5 <= recall <= 0.999:
            raise InputError(f"recall must be between 0.5 and 0.999, got {recall!r}")
        self.recall, self.measured_recall = float(recall), 1.0
        self._tuned_n = self._changes = 0

    def _settings(self):
        return {**super()._settings(), "tuned": {name: getattr(self, name) for name in self._tuned}}

    def _read(self, folder, settings):
        for name in self._tuned:
            setattr(self, name, settings["tuned"][name])
        super()._read(folder, settings)

    def _prepare(self):
        self._prepare_exact()
        self._tuned_n, self._changes, self.measured_recall = self.n, 0, 1.0
        if self.n:
            self._tune(*_split(self.n))

    def _prepare_exact(self):
        self._exactly, self._exact = PairDistances(self._X, self.metric), None

    def _follow(self, kept):
        stayed = int(np.count_nonzero(kept))
        self._changes += len(kept) - stayed + self.n - stayed
        # What was chosen for other rows is chosen again, and what removed ones have left is freed.
        if self._changes > self._tuned_n or self.n < self._tuned_n / 2:
            self._prepare()
            return
        self._prepare_exact()
        if stayed < len(kept):
            self._forget(kept)
        if stayed < self.n:
            self._insert(np.arange(stayed, self.n))

    def _brute_force(self):
        """Return the exact search of the same rows, for what candidates are no help with."""
        if self._exact is None:
            self._exact = ExactSearch(self._X, self.metric)
        return self._exact

    def _farthest(self, Q, k, rows=None):
        """Return how far the k-th true neighbor of each query among `rows` is, shape (q, 1)."""
        # By distance: of rows that are equal, any will do.
        return self._brute_force().nearest(Q, k, rows)[1][:, -1:] * _EQUAL

    def _wanted(self, q):
        """Return the recall to reach on `q` queries: a standard error above what is asked for.

        Chance then does not pass what falls short.
        """
        return self.recall + math.sqrt(self.recall * (1 - self.recall) / (TUNED_FOR * q))

    def _nearest(self, Q, k, radius, rows):
        share = 1.0 if rows is None else len(rows) / self.n
        count = math.ceil(self._count(k) / share)
        candidates = None if count > self.n / 4 else self._candidates(Q, count, k)
        if candidates is None:
            return self._brute_force().nearest(Q, k, rows, radius)
        if rows is not None:
            candidates[~np.isin(candidates, rows)] = -1
        places, distances = self._measure(Q, candidates, k)
        few = (candidates >= 0).sum(axis=1) < (k if rows is None else min(3 * k, len(rows)))
        if few.any():
            places[few], distances[few] = self._brute_force().nearest(Q[few], k, rows)
        return places, distances

    def _measure(self, Q, candidates, k):
        size = math.ceil(len(Q) / cores()) if len(Q) > 64 else len(Q)
        parts = [slice(start, start + size) for start in range(0, len(Q), size)]
        found = in_parallel(lambda part: self._exactly.nearest(Q[part], candidates[part], k), parts)
        return tuple(np.concatenate(arrays) for arrays in zip(*found))

    @abstractmethod
    def _tune(self, held_out, others):
        """Index all rows, and choose parameters by asking some, if there are enough."""

    @abstractmethod
    def _insert(self, rows):
        """Index these rows, too."""

    @abstractmethod
    def _forget(self, kept):
        """Keep what is indexed of these rows only, bool; they have moved up already."""

    @abstractmethod
    def _count(self, k):
        """Return how many candidates to measure for k neighbors."""

    @abstractmethod
    def _candidates(self, Q, count, k):
        """Return rows (q, count), -1 for none; None where there is no way to."""


class ListingEngine(RerankingEngine):
    """A `RerankingEngine` whose one parameter is how many candidates it lists.

    An index that is saved and loaded leaves the vectors in their file, of which a search reads
    the candidates' only. In memory is what the candidates are chosen by.

    Attributes
    ----------
    candidates : int
        Measured in full for ten neighbors; the number of rows where all are measured.
    """

    _mapped = True
    _tuned = (*RerankingEngine._tuned, "candidates")

    def __init__(self, metric: str = "euclidean", recall: float = 0.99) -> None:
        super().__init__(metric, recall)
        self.candidates = 0

    def _count(self, k):
        return math.ceil(self.candidates * max(1.0, k / TUNED_FOR))

    def _farthest_others(self, asking):
        """Return how far the last true neighbor of each row is, itself not counted."""
        return self._farthest(self._X[asking], TUNED_FOR + 1)

    def _choose_candidates(self, asking, farthest):
        """Set the fewest candidates that find enough of these rows' neighbors, if any do."""
        Q, count = self._X[asking], min(LONGEST, self.n - 1)
        listed = _without_itself(self._candidates(Q, count + 1, TUNED_FOR), asking)
        queries, columns = np.nonzero(listed >= 0)
        hits = np.zeros(listed.shape, dtype=bool)
        found = self._exactly.distances(Q, queries, listed[queries, columns])
        hits[queries, columns] = found <= farthest[queries, 0]
        shares = np.minimum(hits.cumsum(axis=1), TUNED_FOR) / TUNED_FOR
        reached = shares.mean(axis=0)
        # A standard error above, so that chance does not pass what falls short; over queries,
        # because what one of them misses it often misses together.
        enough = np.flatnonzero(reached - shares.std(axis=0) / math.sqrt(len(Q)) >= self.recall)
        self.candidates = max(TUNED_FOR, int(enough[0]) + 1) if len(enough) else self.n
        self.measured_recall = float(reached[self.candidates - 1]) if len(enough) else 1.0
        return len(enough) > 0


def some(rows: Array, most: int) -> Array:
    """Return at most about so many of the rows, evenly spaced."""
    return rows[:: math.ceil(len(rows) / most)]


def _without_itself(listed, rows):
    """Drop from each list the row that asks, or the last where it is not listed."""
    own = listed == rows[:, None]
    own[~own.any(axis=1), -1] = True
    return listed[~own].reshape(len(listed), -1)


def _split(n):
    """Return rows to hold out and the others; none when a tenth would be too few."""
    order = np.random.default_rng(0).permutation(n)
    count = min(_SAMPLE, n // 10) if n >= 10 * MEASURED * TUNED_FOR else 0
    return np.sort(order[:count]), np.sort(order[count:])
