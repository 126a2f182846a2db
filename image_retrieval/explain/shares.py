"""Why two pictures count as similar: which parts of them make up their similarity.

Deep features here are the mean of the backbone's last feature map over its locations. The
inner product is linear, so that of two pooled vectors q and r is exactly the mean, over all
pairs of locations, of the inner products of the vectors there:

    <q, r> = mean over i, j of <q_i, r_j> = sum over i of <q_i, r> / n

The last sum gives each of the query's n locations its share of the similarity, and the same
with the roles exchanged gives the neighbor's. [1]_ A recipe of `image_retrieval.postprocess`
keeps this exact: centering and PCA are affine; L2 normalization and the square root multiply
a picture's map, as a whole or channel by channel, by numbers that depend on its pooled
vector alone. A share is negative where a location makes the two less similar.

Squared Euclidean distance between pixels splits too, over the pixels.

.. [1] Stylianou, Souvenir and Pless, "Visualizing deep similarity networks", WACV 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Sequence

import numpy as np

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Recipe


@dataclass(frozen=True, eq=False)
class Shares:
    """How a similarity is made up.

    Attributes
    ----------
    similarity : float
        The inner product of the two pooled vectors.
    query : ndarray of float64, shape (h, w)
        The share of each location of the query; they sum to `similarity`.
    neighbor : ndarray of float64, shape (h, w)
        The share of each location of the neighbor; they sum to `similarity`.
    """

    similarity: float
    query: np.ndarray
    neighbor: np.ndarray


def similarity_shares(
    query_map: ArrayLike, neighbor_map: ArrayLike, recipe: Recipe = None
) -> Shares:
    """Split the similarity of two pictures among their locations.

    Parameters
    ----------
    query_map, neighbor_map : array of float, shape (h, w, d)
        Last feature maps, see `image_retrieval.features.extract_map`.
    recipe : fitted sklearn.pipeline.Pipeline or step, optional
        What was done to the pooled vectors, see `through`; nothing, without it.

    Returns
    -------
    Shares

    Examples
    --------
    >>> query, neighbor = np.zeros((2, 2, 2, 3))
    >>> query[0, 0], neighbor[1, 1] = [0, 4, 0], [0, 4, 0]
    >>> shares = similarity_shares(query, neighbor)
    >>> shares.similarity, shares.query.tolist(), shares.neighbor.tolist()
    (1.0, [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]])
    """
    query_map, neighbor_map = through(recipe, query_map), through(recipe, neighbor_map)
    if query_map.shape[2] != neighbor_map.shape[2]:
        problem = f"the maps have {query_map.shape[2]} and {neighbor_map.shape[2]} channels"
        raise InputError(f"{problem}; extract both with the same backbone")
    query, neighbor = pool(query_map), pool(neighbor_map)
    in_query = query_map @ neighbor / query_map[..., 0].size
    return Shares(
        float(query @ neighbor), in_query, neighbor_map @ query / neighbor_map[..., 0].size
    )


def through(recipe: Recipe, feature_map: ArrayLike) -> Array:
    """Carry a feature map through the steps that were applied to its pooled vector.

    Parameters
    ----------
    recipe : fitted sklearn.pipeline.Pipeline or step, or None
        Steps may be `FunctionTransformer(signed_root)`, `Normalizer`, `StandardScaler` and
        `PCA`, and pipelines of them.
    feature_map : array of float, shape (h, w, d)

    Returns
    -------
    ndarray of float64, shape (h, w, d')
        Its mean over locations is what `recipe` makes of the mean of `feature_map`.

    Raises
    ------
    InputError
        When a step is none of these, or the array is no feature map.
    """
    feature_map = np.asarray(feature_map, dtype=np.float64)
    if feature_map.ndim != 3 or feature_map.size == 0:
        problem = f"a feature map must have shape (h, w, d), got {feature_map.shape}"
        raise InputError(f"{problem}; features.extract_map gives one per picture")
    if recipe is None:
        return feature_map
    # Imported here: maps without a recipe need no scikit-learn.
    from image_retrieval.postprocess import steps_of

    for step in steps_of(recipe):
        feature_map = _apply(step, feature_map)
    return feature_map


def pool(feature_map: ArrayLike) -> Array:
    """Return the mean of a map of shape (h, w, d) over its locations, shape (d,)."""
    return feature_map.mean(axis=(0, 1))


def joined_shares(parts: Sequence[Shares]) -> Shares:
    """Return the shares of a pair of pictures whose vectors stand side by side in one.

    Parameters
    ----------
    parts : sequence of Shares
        Of one pair of pictures, each by another extraction, on grids of any sizes.

    Returns
    -------
    Shares
        The sums, on the coarsest grid that divides into whole cells of each.

    Examples
    --------
    >>> halves, thirds = np.array([[3.0, 0.0]]), np.array([[0.0, 3.0, 0.0]])
    >>> joined_shares([Shares(3.0, halves, halves), Shares(3.0, thirds, thirds)]).query
    array([[1. , 1. , 2.5, 1.5, 0. , 0. ]])
    """
    similarity = sum(part.similarity for part in parts)
    sides = ([getattr(part, side) for part in parts] for side in ("query", "neighbor"))
    return Shares(similarity, *(_summed(maps) for maps in sides))


def _summed(maps):
    shape = np.lcm.reduce([each.shape for each in maps])
    pieces = [shape // each.shape for each in maps]
    return sum(np.kron(each, np.full(n, 1 / n.prod())) for each, n in zip(maps, pieces))


def distance_shares(query_map: ArrayLike, neighbor_map: ArrayLike) -> Array:
    """Split the squared distance of two pictures among their positions.

    Parameters
    ----------
    query_map, neighbor_map : array of numbers, shape (h, w, d)
        Of one size: pixels, or feature maps that are compared without pooling.

    Returns
    -------
    ndarray of float64, shape (h, w)
        Squared differences summed over the channels. They sum to the squared Euclidean
        distance of the two.

    Raises
    ------
    InputError
        When they differ in size.

    Examples
    --------
    >>> distance_shares(np.zeros((1, 2, 3), np.uint8), np.full((1, 2, 3), 10, np.uint8))
    array([[300., 300.]])
    """
    query, neighbor = np.asarray(query_map, np.float64), np.asarray(neighbor_map, np.float64)
    if query.shape != neighbor.shape:
        found = f"got {query.shape[:2]} and {neighbor.shape[:2]}"
        raise InputError(f"a distance needs pictures of one size, {found}; extract both alike")
    return ((query - neighbor) ** 2).sum(axis=2)


def _apply(step, feature_map):
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

    from image_retrieval.postprocess import signed_root

    is_root = isinstance(step, FunctionTransformer) and step.func is signed_root
    if is_root or isinstance(step, Normalizer):
        # A factor a channel, which the pooled vector alone decides.
        pooled = pool(feature_map)
        scaled = step.transform(pooled[None])[0]
        return feature_map * np.divide(scaled, pooled, out=np.zeros_like(pooled), where=pooled != 0)
    if isinstance(step, (PCA, StandardScaler)):
        flat = step.transform(feature_map.reshape(-1, feature_map.shape[2]))
        return flat.reshape(feature_map.shape[:2] + (-1,))
    problem = f"the step {type(step).__name__} does not split among locations"
    way_out = "use FunctionTransformer(signed_root), Normalizer, StandardScaler and PCA"
    raise InputError(f"{problem}; {way_out}")
