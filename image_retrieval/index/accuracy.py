"""How much of the truth an approximate search finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import ArrayLike


def recall(found: ArrayLike, truth: ArrayLike) -> float:
    """Return the part of the true neighbors that was found, the mean over the queries.

    Parameters
    ----------
    found : array, shape (q, m)
        Ids, as `Engine.search` returns them.
    truth : array, shape (q, k)
        The ids of the true neighbors, by the engine `exact`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        When there are no queries or not as many in both.

    Examples
    --------
    >>> recall([[4, 2]], [[2, 3]])
    0.5
    """
    found, truth = np.asarray(found), np.asarray(truth)
    if len(found) != len(truth) or not truth.size:
        shapes = f"{found.shape} and {truth.shape}"
        raise InputError(f"recall needs neighbors of the same queries, got {shapes}")
    return float(np.mean([np.isin(true, some).mean() for true, some in zip(truth, found)]))
