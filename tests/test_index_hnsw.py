"""How the graph engine chooses its parameters, and when it does without the graph."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from index_reference import brute_force, features, recall

from image_retrieval import index
from image_retrieval.errors import InputError

pytest.importorskip("hnswlib")


def flat_spectrum(n, d=160, seed=0):
    """Return vectors without principal directions, the worst case for components."""
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("target", [0.9, 0.99])
def test_reaches_the_recall_asked_for(metric, target):
    X, Q = features(2500, 64), features(300, 64, seed=1)
    engine = index.build(X, engine="hnsw", metric=metric, recall=target)
    found = engine.search(Q, k=10)[0]
    assert engine.measured_recall >= target
    # Three standard errors of 3,000 neighbors below.
    assert recall(found, brute_force(X, Q, 10, metric)[0]) >= target - 3 * np.sqrt(
        target * (1 - target) / 3000
    )


def test_a_higher_recall_costs_more():
    X = flat_spectrum(1500, 100)
    low, high = (index.build(X, engine="hnsw", recall=target) for target in (0.8, 0.999))
    assert (low.components, low.ef) < (high.components, high.ef)


def test_fewer_components_where_they_are_enough():
    X = features(1000, 160)
    narrow = np.concatenate([X[:, :20], X[:, :140] * 1e-3], axis=1)
    assert index.build(narrow, engine="hnsw").components == 64
    assert index.build(flat_spectrum(1000), engine="hnsw").components > 64


@pytest.mark.parametrize("k", [1, 50])
def test_another_k(k):
    X, Q = features(2500, 64), features(100, 64, seed=1)
    found = index.build(X, engine="hnsw").search(Q, k=k)[0]
    assert recall(found, brute_force(X, Q, k)[0]) >= 0.97


@pytest.mark.parametrize("rare", [2, 300])
def test_a_filter_that_few_rows_pass(rare):
    X, Q = features(3000, 32), features(60, 32, seed=1)
    labels = np.array(["common"] * 3000)
    chosen = np.random.default_rng(0).permutation(3000)[:rare]
    labels[chosen] = "rare"
    chosen = np.sort(chosen)
    found = index.build(X, labels=labels.tolist(), engine="hnsw").search(Q, k=5, where="rare")[0]
    assert recall(found, chosen[brute_force(X[chosen], Q, 5)[0]]) >= 0.98


def test_the_same_graph_every_time():
    X, Q = features(1500, 32), features(40, 32, seed=1)
    first, second = (index.build(X, engine="hnsw", recall=0.9) for _ in range(2))
    assert (first.ef, first.components) == (second.ef, second.components)
    np.testing.assert_array_equal(first.search(Q, k=10)[0], second.search(Q, k=10)[0])


def test_growing_chooses_parameters_again():
    X = features(2500, 32)
    engine = index.build(X[:300], engine="hnsw", recall=0.99)
    assert engine.ef == 300  # too few rows to hold any out: all are looked at
    engine.add(X[300:])
    assert engine.ef < 300
    assert recall(engine.search(X, k=1)[0], np.arange(2500)[:, None]) >= 0.99


def test_what_comes_and_goes_for_long_neither_fills_the_graph_nor_spoils_it(tmp_path):
    X, Q = features(4500, 32), features(60, 32, seed=1)
    engine = index.build(X[:1500], engine="hnsw", recall=0.95)
    for start in range(0, 3000, 300):
        engine.remove(range(start, start + 300)).add(X[start + 1500 : start + 1800])
        if start == 1500:
            engine.save(tmp_path / "saved")
            engine = index.load(tmp_path / "saved")
        assert engine._graph.get_current_count() <= 1500
        true = index.build(X[start + 300 : start + 1800]).search(Q, k=10)[0] + start + 300
        assert recall(engine.search(Q, k=10)[0], true) >= 0.93


def test_threads_with_different_k_get_what_one_gets():
    X, Q = flat_spectrum(3000, 64), flat_spectrum(100, 64, seed=1)
    engine = index.build(X, engine="hnsw", recall=0.8)
    asks = [(i, k) for i in range(100) for k in (1, 30)]
    alone = [engine.search(Q[i], k=k)[0] for i, k in asks]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda ask: engine.search(Q[ask[0]], k=ask[1])[0], asks))
    for one, other in zip(alone, together):
        np.testing.assert_array_equal(one, other)


def test_many_equal_rows():
    X = np.repeat(features(5, 32), 1200, axis=0)
    engine = index.build(X, engine="hnsw")
    assert engine.measured_recall >= 0.99
    for k in (5, 50):
        found = engine.search(X[::1200], k=k)[1]
        np.testing.assert_array_equal(found, np.zeros((5, k)))


@pytest.mark.parametrize("target", [0.4, 1.0, True])
def test_bad_recall(target):
    with pytest.raises(InputError, match="recall must be between 0.5 and 0.999"):
        index.build(features(3), engine="hnsw", recall=target)
