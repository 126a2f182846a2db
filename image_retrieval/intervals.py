"""How far an average can be trusted: standard errors and intervals by the bootstrap.

A mean over queries would be another one with other queries. The bootstrap
estimates how far off: the queries are drawn again at random, with repetition, as many as
there are, and the mean is taken each time. [1]_ Queries that show the same drawing or photograph
are drawn together, because each further one of them says little that is new. [2]_

.. [1] B. Efron and R. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 6 and 13.
.. [2] A. C. Davison and D. V. Hinkley, *Bootstrap Methods and their Application*, 1997, 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Values

_ROUNDS = 2000
_SEED = 0
_AT_ONCE = 1 << 22  # numbers of a block of rounds


@dataclass(frozen=True)
class Interval:
    """A mean, and how far it can be trusted.

    Attributes
    ----------
    mean : float
    error : float
        Its standard error.
    low, high : float
        Ends of the percentile interval.

    Examples
    --------
    >>> print(Interval(0.7041, 0.0288, 0.648, 0.759))
    0.704 ± 0.029
    """

    mean: float
    error: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.error:.3f}"

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0, as a clear difference does."""
        return self.low > 0 or self.high < 0


def of_mean(values: Values, groups: Values | None = None, confidence: float = 0.95) -> Interval:
    """Return the mean of one value per query, with its interval.

    Parameters
    ----------
    values : sequence of float, length n
        One per query, such as `image_retrieval.evaluate.precision_at_k` gives; those that are
        nan are left out.
    groups : sequence of n str or int, optional
        What each query shows, where several show the same; each its own when not given.
    confidence : float
        Share of the bootstrap's means that lie in the interval, between 0 and 1.

    Returns
    -------
    Interval
        The same for the same values: the bootstrap is seeded.

    Raises
    ------
    InputError
        When there are fewer than two groups, or the numbers do not fit.

    Examples
    --------
    Eight queries of two photographs say less than eight of eight:

    >>> values = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    >>> print(of_mean(values))
    0.500 ± 0.177
    >>> print(of_mean(values, groups=["a", "b", "a", "a", "b", "b", "a", "b"]))
    0.500 ± 0.357
    """
    values = np.asarray(values, dtype=np.float64)
    groups = np.arange(len(values)) if groups is None else np.asarray(groups)
    if values.ndim != 1 or len(groups) != len(values):
        problem = f"{len(groups)} groups for values of shape {values.shape}"
        raise InputError(f"{problem}; give one of each per query")
    if not 0 < confidence < 1:
        raise InputError(f"confidence must be between 0 and 1, got {confidence!r}")
    known = np.isfinite(values)
    _, members = np.unique(groups[known], return_inverse=True)
    if members.max(initial=0) < 1:
        raise InputError("an interval needs queries of two groups at least; query with more")
    sums = np.bincount(members, weights=values[known])
    means = _means(sums, np.bincount(members))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(values[known].mean()), float(means.std(ddof=1)), float(low), float(high))


def of_difference(
    values: Values, others: Values, groups: Values | None = None, confidence: float = 0.95
) -> Interval:
    """Return the mean of `values - others`, with its interval.

    Two ways to search are compared on the same queries: what makes a query hard for both
    then cancels out, and the interval is much narrower than those of the two means.

    Parameters
    ----------
    values, others : sequence of float, length n
        One per query, in the same order.
    groups, confidence
        As for `of_mean`.

    Returns
    -------
    Interval

    Examples
    --------
    >>> better, worse = [1.0, 0.6, 0.8, 0.4], [0.8, 0.4, 0.6, 0.2]
    >>> difference = of_difference(better, worse)
    >>> print(difference, difference.excludes_zero)
    0.200 ± 0.000 True
    """
    values, others = (np.asarray(array, dtype=np.float64) for array in (values, others))
    if values.shape != others.shape:
        problem = f"values of shapes {values.shape} and {others.shape} cannot be paired"
        raise InputError(f"{problem}; give both for the same queries")
    return of_mean(values - others, groups, confidence)


def _means(sums, counts):
    """Return the bootstrap's means, from the sum and the number of values of each group."""
    # RandomState's streams are frozen, those of default_rng may change with NumPy's version.
    random = np.random.RandomState(_SEED)
    rounds = max(1, _AT_ONCE // len(sums))
    means = []
    for start in range(0, _ROUNDS, rounds):
        drawn = random.randint(0, len(sums), (min(rounds, _ROUNDS - start), len(sums)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    return np.concatenate(means)
