"""Exact search: a matrix product finds candidates, their distances are then computed exactly."""

import numpy as np

from .distances import many_to_many, one_to_many

_BLOCK_BYTES = 64 << 20


class Component:
    """One distance over some features, with its weight in a sum of several."""

    def __init__(self, name, weight, matrix):
        self.name = name
        self.weight = weight
        self.matrix = matrix


def search(components, queries, k, radius):
    """Yield (rows, distances) of each query's neighbors, nearest first, ties by row.

    Parameters
    ----------
    components : list of Component
        The reference rows.
    queries : list of array (q, d)
        The queries' features, one array a component.
    k : int or None
        How many neighbors, None for all.
    radius : float or None
        The largest distance.
    """
    count = len(components[0].matrix)
    # Other rounding in the product moves distances by far less than this share of the longest.
    step = max(1, _BLOCK_BYTES // (8 * count))
    for start in range(0, len(queries[0]), step):
        block = [query[start : start + step] for query in queries]
        rough = _rough(components, block) if _worth_it(k, count) else None
        for number in range(len(block[0])):
            candidates = np.arange(count)
            if rough is not None:
                candidates = _candidates(rough[number], k)
            exact = _exact(components, [query[number] for query in block], candidates)
            yield _nearest(candidates, exact, k, radius)


def _worth_it(k, count):
    return k is not None and 4 * k < count


def _rough(components, block):
    parts = zip(components, block)
    return sum(part.weight * many_to_many(part.name, query, part.matrix) for part, query in parts)


def _candidates(rough, k):
    """Return all rows that could be among the k nearest, in order."""
    limit = np.partition(rough, k - 1)[k - 1]
    with np.errstate(invalid="ignore"):
        slack = 1e-6 * max(1.0, float(np.max(np.abs(rough))))
        found = np.flatnonzero(~(rough > limit + slack))
    return found


def _exact(components, query, rows):
    total = 0.0
    for part, q in zip(components, query):
        total = total + part.weight * one_to_many(part.name, part.matrix[rows], q)
    return total


def _nearest(rows, distances, k, radius):
    order = np.argsort(distances, kind="stable")[:k]
    rows, distances = rows[order], distances[order]
    if radius is not None:
        inside = distances <= radius
        rows, distances = rows[inside], distances[inside]
    return rows, distances
