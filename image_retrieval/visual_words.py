"""Pictures as texts: local patches become words of a fitted vocabulary, pictures their counts.

Source: J. Sivic and A. Zisserman: Video Google: a text retrieval approach to object matching
in videos, ICCV 2003.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import pairwise_distances_argmin

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

_MOST_PATCHES = 20_000  # enough for a few hundred words


class VisualWords(TransformerMixin, BaseEstimator):
    """Turn maps of local descriptors into weighted counts of visual words.

    A word is the mean of a cluster of the training pictures' descriptors (k-means); a
    descriptor counts for the nearest word. Counts are weighted by tf-idf, as scikit-learn's
    `TfidfTransformer` does: a word that few pictures have says more.

    Parameters
    ----------
    n_words : int
        The size of the vocabulary.
    d : int
        Numbers of a descriptor; a picture may have any number of descriptors.

    Attributes
    ----------
    centers_ : ndarray of float64, shape (n_words, d)
        The vocabulary.
    idf_ : ndarray of float64, shape (n_words,)
        The weights of the words.

    Examples
    --------
    Two pictures of three patches each, and one number a patch:

    >>> words = VisualWords(n_words=2, d=1).fit([[0.0, 0.1, 9.0], [0.0, 0.1, 0.1]])
    >>> sorted(words.counts([[8.0, 9.0, 0.2]])[0].tolist())
    [1.0, 2.0]
    """

    def __init__(self, n_words: int = 200, d: int = 104) -> None:
        self.n_words = n_words
        self.d = d

    def fit(self, X: Array, y: Any = None) -> VisualWords:
        """Learn the vocabulary and the weights from maps, array of shape (n, places × d)."""
        patches = self._patches(X)
        if len(patches) < self.n_words:
            raise InputError(
                f"{len(patches)} patches cannot give {self.n_words} words; give more pictures, or "
                "a smaller n_words"
            )
        random = np.random.RandomState(0)
        chosen = random.permutation(len(patches))[:_MOST_PATCHES]
        clusters = KMeans(self.n_words, n_init=1, random_state=0).fit(patches[chosen])
        self.centers_ = clusters.cluster_centers_
        self.idf_ = TfidfTransformer().fit(self.counts(X)).idf_
        return self

    def words(self, X: Array) -> Array:
        """Return the word of each descriptor, int of shape (n, places)."""
        return pairwise_distances_argmin(self._patches(X), self.centers_).reshape(len(X), -1)

    def counts(self, X: Array) -> Array:
        """Return how often each word is in each picture, float64 of shape (n, n_words)."""
        found = [np.bincount(row, minlength=len(self.centers_)) for row in self.words(X)]
        return np.array(found, dtype=np.float64)

    def transform(self, X: Array) -> Array:
        """Return the weighted counts, float64 of shape (n, n_words)."""
        return self.counts(X) * self.idf_

    def _patches(self, X):
        # In double precision, the clusters do not hang on the machine's last digits.
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or not self.d or X.shape[1] % self.d:
            raise InputError(
                f"maps of shape {X.shape} do not hold descriptors of {self.d} numbers; extract "
                "them with pooling=None, or give d"
            )
        return X.reshape(-1, self.d)
