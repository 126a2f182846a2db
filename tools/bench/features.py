"""The vectors that searches are measured on: real where there are enough, else resampled."""

from dataclasses import dataclass

import numpy as np

from image_retrieval.datasets import load, locate
from image_retrieval.index import resample
from image_retrieval.sframes import sarray_to_vectors

QUERIES = 1000
_WORDS = {"cifar10": "CIFAR-10 images", "sample": "images of the bundled sample"}


@dataclass(frozen=True)
class Pool:
    """All features there are, with their labels.

    Attributes
    ----------
    name : str
        Where they come from, in words.
    X : ndarray of float32, shape (m, d)
    y : ndarray of str, shape (m,)
    """

    name: str
    X: np.ndarray
    y: np.ndarray

    def sample(self, n, queries=QUERIES, seed=0):
        """Return `n` reference rows, queries that are not among them, and what they are.

        Returns
        -------
        X : ndarray of float32, shape (n, d)
        Q : ndarray of float32, shape (queries, d)
        name : str
        """
        if n + queries <= len(self.X):
            order = np.random.default_rng(seed).permutation(len(self.X))
            rows = self.X[order[: n + queries]]
            return rows[:n], rows[n:], f"real: {self.name}"
        rows = resample(self.X, self.y, n + queries, seed)
        return rows[:n], rows[n:], f"synthetic: resampled from {len(self.X):,} {self.name}"


def pool():
    """Return the features of the data that `IMAGE_RETRIEVAL_DATA` names.

    Without it, those of real CIFAR-10 where built, else of the bundled sample.
    """
    place = locate()
    tables = load(place.name if place.name in _WORDS else place.folder)
    X = np.concatenate([sarray_to_vectors(table["deep_features"]) for table in tables])
    y = np.concatenate([np.array(list(table["label"]), dtype=np.str_) for table in tables])
    return Pool(_WORDS.get(place.name, f"images of the folder {place.name}"), X, y)
