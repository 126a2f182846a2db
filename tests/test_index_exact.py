"""Exactness of the fast brute force where float32 alone would go wrong."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from index_reference import always_prune, brute_force, features

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index import exact, parallel
from image_retrieval.index.bounds import LowerBounds
from image_retrieval.index.distances import PairDistances, distances
from image_retrieval.index.pruning import Pruning
from image_retrieval.index.selection import lowest

RNG = np.random.default_rng(5)


def cases():
    """Return reference rows and queries that lose their digits in a float32 product."""
    X, Q = features(3000, 64), features(40, 64, seed=1)
    clusters = np.where(np.arange(3000) % 2, 1e4, -1e4)[:, None]
    near = X[:1] + RNG.normal(0, 1e-6, X.shape)
    plane = RNG.normal(size=(3, 64))  # which few components span: bounds are distances there
    outlier = X.copy()
    outlier[17] = 1e7
    return {
        "clusters": (X, Q),
        "one large offset": (X + 1e4, Q + 1e4),
        "two far clusters": (X * 1e-2 + clusters, Q * 1e-2 + 1e4),
        "near ties": (near, near[:40] + RNG.normal(0, 1e-7, (40, 64))),
        "duplicates": (np.repeat(X[:30], 100, axis=0), Q),
        "an outlier": (outlier, Q),
        "a far query": (X, np.concatenate([Q, Q[:1] * 1e8])),
        "tiny": (X * 1e-24, Q * 1e-24),
        "huge": (X * 1e25, Q * 1e25),
        "zeros": (np.concatenate([X, np.zeros((20, 64))]), np.concatenate([Q, Q[:1] * 0])),
        "flat": (RNG.normal(size=(3000, 3)) @ plane, RNG.normal(size=(40, 3)) @ plane),
        "a few values": (RNG.integers(0, 3, (3000, 64)), RNG.integers(0, 3, (40, 64))),
    }


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
@pytest.mark.parametrize("name", list(cases()))
def test_the_same_neighbors_as_float64(name, metric):
    X, Q = (values.astype(np.float32) for values in cases()[name])
    ids, found = index.build(X, metric=metric, block_mb=1).search(Q, k=10)
    rows, true = brute_force(X, Q, 10, metric)
    np.testing.assert_array_equal(found, true)
    np.testing.assert_array_equal(ids, rows)


def test_a_plain_float32_product_would_fail():
    X, Q = (values.astype(np.float32) for values in cases()["one large offset"])
    product = np.square(X).sum(1) - 2 * Q @ X.T
    nearest = np.argsort(product, axis=1)[:, :10]
    assert (nearest != brute_force(X, Q, 10)[0]).mean() > 0.5


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", ["clusters", "one large offset", "near ties", "zeros"])
def test_bounds_hold(name, metric):
    X, Q = (values.astype(np.float32) for values in cases()[name])
    bounds = LowerBounds(X, metric)
    Y, lengths, usable = bounds.queries(Q)
    Q, Y, lengths = Q[usable], Y[usable], lengths[usable]
    of = bounds.of_queries(Y)
    rows = np.tile(np.arange(len(X)), len(Q))
    queries = np.repeat(np.arange(len(Q)), len(X))
    true = PairDistances(X, metric)(Q, queries, rows).reshape(len(Q), len(X)) - lengths[:, None]
    lower = of.bounds(slice(None)).astype(np.float64)
    assert (lower <= true).all()
    assert (true <= lower + of.widest(slice(None))).all()


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
@pytest.mark.parametrize("name", list(cases()))
@pytest.mark.parametrize("dimensions", [1, 16, 32])
def test_the_same_neighbors_when_rows_are_ruled_out(name, metric, dimensions, monkeypatch):
    always_prune(monkeypatch, (dimensions,))
    X, Q = (values.astype(np.float32) for values in cases()[name])
    engine = index.build(X, metric=metric, block_mb=1, prune_after=0)
    ids, found = engine.search(Q, k=10)
    # Only numbers whose squares overflow float32 are left to the plain way.
    plain = name == "huge" and metric != "cosine"
    assert plain or engine._pruning.dimensions == dimensions
    rows, true = brute_force(X, Q, 10, metric)
    np.testing.assert_array_equal(found, true)
    np.testing.assert_array_equal(ids, rows)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", ["clusters", "one large offset", "near ties", "zeros", "flat"])
@pytest.mark.parametrize("dimensions", [1, 32])
def test_bounds_of_principal_components_hold(name, metric, dimensions, monkeypatch):
    always_prune(monkeypatch)
    X, Q = (values.astype(np.float32) for values in cases()[name])
    bounds = LowerBounds(X, metric)
    Y, _, usable = bounds.queries(Q)
    Q, Y = Q[usable], Y[usable]
    of = Pruning(bounds, (dimensions,)).of_queries(Y)
    rows = np.tile(np.arange(len(X)), len(Q))
    queries = np.repeat(np.arange(len(Q)), len(X))
    true = PairDistances(X, metric)(Q, queries, rows).reshape(len(Q), len(X))
    lower = of.bounds(slice(None)).copy()
    for row in range(0, len(X), 100):
        assert (lower[:, row] <= of.limits(true[:, row])).all()


def test_principal_components_rule_most_rows_out():
    from tools.bench.features import pool

    X, Q, _ = pool().sample(12_000, 100)
    engine = index.build(X, prune_after=0)
    plain = index.build(X, prune_after=None)
    for one, other in zip(engine.search(Q, k=10), plain.search(Q, k=10)):
        np.testing.assert_array_equal(one, other)
    assert 64 <= engine._pruning.dimensions <= 512
    bounds = engine._pruning.of_queries(Q).bounds(slice(None))
    limits = engine._pruning.of_queries(Q).limits(plain.search(Q, k=10)[1][:, -1] ** 2)
    assert (bounds <= limits[:, None]).mean() < 0.05


def test_rows_without_structure_are_not_pruned():
    X = RNG.normal(size=(12_000, 160)).astype(np.float32)
    engine = index.build(X, prune_after=0)
    ids = engine.search(X[:200], k=5)[0]
    assert engine._pruning.dimensions == 0
    assert (ids[:, 0] == np.arange(200)).all()


def test_pruning_waits_for_enough_queries(monkeypatch):
    always_prune(monkeypatch)
    X, Q = features(2000, 64), features(100, 64, seed=1)
    engine = index.build(X, prune_after=250)
    for pruned in (False, False, False, True):
        ids = engine.search(Q, k=7)[0]
        assert (engine._pruning is not None) == pruned
        np.testing.assert_array_equal(ids, brute_force(X, Q, 7)[0])
    engine.add(Q, ids=range(5000, 5100))
    assert engine._pruning is None
    np.testing.assert_array_equal(engine.search(Q, k=1)[0][:, 0], np.arange(5000, 5100))
    never = index.build(X, prune_after=None)
    for _ in range(5):
        never.search(Q, k=7)
    assert never._pruning is None


def test_searches_at_once_learn_once(monkeypatch):
    always_prune(monkeypatch)
    learned = []
    original = exact.Pruning
    monkeypatch.setattr(exact, "Pruning", lambda bounds: (learned.append(1), original(bounds))[1])
    engine, Q = index.build(features(3000, 64), prune_after=0), features(200, 64, seed=1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: engine.search(Q, k=3)[0], range(8)))
    assert all((answer == answers[0]).all() for answer in answers)
    assert len(learned) == 1
    again = copy.deepcopy(engine).search(Q, k=3)[0]
    np.testing.assert_array_equal(again, answers[0])


def test_pruned_blocks_and_threads_change_nothing(monkeypatch):
    always_prune(monkeypatch)
    X, Q = features(20_000, 64), features(700, 64, seed=1)
    ids, found = index.build(X, block_mb=1, prune_after=0).search(Q, k=10)
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    monkeypatch.setattr(exact, "cores", lambda: 1)
    again, measured = index.build(X, block_mb=256, prune_after=0).search(Q, k=10)
    np.testing.assert_array_equal(ids, again)
    np.testing.assert_array_equal(found, measured)
    plain = index.build(X, prune_after=None).search(Q, k=10)
    np.testing.assert_array_equal(ids, plain[0])


@pytest.mark.parametrize("prune_after", [-1, 2.5, "all"])
def test_bad_prune_after(prune_after):
    with pytest.raises(InputError, match="prune_after must be an integer of at least 0, or None"):
        index.build(features(3), prune_after=prune_after)


def test_most_queries_are_settled_by_bounds(monkeypatch):
    settled = []
    original = exact._Search._by_bounds

    def counted(self, *arguments):
        answer = original(self, *arguments)
        settled.extend(answer[2].tolist())
        return answer

    monkeypatch.setattr(exact._Search, "_by_bounds", counted)
    index.build(features(3000, 256)).search(features(200, 256, seed=1), k=10)
    assert len(settled) == 200
    assert np.mean(settled) > 0.99


def test_blocks_and_threads_change_nothing(monkeypatch):
    X, Q = features(20_000, 16), features(300, 16, seed=1)
    ids, found = index.build(X, block_mb=1).search(Q, k=10)
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    again, measured = index.build(X, block_mb=64).search(Q, k=10)
    np.testing.assert_array_equal(ids, again)
    np.testing.assert_array_equal(found, measured)


def test_blocks_shorter_than_k():
    X, Q = features(1030, 16), features(700, 16, seed=1)
    ids, found = index.build(X, block_mb=1).search(Q, k=600)
    rows, true = brute_force(X, Q, 600)
    np.testing.assert_array_equal(ids, rows)
    np.testing.assert_array_equal(found, true)


def test_memory_is_bounded_by_the_block(monkeypatch):
    sizes = []
    original = exact.lowest

    def measured(values, k):
        sizes.append(values.nbytes)
        return original(values, k)

    monkeypatch.setattr(exact, "lowest", measured)
    index.build(features(9000, 16), block_mb=1).search(features(600, 16, seed=1), k=10)
    assert len(sizes) > 10
    assert max(sizes) <= 2**20 * 2


def test_overlapping_searches_give_the_threads_back():
    import threadpoolctl

    def threads():
        return [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]

    before = threads()
    engine, Q = index.build(features(3000, 64)), features(200, 64, seed=1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: engine.search(Q, k=3)[0], range(12)))
    assert all((answer == answers[0]).all() for answer in answers)
    assert threads() == before


def test_a_filtered_search_copies_a_block_at_a_time(monkeypatch):
    sizes = []
    original = exact.lowest
    monkeypatch.setattr(
        exact, "lowest", lambda values, k: (sizes.append(values.shape[1]), original(values, k))[1]
    )
    X, labels = features(9000, 128), ["a", "b", "b"] * 3000
    found = index.build(X, labels=labels, block_mb=1).search(X[1], k=3, where="b")[0]
    rows = np.flatnonzero(np.array(labels) == "b")
    np.testing.assert_array_equal(found, rows[brute_force(X[rows], X[1:2], 3)[0]])
    assert max(sizes[:-1]) * 128 * 4 <= 2**20


def test_a_full_ranking():
    X, Q = features(500), features(6, seed=1)
    ids, found = index.build(X).search(Q, k=None)
    rows, true = brute_force(X, Q, 500)
    np.testing.assert_array_equal(ids, rows)
    np.testing.assert_array_equal(found, true)


def test_the_data_are_not_changed():
    X, Q = features(300), features(5, seed=1)
    before = X.copy(), Q.copy()
    for metric in ("euclidean", "cosine"):
        index.build(X, metric=metric).add(X[:3], ids=[900, 901, 902]).search(Q)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Q, before[1])


@pytest.mark.parametrize("block_mb", [0, 1.5, "4"])
def test_bad_block(block_mb):
    with pytest.raises(InputError, match="block_mb must be an integer of at least 1"):
        index.build(features(3), block_mb=block_mb)


def test_distances_by_hand():
    X, Q = [[0, 0], [3, 4], [1, 0]], [[2, 0]]
    np.testing.assert_allclose(distances(X, Q), [[2, 17**0.5, 1]])
    np.testing.assert_allclose(distances(X, Q, "squared_euclidean"), [[4, 17, 1]])
    np.testing.assert_allclose(distances(X, Q, "cosine"), [[1, 0.4, 0]])


@pytest.mark.parametrize(("n", "k"), [(1, 1), (31, 5), (64, 1), (1000, 3), (1007, 3), (5000, 60)])
def test_lowest(n, k):
    values = RNG.integers(0, 50, (7, n)).astype(np.float32)
    best, columns = lowest(values, k)
    np.testing.assert_array_equal(np.sort(best, axis=1), np.sort(values, axis=1)[:, :k])
    np.testing.assert_array_equal(np.take_along_axis(values, columns, axis=1), best)
    assert all(len(set(row)) == k for row in columns.tolist())
    assert not np.shares_memory(best, values)  # a block's memory is written over
