"""Relevance feedback: pictures that were marked move the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike


def rocchio(
    query: ArrayLike,
    more: ArrayLike = (),
    less: ArrayLike = (),
    alpha: float = 1.0,
    beta: float = 0.75,
    gamma: float = 0.15,
) -> Array:
    r"""Move a query toward the vectors marked relevant and away from the others.

    Rocchio's formula [1]_, with the weights that are usual since [2]_:

        q' = (alpha * q + beta * mean(more) - gamma * mean(less)) / (alpha + beta - gamma)

    A term without vectors is left out, its weight too. Rocchio does not divide; dividing keeps
    the query at the scale of the features, as Euclidean distance needs, and changes nothing for
    the cosine.

    Parameters
    ----------
    query : array of float, shape (d,)
    more, less : array of float, shape (n, d), or empty
        Vectors marked "more like this" and "not this one".
    alpha, beta, gamma : float
        Weights of the query and of the two means; gamma less than alpha.

    Returns
    -------
    ndarray of float32, shape (d,)

    Raises
    ------
    InputError
        When the weights do not fit together.

    References
    ----------
    .. [1] J. Rocchio: Relevance feedback in information retrieval, in G. Salton (ed.): The
       SMART Retrieval System, 1971.
    .. [2] C. Manning, P. Raghavan, H. Schütze: Introduction to Information Retrieval, 2008,
       section 9.1.1.

    Examples
    --------
    >>> rocchio([1.0, 0.0], more=[[0.0, 1.0]], beta=1.0).tolist()
    [0.5, 0.5]
    """
    if not (0 <= gamma < alpha and beta >= 0):
        raise InputError(
            f"alpha={alpha}, beta={beta}, gamma={gamma}: none may be negative, and gamma must be "
            "less than alpha"
        )
    terms = [(alpha, np.asarray(query, np.float64))]
    for weight, vectors in ((beta, more), (-gamma, less)):
        if len(vectors):
            terms.append((weight, np.mean(vectors, axis=0, dtype=np.float64)))
    moved = sum(weight * vector for weight, vector in terms)
    return (moved / sum(weight for weight, _ in terms)).astype(np.float32)
