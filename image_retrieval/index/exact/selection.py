"""Finding the smallest values of many rows without sorting or scanning them twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

# The minimum over 32 strided sub-blocks shortens a row 32 times in one streaming pass.
_GROUPS = 32


def lowest(values: Array, k: int) -> tuple[Array, Array]:
    """Return copies of the `k` smallest values of each row and their columns, in no order.

    Each row is cut into groups of 32 values that lie a stride apart. The `k` groups with
    the smallest minima hold the `k` smallest values: a value outside of them is no smaller
    than those `k` minima. Only their 32 · k values are then partitioned.

    Parameters
    ----------
    values : ndarray of float, shape (q, n)
    k : int
        At most n.

    Returns
    -------
    ndarray of float, shape (q, k)
    ndarray of int, shape (q, k)

    Examples
    --------
    >>> lowest(np.array([[5.0, 1.0, 3.0]]), 1)
    (array([[1.]]), array([[1]]))
    """
    n = values.shape[1]
    stride = n // _GROUPS
    if k >= n:
        return values.copy(), np.broadcast_to(np.arange(n), values.shape)
    if stride <= 2 * k:
        return _partition(values, k)
    minima = values[:, : stride * _GROUPS].reshape(len(values), _GROUPS, stride).min(axis=1)
    groups = np.argpartition(minima, k - 1, axis=1)[:, :k]
    members = groups[:, None, :] + stride * np.arange(_GROUPS)[None, :, None]
    columns = _with_rest(members.reshape(len(values), -1), stride * _GROUPS, n)
    best, places = _partition(np.take_along_axis(values, columns, axis=1), k)
    return best, np.take_along_axis(columns, places, axis=1)


def _partition(values, k):
    places = np.argpartition(values, k - 1, axis=1)[:, :k]
    return np.take_along_axis(values, places, axis=1), places


def _with_rest(columns, start, stop):
    # Up to 31 columns at the end fit into no group; they are candidates for every row.
    rest = np.broadcast_to(np.arange(start, stop), (len(columns), stop - start))
    return np.concatenate([columns, rest], axis=1)
