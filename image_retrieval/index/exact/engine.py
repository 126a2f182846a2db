"""The exact search behind the interface of every engine."""

from __future__ import annotations

from image_retrieval.errors import InputError
from image_retrieval.index.engine import MemoryEngine
from image_retrieval.index.exact.cascade import Cascade
from image_retrieval.index.exact.search import ExactSearch


class ExactEngine(MemoryEngine):
    """Brute force: the true nearest neighbors, proven for every query.

    See `image_retrieval.index.exact.ExactSearch` for how. After 400 searches for one or two
    queries among enough rows, the rows' principal axes are learned once, which takes a second or
    two and a third more memory. One query then takes a fraction of the time and finds the same
    neighbors. What was learned is saved with the index, and forgotten when rows are added or
    removed.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    block_mb : int
        Memory for one block of the product, in MiB a core.
    """

    name = "exact"

    def __init__(self, metric: str = "euclidean", block_mb: int = 32) -> None:
        super().__init__(metric)
        if not isinstance(block_mb, int) or block_mb < 1:
            raise InputError(f"block_mb must be an integer of at least 1, got {block_mb!r}")
        self.block_mb = block_mb

    def learn(self) -> bool:
        """Learn the rows' principal axes now, and not in the middle of someone's query.

        Returns
        -------
        bool
            Whether they help; where they do not, nothing is kept.
        """
        self._require_built()
        return self._exact.learn()

    def _prepare(self):
        self._exact = ExactSearch(self._X, self.metric, self.block_mb << 20)

    def _nearest(self, Q, k, radius, rows):
        return self._exact.nearest(Q, k, rows, radius)

    def _write(self, folder):
        super()._write(folder)
        if self._exact.cascade is not None:
            self._exact.cascade.write(folder)

    def _reopen(self, folder):
        self._prepare()
        self._exact.cascade = Cascade.read(folder, self._exact.bounds)
