"""Distances between vectors, rounded as Turi Create rounds them.

Sums run over the features one after the other; NumPy does that when it reduces the first
axis of an array whose rows are features.
"""

import numpy as np

#: Up to here Turi Create sums squared differences, beyond it uses inner products.
_FEW_FEATURES = 4


def _sums(values):
    """Return the sums of the columns of (d, n), added up from the first row to the last."""
    if values.shape[1] == 1:
        # NumPy would add a single column up in pairs.
        return np.add.accumulate(values[:, 0])[-1:]
    return np.add.reduce(values, axis=0)


def _dot(X, q):
    """Return the inner products of the rows of X, given as (d, n), with q."""
    return _sums(X * q[:, None])


def _squared(X, q):
    if len(q) <= _FEW_FEATURES:
        return _sums((X - q[:, None]) ** 2)
    norms = _dot_self(X) + _dot_self(q[:, None])
    return np.maximum(norms - 2 * _dot(X, q), 0)


def _dot_self(X):
    return _sums(X * X)


def _cosine(X, q):
    norms = np.sqrt(_dot_self(X)) * np.sqrt(_dot_self(q[:, None]))
    with np.errstate(all="ignore"):
        return 1 - np.where(norms > 0, _dot(X, q) / np.where(norms > 0, norms, 1), 0)


_FUNCTIONS = {
    "euclidean": lambda X, q: np.sqrt(_squared(X, q)),
    "squared_euclidean": _squared,
    "gaussian_kernel": lambda X, q: 1 - np.exp(-_squared(X, q)),
    "manhattan": lambda X, q: _sums(np.abs(X - q[:, None])),
    "cosine": _cosine,
    "transformed_dot_product": lambda X, q: np.log1p(np.exp(-_dot(X, q))),
}
NAMES = tuple(_FUNCTIONS)


def one_to_many(name, X, q):
    """Return the exact distances from q (d,) to the rows of X (n, d)."""
    return _FUNCTIONS[name](np.ascontiguousarray(X.T), q)


def many_to_many(name, Q, X):
    """Return distances (queries, n) by matrix product, right but for rounding."""
    if name == "manhattan":
        return np.array([np.abs(X - q).sum(axis=1) for q in Q])
    products = Q @ X.T
    if name == "transformed_dot_product":
        return np.log1p(np.exp(-products))
    squares = (Q * Q).sum(axis=1)[:, None], (X * X).sum(axis=1)[None, :]
    if name == "cosine":
        norms = np.sqrt(squares[0] * squares[1])
        return 1 - np.where(norms > 0, products / np.where(norms > 0, norms, 1), 0)
    result = np.maximum(squares[0] + squares[1] - 2 * products, 0)
    if name == "gaussian_kernel":
        return 1 - np.exp(-result)
    return np.sqrt(result) if name == "euclidean" else result


def padded(name, x, y):
    """Return the distance of two vectors; the first is cut off or continued with zeros.

    So Turi Create does it, but for the cosine, for which the first one keeps its own length.
    """
    x, y = (np.asarray(side, np.float64) for side in (x, y))
    if name == "cosine":
        size = max(len(x), len(y))
        x, y = (np.pad(side, (0, size - len(side))) for side in (x, y))
    x = np.pad(x, (0, max(len(y) - len(x), 0)))[: len(y)]
    return float(one_to_many(name, x[None, :], y)[0])
