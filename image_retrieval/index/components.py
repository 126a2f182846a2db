"""Principal axes of vectors: the directions in which they differ most."""

import math

import numpy as np


def principal_axes(X, rows):
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
