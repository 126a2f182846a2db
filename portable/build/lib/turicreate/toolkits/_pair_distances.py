"""Distances between dictionaries {key: number}, and between strings.

A `Postings` holds many dictionaries, so that the distances from one to all of them take no
longer than the keys they share.
"""

import numpy as np


def levenshtein_distance(one, other):
    """Return how many letters to insert, delete or replace turn one string into another."""
    one, other = (text.encode("utf-8") for text in (one, other))
    before = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            replaced = before[column - 1] + (letter != wanted)
            current.append(min(replaced, before[column] + 1, current[-1] + 1))
        before = current
    return before[-1]


class Postings:
    """Dictionaries of numbers to search in, as lists of (row, number) for each key."""

    def __init__(self, rows):
        self.count = len(rows)
        places = {}
        for number, row in enumerate(rows):
            for key, value in row.items():
                places.setdefault(key, []).append((number, float(value)))
        self._places = {key: np.array(found).T for key, found in places.items()}
        self.norms = np.array([sum(v * v for v in row.values()) for row in rows], np.float64)
        self.sums = np.array([sum(row.values()) for row in rows], np.float64)
        self.sizes = np.array([len(row) for row in rows], np.float64)
        self.lengths = np.array([sum(map(abs, row.values())) for row in rows], np.float64)

    def known(self, query):
        """Return what of a dictionary has keys that some row has."""
        return {key: value for key, value in query.items() if key in self._places}

    def shared(self, query, function):
        """Return the sums over shared keys of a function of (numbers, query's number)."""
        result = np.zeros(self.count)
        for key, value in query.items():
            if key in self._places:
                rows, numbers = self._places[key]
                np.add.at(result, rows.astype(np.int64), function(numbers, float(value)))
        return result


def _dot(rows, query):
    return rows.shared(query, lambda numbers, value: numbers * value)


def _squared(rows, query):
    norm = sum(value * value for value in query.values())
    return np.maximum(rows.norms + norm - 2 * _dot(rows, query), 0)


def _cosine(rows, query):
    norm = np.sqrt(sum(value * value for value in query.values()))
    return 1 - _dot(rows, query) / np.maximum(1e-16, np.sqrt(rows.norms) * norm)


def _manhattan(rows, query):
    def saved(numbers, value):
        return np.abs(numbers - value) - np.abs(numbers) - abs(value)

    return rows.lengths + sum(map(abs, query.values())) + rows.shared(query, saved)


def _jaccard(rows, query):
    both = rows.shared(query, lambda numbers, value: np.ones(len(numbers)))
    with np.errstate(all="ignore"):
        return 1 - both / (rows.sizes + len(query) - both)


def _weighted_jaccard(rows, query):
    least = rows.shared(query, np.minimum)
    with np.errstate(all="ignore"):
        return 1 - least / (rows.sums + sum(query.values()) - least)


#: Distances from one dictionary to all rows of a Postings.
TO_ROWS = {
    "euclidean": lambda rows, query: np.sqrt(_squared(rows, query)),
    "squared_euclidean": _squared,
    "gaussian_kernel": lambda rows, query: 1 - np.exp(-_squared(rows, query)),
    "manhattan": _manhattan,
    "cosine": _cosine,
    "transformed_dot_product": lambda rows, query: np.log1p(np.exp(-_dot(rows, query))),
    "jaccard": _jaccard,
    "weighted_jaccard": _weighted_jaccard,
}


def _of_two(function):
    return lambda x, y: float(function(Postings([x]), y)[0])


#: The same between two dictionaries.
PAIRS = {name: _of_two(function) for name, function in TO_ROWS.items()}
