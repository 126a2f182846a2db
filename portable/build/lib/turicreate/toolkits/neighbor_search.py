"""Exact search: a matrix product finds candidates, their distances are then computed exactly."""

import numpy as np

from ._pair_distances import TO_ROWS, levenshtein_distance
from ._vector_distances import many_to_many, one_to_many

_BLOCK_BYTES = 64 << 20


class VectorPart:
    """One distance over vectors (n, d), with its weight in a sum of several."""

    def __init__(self, name, weight, matrix):
        self.name, self.weight, self.matrix = name, weight, matrix

    def __len__(self):
        return len(self.matrix)

    def to_rows(self, query, rows):
        """Return the distances from one query to some rows."""
        return one_to_many(self.name, self.matrix[rows], query)


class PairPart:
    """One distance over dictionaries, kept as a Postings."""

    def __init__(self, name, weight, postings):
        self.name, self.weight, self.postings = name, weight, postings

    def __len__(self):
        return self.postings.count

    def to_rows(self, query, rows):
        """Return the distances from one query to some rows."""
        return TO_ROWS[self.name](self.postings, query)[rows]


class TextPart:
    """The edit distance of strings."""

    def __init__(self, weight, texts):
        self.weight, self.texts = weight, texts

    def __len__(self):
        return len(self.texts)

    def to_rows(self, query, rows):
        """Return the distances from one query to some rows."""
        return np.array([float(levenshtein_distance(self.texts[row], query)) for row in rows])


def search(components, queries, k, radius):
    """Yield (rows, distances) of each query's neighbors, nearest first, ties by row.

    Parameters
    ----------
    components : list of VectorPart, PairPart or TextPart
        The reference rows.
    queries : list
        The queries' features, one array (q, d), list of dictionaries or of strings a component.
    k : int or None
        How many neighbors, None for all.
    radius : float or None
        The largest distance.
    """
    count = len(components[0])
    # Other rounding in the product moves distances by far less than this share of the longest.
    step = max(1, _BLOCK_BYTES // (8 * count))
    for start in range(0, len(queries[0]), step):
        block = [query[start : start + step] for query in queries]
        rough = _rough(components, block) if _worth_it(components, k) else None
        for number in range(len(block[0])):
            candidates = np.arange(count)
            if rough is not None:
                candidates = _candidates(rough[number], k)
            exact = _exact(components, [query[number] for query in block], candidates)
            yield _nearest(candidates, exact, k, radius)


def _worth_it(components, k):
    vectors = all(isinstance(part, VectorPart) for part in components)
    return vectors and k is not None and 4 * k < len(components[0])


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
        total = total + part.weight * part.to_rows(q, rows)
    return total


def _nearest(rows, distances, k, radius):
    order = np.argsort(distances, kind="stable")[:k]
    rows, distances = rows[order], distances[order]
    if radius is not None:
        inside = distances <= radius
        rows, distances = rows[inside], distances[inside]
    return rows, distances
