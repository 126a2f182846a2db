"""Vectors to search, and the plain answers that engines are judged against."""

import numpy as np

from image_retrieval.index.distances import distances


def features(n, d=24, seed=0):
    """Return clusters of nonnegative vectors, as deep features are."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(99).gamma(1.0, 1.0, (8, d))
    noise = rng.normal(0, 0.4, (n, d))
    return np.maximum(centers[rng.integers(0, 8, n)] + noise, 0).astype(np.float32)


def brute_force(X, Q, k, metric="euclidean"):
    """Return rows and distances of the k nearest, ties in row order."""
    D = distances(X, Q, metric)
    rows = np.argsort(D, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(D, rows, axis=1)


def recall(found, true):
    return np.mean([np.isin(t, f).mean() for f, t in zip(found, true)])


def always_learn(monkeypatch):
    """Let the exact engine learn a cascade at once, on few rows of few dimensions, too."""
    from image_retrieval.index.exact import cascade, search

    monkeypatch.setattr(search, "_LEARN_NUMBERS", 0)
    monkeypatch.setattr(search, "_LEARN_AFTER", 0)
    monkeypatch.setattr(search, "_SINGLE", 10**9)
    monkeypatch.setattr(search, "_ORDERED_PART", 1)
    monkeypatch.setattr(cascade, "_MOST", 1.0)
