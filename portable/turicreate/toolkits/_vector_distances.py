"""Distances between vectors, rounded as Turi Create rounds them.

A query's sums run over the features one after the other, but for four of them; NumPy does that
when it reduces the first axis of an array whose rows are features. Those of a pair run over two
sums of every other two features, as its library for matrices (Eigen, `Redux.h`) adds them up.
"""

import numpy as np

from ._main import ToolkitError

#: Up to here Turi Create sums a query's squared differences, beyond it uses inner products.
_FEW_FEATURES = 4


def _in_order(values):
    """Return the sums of the columns of (d, n), added up from the first row to the last."""
    if values.shape[1] == 1:
        # NumPy would add a single column up in pairs.
        return np.add.accumulate(values[:, 0])[-1:]
    return np.add.reduce(values, axis=0)


def _in_twos(values):
    """Return the sums of the columns of (d, n): of rows 0, 4, 8 ..., of 1, 5, 9 ... and so on."""
    even, fours = len(values) // 2 * 2, len(values) // 4 * 4
    if fours:
        parts = [_in_order(values[start:fours:4]) for start in range(4)]
        first, second = parts[0] + parts[2], parts[1] + parts[3]
        if even > fours:
            first, second = first + values[even - 2], second + values[even - 1]
    elif even:
        first, second = values[0], values[1]
    else:
        return _in_order(values)
    return first + second + values[-1] if even < len(values) else first + second


def _of_query(values):
    return _in_twos(values) if len(values) == _FEW_FEATURES else _in_order(values)


def _functions(sums, few):
    """Return {name: function of X (d, n) and q (d,)} that adds up with `sums`.

    With up to `few` features, differences are squared; with more, inner products are used.
    """

    def dot(X, q):
        return sums(X * q[:, None])

    def squared(X, q):
        if len(q) <= few:
            return sums((X - q[:, None]) ** 2)
        return np.maximum(sums(X * X) + dot(q[:, None], q) - 2 * dot(X, q), 0)

    def cosine(X, q):
        norms = np.sqrt(sums(X * X)) * np.sqrt(dot(q[:, None], q))
        with np.errstate(all="ignore"):
            return 1 - np.where(norms > 0, dot(X, q) / np.where(norms > 0, norms, 1), 0)

    return {
        "euclidean": lambda X, q: np.sqrt(squared(X, q)),
        "squared_euclidean": squared,
        "gaussian_kernel": lambda X, q: 1 - np.exp(-squared(X, q)),
        "manhattan": lambda X, q: sums(np.abs(X - q[:, None])),
        "cosine": cosine,
        "transformed_dot_product": lambda X, q: np.log1p(np.exp(-dot(X, q))),
    }


_QUERY = _functions(_of_query, _FEW_FEATURES)
_PAIR = _functions(_in_twos, np.inf)
NAMES = tuple(_QUERY)


def one_to_many(name, X, q):
    """Return the exact distances from q (d,) to the rows of X (n, d)."""
    return _QUERY[name](np.ascontiguousarray(X.T), q)


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
    return float(_PAIR[name](x[: len(y), None], y)[0])
