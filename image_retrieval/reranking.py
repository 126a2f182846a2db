"""Better orders of the references, from how they lie among one another; no label is used.

Both methods know the references beforehand and take each query alone. They keep matrices of
m × m numbers for m references: for collections of some thousands, or the first some thousand
results of a larger one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.index.validation import as_vectors

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike


def k_reciprocal_distances(
    references: ArrayLike, queries: ArrayLike, k: int = 20, expand: int = 6, weight: float = 0.3
) -> Array:
    """Return distances that count the neighbors that two images share.

    A neighbor is *reciprocal* when the query is among the neighbor's own `k` nearest as well.
    The sets of reciprocal neighbors are extended by those of their members, and compared: the
    Jaccard distance, mixed with the plain one. [1]_

    Parameters
    ----------
    references : array of float, shape (m, d)
        L2-normalized.
    queries : array of float, shape (n, d)
        L2-normalized.
    k : int
        Neighbors looked at; k1 in the paper.
    expand : int
        Images, with the image itself, whose sets are averaged; k2 in the paper.
    weight : float
        Share of the plain distance, from 0 to 1; λ in the paper.

    Returns
    -------
    ndarray of float64, shape (n, m)

    Notes
    -----
    The paper ranks all queries together, so that they help one another. Here a query's
    distances are the same whatever else is asked, as in a search.

    References
    ----------
    .. [1] Zhong, Zheng, Cao and Li, "Re-ranking person re-identification with k-reciprocal
       encoding", CVPR 2017.
    """
    R, Q = _pair(references, queries, max(k, expand))
    among, asked = _distances(R, R), _distances(Q, R)
    reach = np.sort(among, axis=1)[:, [k - 1, (k + 1) // 2 - 1]].T
    wide, narrow = ((among <= far) & (among <= far[:, None]) for far in reach)
    near = _nearest(asked, k) & (asked <= reach[0])
    V, W = (_encode(near_, narrow, far) for near_, far in ((wide, among), (near, asked)))
    W = (W + _nearest(asked, expand - 1) @ V) / expand
    V = _nearest(among, expand) @ V / expand
    shared = np.array([np.minimum(w[w > 0], V[:, w > 0]).sum(axis=1) for w in W])
    jaccard = 1 - shared / np.maximum(W.sum(axis=1)[:, None] + V.sum(axis=1) - shared, 1e-12)
    return (1 - weight) * jaccard + weight * asked / asked.max(axis=1, keepdims=True)


def diffusion_distances(
    references: ArrayLike, queries: ArrayLike, k: int = 50, power: float = 3, reach: float = 0.99
) -> Array:
    """Return distances along the graph of neighbors, as heat would spread from the query.

    Each reference is linked with its mutual nearest neighbors; a query heats its own nearest,
    and the heat spreads until it rests. What is warm is near, however long the way. [1]_

    Parameters
    ----------
    references : array of float, shape (m, d)
        L2-normalized.
    queries : array of float, shape (n, d)
        L2-normalized.
    k : int
        Neighbors linked, and neighbors heated by a query.
    power : float
        Similarities are raised to it; γ in the paper.
    reach : float
        Heat passed on, from 0 to below 1; α in the paper.

    Returns
    -------
    ndarray of float64, shape (n, m)
        From 0 to 1 where heat arrives; references that it does not reach come after all
        others, in the plain order.

    References
    ----------
    .. [1] Iscen, Tolias, Avrithis, Furon and Chum, "Efficient diffusion on region manifolds:
       recovering small objects with compact CNN representations", CVPR 2017.
    """
    R, Q = _pair(references, queries, k)
    if not 0 <= reach < 1:
        raise InputError(f"reach must be from 0 to below 1, got {reach!r}")
    among, asked = _distances(R, R), _distances(Q, R)
    np.fill_diagonal(among, np.inf)  # no image is its own neighbor
    near = _nearest(among, min(k, len(R) - 1))
    links = np.where(near & near.T, (R @ R.T).clip(0) ** power, 0)
    roots = np.sqrt(np.maximum(links.sum(axis=1), 1e-12))
    system = np.eye(len(R)) - reach * links / roots / roots[:, None]
    source = np.where(_nearest(asked, k), (Q @ R.T).clip(0) ** power, 0)
    # Rounded, so that no order hangs on the last digits of the solution.
    heat = np.linalg.solve(system, source.T).T.round(12)
    heat /= np.maximum(heat.max(axis=1, keepdims=True), 1e-12)
    return np.where(heat > 0, 1 - heat, 1 + asked)


def _pair(references, queries, k):
    R = as_vectors(references, what="the reference matrix").astype(np.float64)
    Q = as_vectors(queries, R.shape[1], what="the query matrix").astype(np.float64)
    if not 1 <= k <= len(R):
        raise InputError(f"neighbors must be from 1 to the number of references, {len(R)}; got {k}")
    return R, Q


def _distances(A, B):
    """Return squared distances of vectors of length 1."""
    return (2 - 2 * A @ B.T).clip(0).round(12)


def _nearest(distances, k):
    """Return which columns are among the `k` smallest of each row, bool."""
    near = np.zeros(distances.shape, dtype=bool)
    rows = np.argsort(distances, axis=1, kind="stable")[:, :k]
    np.put_along_axis(near, rows, True, axis=1)
    return near


def _encode(near, narrow, distances):
    """Return the extended sets of reciprocal neighbors as shares that fall with the distance."""
    sizes = narrow.sum(axis=1)
    shared = near.astype(np.float32) @ narrow.T.astype(np.float32)
    trusted = near & (shared >= 2 / 3 * sizes)
    near = near | (trusted.astype(np.float32) @ narrow.astype(np.float32) > 0)
    weights = np.where(near, np.exp(-distances), 0)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
