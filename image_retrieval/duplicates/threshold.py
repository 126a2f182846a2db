"""How near is too near: a threshold from the distances of a data set itself.

In one data set the nearest neighbor of an ordinary picture is at one distance, in another at
half of that, so no fixed number serves all. The logarithms of the distances to the nearest
neighbor are roughly bell-shaped, and pictures that have a copy are outliers on its left. The
center and the width of the bell are taken as median and median absolute deviation, which the
outliers hardly move. [1]_ That a copy is found by its deep features at all was shown for
CIFAR-10. [2]_

.. [1] B. Iglewicz and D. Hoaglin, *How to Detect and Handle Outliers*, 1993, chapter 3.
.. [2] B. Barz and J. Denzler, "Do We Train on Test Data? Purging CIFAR of Near-Duplicates",
   Journal of Imaging 6(6), 2020, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.index import build

if TYPE_CHECKING:
    from image_retrieval.signatures import ArrayLike

METRIC = "cosine"
_WIDTHS = 2.0
# Of a bell-shaped distribution: from the median absolute deviation to the standard deviation.
_TO_DEVIATION = 1.4826
_FEWEST = 20
_WITHOUT = 0.1  # where there are too few pictures
_AMONG = 8
_ITSELF = 1e-6
_AT_ONCE = 512


@dataclass(frozen=True)
class Threshold:
    """A cosine distance below which two pictures are suspected to be copies.

    Attributes
    ----------
    distance : float
    typical : float
        The median distance of a picture to its nearest neighbor; nan where there are too few
        pictures to say.
    nearer : int
        Pictures with a neighbor within `distance`.
    n : int
        Pictures looked at.

    Examples
    --------
    >>> print(Threshold(0.2, 0.33, 25, 2000))
    0.200 (the typical nearest neighbor is at 0.330; 25 of 2,000 pictures have one within 0.200)
    """

    distance: float
    typical: float
    nearer: int
    n: int

    def __str__(self) -> str:
        if np.isnan(self.typical):
            return f"{self.distance:.3f} (too few pictures to tell what is usual among them)"
        return (
            f"{self.distance:.3f} (the typical nearest neighbor is at {self.typical:.3f}; "
            f"{self.nearer:,} of {self.n:,} pictures have one within {self.distance:.3f})"
        )


def propose_threshold(X: ArrayLike) -> Threshold:
    """Propose the distance below which pictures are suspected to be copies of each other.

    Parameters
    ----------
    X : array of float, shape (n, d)
        Deep features.

    Returns
    -------
    Threshold
        Two standard deviations below the median of the logarithms of the distances to the
        nearest neighbor; neighbors at distance 0 are passed over. 0.1 where there are fewer
        than 20 pictures.

    Examples
    --------
    >>> X = np.random.RandomState(0).normal(size=(300, 40))
    >>> X[1] = X[0] + 0.1
    >>> found = propose_threshold(X)
    >>> found.nearer < 20, bool(0.01 < found.distance < found.typical)
    (True, True)
    """
    nearest = _nearest(np.asarray(X, np.float32))
    known = nearest[np.isfinite(nearest)]
    if len(known) < _FEWEST:
        return Threshold(_WITHOUT, float("nan"), int((known <= _WITHOUT).sum()), len(X))
    logs = np.log(known)
    median = np.median(logs)
    deviation = _TO_DEVIATION * np.median(abs(logs - median))
    distance = float(np.exp(median - _WIDTHS * deviation))
    return Threshold(distance, float(np.exp(median)), int((known <= distance).sum()), len(X))


def _nearest(X):
    """Return the distance of each row to the nearest other one; infinite for none."""
    engine, found = build(X, metric=METRIC), []
    for start in range(0, len(X), _AT_ONCE):
        distances = engine.search(X[start : start + _AT_ONCE], k=_AMONG)[1]
        found.append(np.where(distances > _ITSELF, distances, np.inf).min(axis=1))
    return np.concatenate(found) if found else np.empty(0)
