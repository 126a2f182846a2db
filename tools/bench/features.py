"""The vectors that searches are measured on: real where there are enough, else resampled."""

from dataclasses import dataclass

import numpy as np

from image_retrieval.datasets import load, locate
from image_retrieval.errors import InputError
from image_retrieval.sframes import sarray_to_vectors

QUERIES = 1000


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
        rng = np.random.default_rng(seed)
        if n + queries <= len(self.X):
            rows = self.X[rng.permutation(len(self.X))[: n + queries]]
            return rows[:n], rows[n:], f"real: {self.name}"
        rows = resampled(self.X, self.y, n + queries, rng)
        return rows[:n], rows[n:], f"synthetic: resampled from {len(self.X):,} {self.name}"


def resampled(X, y, n, rng):
    """Return `n` new vectors that lie among the old ones as those lie among themselves.

    Each is an old vector, moved by half the difference of two others of its label, and
    never negative, as features after a ReLU are. Clusters, covariance and distances to the
    nearest neighbor stay close to those of the old ones.

    Parameters
    ----------
    X : ndarray of float32, shape (m, d)
    y : ndarray of str, shape (m,)
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (n, d)
    """
    start = rng.integers(0, len(X), n)
    result = X[start]
    for label in np.unique(y):
        same, chosen = np.flatnonzero(y == label), np.flatnonzero(y[start] == label)
        first, second = rng.choice(same, (2, len(chosen)))
        result[chosen] += (X[first] - X[second]) / 2
    return np.maximum(result, 0, out=result)


def pool():
    """Return the features of real CIFAR-10 where built, else of the bundled sample."""
    try:
        place = locate("cifar10")
    except InputError:
        place = locate("sample")
    tables = load(place.name)
    X = np.concatenate([sarray_to_vectors(table["deep_features"]) for table in tables])
    y = np.concatenate([np.array(list(table["label"]), dtype=np.str_) for table in tables])
    what = "CIFAR-10 images" if place.name == "cifar10" else "images of the bundled sample"
    return Pool(what, X, y)
