"""Distances between vectors, rounded as Turi Create rounds them.

Sums run over the features one after the other; NumPy does that when it reduces the first
axis of an array whose rows are features.
"""

import numpy as np

from ..missing import lacks

_ABSENT = ("dot_product", "jaccard", "weighted_jaccard", "levenshtein", "gaussian_kernel")
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
    "manhattan": lambda X, q: _sums(np.abs(X - q[:, None])),
    "cosine": _cosine,
    "transformed_dot_product": lambda X, q: np.log1p(np.exp(-_dot(X, q))),
}
NAMES = tuple(_FUNCTIONS)


def check_name(distance):
    """Return the name of a distance given by name or as a function of this module."""
    name = getattr(distance, "__name__", distance)
    if name in _ABSENT:
        raise lacks(f"The distance '{name}'", f"there are {', '.join(NAMES)}")
    if name not in _FUNCTIONS:
        raise ValueError(f"Distance {name!r} is not recognized; there are {', '.join(NAMES)}")
    return name


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
    return np.sqrt(result) if name == "euclidean" else result


def _public(name):
    def distance(x, y):
        x, y = (np.asarray(side, np.float64) for side in (x, y))
        return float(one_to_many(name, x[None, :], y)[0])

    distance.__name__ = distance.__qualname__ = name
    distance.__doc__ = f"Return the {name} distance between two vectors of numbers."
    return distance


euclidean = _public("euclidean")
squared_euclidean = _public("squared_euclidean")
manhattan = _public("manhattan")
cosine = _public("cosine")
transformed_dot_product = _public("transformed_dot_product")


def __getattr__(name):
    if name in _ABSENT or name in ("build_address_distance", "compute_composite_distance"):
        raise lacks(f"turicreate.distances.{name}")
    raise AttributeError(f"module 'turicreate.distances' has no attribute '{name}'")
