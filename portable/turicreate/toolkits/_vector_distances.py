"""Distances between vectors, rounded as Turi Create rounds them.

Sums run over the features one after the other; NumPy does that when it reduces the first
axis of an array whose rows are features.
"""

import numpy as np

from ._main import ToolkitError

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


def of_pair(name, x, y):
    """Return the distance of two vectors, the second of which may be the shorter one.

    Turi Create then leaves the rest of the first out, except for the cosine, for which it counts.
    Where the first is the shorter one it reads on in memory that is not the vector's.
    """
    x, y = (np.asarray(side, np.float64) for side in (x, y))
    if len(x) < len(y):
        raise ToolkitError(
            f"The vectors have {len(x)} and {len(y)} numbers; give two of one length. Turi Create "
            "reads past the end of the first one here, and its answer differs from call to call."
        )
    if name == "cosine":
        y = np.pad(y, (0, len(x) - len(y)))
    return float(one_to_many(name, x[None, : len(y)], y)[0])
