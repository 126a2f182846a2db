"""Re-ranking follows its papers, and finds along a curve what the plain distance does not."""

import numpy as np
import pytest
from sklearn.preprocessing import normalize

from image_retrieval import evaluate
from image_retrieval.errors import InputError
from image_retrieval.reranking import diffusion_distances, k_reciprocal_distances

METHODS = [k_reciprocal_distances, diffusion_distances]


def unit_vectors(n, d=5, seed=0):
    return normalize(np.random.RandomState(seed).normal(size=(n, d)))


def bands(n=60):
    """Two parallel bands on the sphere, each longer than the way from one to the other."""
    turn = np.linspace(0, 2.5, n)
    bands = [np.c_[np.cos(turn), np.sin(turn), np.full(n, height)] for height in (0.0, 0.4)]
    return normalize(np.concatenate(bands)), np.repeat(["low", "high"], n)


@pytest.mark.parametrize("method", METHODS)
def test_a_band_is_followed_to_its_end(method):
    X, y = bands()
    queries, wanted = X[::7], y[::7]
    plain = evaluate.rank_distances(2 - 2 * queries @ X.T, y, wanted)
    better = evaluate.rank_distances(method(X, queries, k=8), y, wanted)
    before, after = (evaluate.average_precision(r).mean() for r in (plain, better))
    assert before < 0.8 and after > before + (0.15 if method is diffusion_distances else 0.02)


def test_diffusion_solves_the_papers_equation():
    X, queries = unit_vectors(40), unit_vectors(3, seed=1)
    similar = X @ X.T
    np.fill_diagonal(similar, -np.inf)
    near = np.argsort(-similar, axis=1)[:, :10]
    W = np.zeros((40, 40))
    for i in range(40):
        for j in near[i]:
            W[i, j] = max(similar[i, j], 0) ** 3 if i in near[j] else 0
    root = np.diag(W.sum(axis=1) ** -0.5)
    S, heats = root @ W @ root, []
    for q in queries:
        start = np.zeros(40)
        nearest = np.argsort(-(X @ q))[:10]
        start[nearest] = np.maximum(X[nearest] @ q, 0) ** 3
        heat = start
        for _ in range(500):
            heat = 0.9 * S @ heat + start
        heats.append(heat / heat.max())
    found = diffusion_distances(X, queries, k=10, reach=0.9)
    np.testing.assert_allclose(1 - found, heats, atol=1e-6)


def test_what_no_heat_reaches_comes_last_in_the_plain_order():
    references = normalize([[1, 0], [1, 0.01], [0.01, 1], [-0.5, 1]])
    found = diffusion_distances(references, normalize([[1, 0.02]]), k=1)[0]
    assert np.argsort(found).tolist()[:2] == [1, 0]
    assert found[:2].max() <= 1 < found[2] < found[3]


def test_k_reciprocal_without_its_parts_is_the_plain_distance():
    X, queries = unit_vectors(40), unit_vectors(3, seed=1)
    plain = 2 - 2 * queries @ X.T
    found = k_reciprocal_distances(X, queries, k=10, weight=1)
    np.testing.assert_allclose(found, plain / plain.max(axis=1, keepdims=True), atol=1e-6)


def shares_by_the_paper(distances, among, k):
    """Return the extended reciprocal set of an image as shares, in loops."""

    def reciprocal(distances, k):
        nearest = np.argsort(distances)[:k].tolist()
        return {j for j in nearest if distances[j] <= np.sort(among[j])[k - 1]}

    first = reciprocal(distances, k)
    grown = set(first)
    for j in first:
        small = reciprocal(among[j], (k + 1) // 2)
        if len(first & small) >= 2 / 3 * len(small):
            grown |= small
    weights = np.array([np.exp(-d) if j in grown else 0 for j, d in enumerate(distances)])
    return weights / max(weights.sum(), 1e-12)


def test_k_reciprocal_compares_the_papers_sets():
    X, queries = unit_vectors(40), unit_vectors(4, seed=1)
    among, asked = 2 - 2 * X @ X.T, 2 - 2 * queries @ X.T
    V, W = ([shares_by_the_paper(row, among, 8) for row in rows] for rows in (among, asked))
    V, W = (
        np.array([(own + V_near.sum(axis=0)) / 3 for own, V_near in zip(encoded, near)])
        for encoded, near in (
            (V, [np.array(V)[np.argsort(row)[1:3]] for row in among]),
            (W, [np.array(V)[np.argsort(row)[:2]] for row in asked]),
        )
    )
    expected = [[1 - np.minimum(w, v).sum() / np.maximum(w, v).sum() for v in V] for w in W]
    found = k_reciprocal_distances(X, queries, k=8, expand=3, weight=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found.min() < 0.8


@pytest.mark.parametrize("method", METHODS)
def test_a_query_is_ranked_the_same_alone_and_among_others(method):
    X, queries = unit_vectors(50), unit_vectors(6, seed=1)
    together = method(X, queries, k=10)
    np.testing.assert_allclose(method(X, queries[:1], k=10), together[:1], atol=1e-9)
    assert together.shape == (6, 50) and np.isfinite(together).all()


@pytest.mark.parametrize("method", METHODS)
def test_more_neighbors_than_references_are_refused(method):
    with pytest.raises(InputError, match="from 1 to the number of references, 5; got 9"):
        method(unit_vectors(5), unit_vectors(2), k=9)


def test_heat_that_never_rests_is_refused():
    with pytest.raises(InputError, match="reach must be from 0 to below 1, got 1"):
        diffusion_distances(unit_vectors(5), unit_vectors(2), k=2, reach=1)
