"""From feature vectors to points in the plane, and how well these keep labels together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.evaluate import rank_features
from image_retrieval.index import recall
from image_retrieval.index.validation import as_vectors

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Values

_PCA_DIMENSIONS = 50


def tsne(X: ArrayLike, perplexity: float = 30, seed: int = 0) -> Array:
    """Return a map of the vectors by t-SNE.

    Neighbors in the map are neighbors in the space. Distances between far points, and the
    sizes of clusters, mean nothing: t-SNE stretches dense places and shrinks empty ones.

    Parameters
    ----------
    X : array of numbers, shape (n, d)
        At least 4 vectors. More than 50 dimensions are brought to 50 by PCA first.
    perplexity : float
        How many neighbors each point should have, about; less than n.
    seed : int

    Returns
    -------
    ndarray of float64, shape (n, 2)

    Raises
    ------
    InputError
        When X is no matrix of finite numbers, or the perplexity is not possible.

    References
    ----------
    L. van der Maaten, G. Hinton: Visualizing Data using t-SNE, JMLR 9, 2008. Started from
    PCA as in D. Kobak, P. Berens: The art of using t-SNE for single-cell transcriptomics,
    Nature Communications 10, 2019.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    X = _matrix(X)
    if X.shape[1] < 2:
        raise InputError(
            "vectors of one dimension lie on a line already; give 2 dimensions or more"
        )
    if not 1 <= perplexity < len(X):
        problem = f"perplexity={perplexity} is not possible with {len(X)} vectors"
        raise InputError(f"{problem}; choose from 1 to less than {len(X)}")
    dimensions = min(_PCA_DIMENSIONS, *X.shape)
    model = TSNE(init="pca", learning_rate="auto", perplexity=perplexity, random_state=seed)
    # Threads would add up in another order each time; and where other programs are busy they
    # wait for one another, which can take ten times as long.
    with threadpool_limits(1):
        X = PCA(dimensions, svd_solver="full").fit_transform(X)
        return model.fit_transform(X).astype(np.float64)


def label_accuracy(points: ArrayLike, labels: Values, k: int = 5) -> float:
    """Return how well the neighbors of a point tell its label.

    Parameters
    ----------
    points : array of numbers, shape (n, d)
        A map, or the vectors it was made from.
    labels : sequence of n str
    k : int
        Neighbors that vote; the point itself is left out.

    Returns
    -------
    float
        Share of the points whose label the majority of their k nearest neighbors has; ties
        go to the label that comes first in alphabetical order.

    Examples
    --------
    >>> label_accuracy([[0, 0], [0, 1], [9, 9], [9, 8]], ["cat", "cat", "dog", "dog"], k=1)
    1.0
    """
    ranking = _nearest(points, labels, k)
    votes = ranking.neighbor_codes[:, :, None] == np.arange(len(ranking.labels))
    return float((votes.sum(axis=1).argmax(axis=1) == ranking.query_codes).mean())


def neighbors_kept(points: ArrayLike, X: ArrayLike, k: int = 10) -> float:
    """Return how faithful a map is: which share of the neighbors in a space are so in the map.

    Parameters
    ----------
    points : array of numbers, shape (n, 2)
    X : array of numbers, shape (n, d)
        The vectors that the map was made from.
    k : int
        Neighbors of each point, itself left out.

    Returns
    -------
    float
        About k / n for points placed at random, 1 for the vectors themselves.

    Examples
    --------
    >>> neighbors_kept([[0, 0], [1, 0], [5, 0], [6, 0]], [[0, 3], [0, 2], [9, 0], [8, 0]], k=1)
    1.0
    """
    found, truth = (_nearest(Y, [""] * len(Y), k).neighbor_ids for Y in (points, X))
    return recall(found, truth)


def _nearest(points, labels, k):
    points = _matrix(points)
    if not 1 <= k < len(points):
        raise InputError(f"k={k} is not possible with {len(points)} points; choose a smaller one")
    return rank_features(points, labels, depth=k)


def _matrix(X):
    X = as_vectors(X, what="the matrix of vectors")
    if len(X) < 4:
        raise InputError(f"a map needs 4 vectors or more, got {len(X)}")
    return X.astype(np.float64)
