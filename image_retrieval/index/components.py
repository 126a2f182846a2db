"""Principal axes of vectors: the directions in which they differ most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.index.distances import inverse, norms

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

FITTED_ROWS = 5000  # that a rotation is computed from
_FEW = 4  # queries that one thread turns sooner than several


def principal_axes(X: Array, rows: int) -> tuple[Array, Array]:
    """Return center and principal axes of at most about `rows` evenly spaced rows of `X`.

    Parameters
    ----------
    X : ndarray of float, shape (n, d)
        n at least 1.
    rows : int

    Returns
    -------
    center : ndarray of float64, shape (d,)
    axes : ndarray of float64, shape (d, d)
        Orthonormal columns, that of the largest variance first.

    Examples
    --------
    >>> center, axes = principal_axes(np.array([[0.0, 1.0], [0.0, 3.0]]), 100)
    >>> center, abs(axes[:, 0])
    (array([0., 2.]), array([0., 1.]))
    """
    sample = X[:: math.ceil(len(X) / rows)].astype(np.float64)
    center = sample.mean(axis=0)
    sample -= center
    return center, np.linalg.eigh(sample.T @ sample)[1][:, ::-1]


def doubled(d: int) -> list[int]:
    """Return numbers of components to try: 64, 128, … and all `d`.

    Examples
    --------
    >>> doubled(300)
    [64, 128, 256, 300]
    """
    return [*(64 << i for i in range(20) if 64 << i < d), d]


class Rotation:
    """Principal components of vectors, of their directions for the cosine.

    Parameters
    ----------
    center : ndarray of float32, shape (d,)
    matrix : ndarray of float32, shape (d, components)
    metric : str
    """

    def __init__(self, center: Array, matrix: Array, metric: str) -> None:
        self.center, self.matrix, self.metric = center, matrix, metric

    @classmethod
    def fit(cls, X: Array, metric: str) -> Rotation:
        """Return the rotation of `X` (n, d) onto all its principal axes."""
        sample = X[:: math.ceil(len(X) / FITTED_ROWS)]
        center, matrix = principal_axes(as_measured(sample, metric), FITTED_ROWS)
        return cls(center.astype(np.float32), matrix.astype(np.float32), metric)

    def first(self, components: int) -> Rotation:
        """Return the rotation to the first components only."""
        matrix = np.asfortranarray(self.matrix[:, :components])
        return Rotation(self.center, matrix, self.metric)

    def __call__(self, X: Array) -> Array:
        """Return the components of vectors, float32."""
        centered = as_measured(X, self.metric) - self.center
        if len(X) < _FEW:
            # One thread: to wake and await a second takes longer than the product.
            return np.einsum("ij,kj->ik", centered, self.matrix.T)
        return centered @ self.matrix


def as_measured(X: Array, metric: str) -> Array:
    """Return vectors (n, d) between which Euclidean distances rank as the metric does."""
    if metric != "cosine":
        return X
    return (X * inverse(norms(X))[:, None]).astype(np.float32)
