"""The vectors that searches are measured on: real where there are enough, else resampled."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_retrieval.datasets import load, locate
from image_retrieval.index import resample
from image_retrieval.sframes import sarray_to_vectors

QUERIES = 800
_REAL = Path(__file__).resolve().parents[3] / "shared/reference/cifar10_features_224.npz"
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
    """Return the most features that there are here.

    Those of 20,800 images of CIFAR-10, where somebody has put them beside the project; else
    those of the data that `IMAGE_RETRIEVAL_DATA` names, or without it of real CIFAR-10 where
    built, or of the bundled sample.
    """
    return _of_archive(_REAL) if _REAL.is_file() else _of_course()


def _of_archive(path):
    with np.load(str(path)) as arrays:
        X = np.concatenate([arrays[f"{part}_features"] for part in ("train", "test")])
        y = np.concatenate([arrays[f"{part}_labels"] for part in ("train", "test")])
    return Pool("CIFAR-10 images at 224 px", X.astype(np.float32), y.astype(np.str_))


def _of_course():
    place = locate()
    tables = load(place.name if place.name in _WORDS else place.folder)
    X = np.concatenate([sarray_to_vectors(table["deep_features"]) for table in tables])
    y = np.concatenate([np.array(list(table["label"]), dtype=np.str_) for table in tables])
    return Pool(_WORDS.get(place.name, f"images of the folder {place.name}"), X, y)
