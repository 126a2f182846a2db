"""Exactness of the fast brute force where float32 alone would go wrong."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from index_reference import always_learn, brute_force, features

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index import parallel
from image_retrieval.index.distances import PairDistances, distances, norms
from image_retrieval.index.exact import cascade, search
from image_retrieval.index.exact.bounds import LowerBounds
from image_retrieval.index.exact.cascade import Cascade
from image_retrieval.index.exact.selection import lowest

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
def test_the_same_neighbors_after_learning(name, metric, monkeypatch):
    always_learn(monkeypatch)
    X, Q = (values.astype(np.float32) for values in cases()[name])
    engine = index.build(X, metric=metric)
    # Only numbers whose squares overflow float32 are left to the plain way.
    assert engine.learn() != (name == "huge" and metric != "cosine")
    answers = [engine.search(q, k=10) for q in Q]
    rows, true = brute_force(X, Q, 10, metric)
    np.testing.assert_array_equal(np.concatenate([found for _, found in answers]), true)
    np.testing.assert_array_equal(np.concatenate([ids for ids, _ in answers]), rows)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("name", ["clusters", "one large offset", "near ties", "zeros", "flat"])
@pytest.mark.parametrize("split", [1, 8])
def test_bounds_of_both_steps_hold(name, metric, split, monkeypatch):
    always_learn(monkeypatch)
    monkeypatch.setattr(cascade, "_FIRST", (split, 1.0))
    X, Q = (values.astype(np.float32) for values in cases()[name])
    bounds = LowerBounds(X, metric)
    Y, _, usable = bounds.queries(Q)
    learned = Cascade.learn(bounds)
    for q, y in zip(Q[usable], Y[usable]):
        true = PairDistances(X, metric)(q[None], np.zeros(len(X), int), np.arange(len(X)))
        squared, slack, *query = learned._on_axes(y, np.square(norms(y[None]))[0])
        first, further = learned._factors(*query)
        lower = first @ learned._first
        for bounds in (lower, lower + learned._further @ further):
            assert (bounds.astype(np.float64) <= true - squared + slack).all()


def test_two_steps_rule_most_rows_out():
    from tools.bench.features import pool

    X, Q, _ = pool().sample(12_000, 60)
    engine = index.build(X)
    assert engine.learn()
    queries = zip(*engine._exact.bounds.queries(Q)[:2])
    left = [len(engine._exact.cascade.candidates(*query, 10)) for query in queries]
    assert 10 <= np.mean(left) < 12
    for i in range(60):
        for one, other in zip(engine.search(Q[i], k=10), engine.search(Q, k=10)):
            np.testing.assert_array_equal(one[0], other[i])


def test_rows_without_structure_have_no_cascade():
    X = RNG.normal(size=(12_000, 160)).astype(np.float32)
    engine = index.build(X)
    assert not engine.learn()
    assert engine.search(X[7], k=1)[0] == [[7]]


def test_learning_waits_for_enough_single_queries(monkeypatch):
    always_learn(monkeypatch)
    monkeypatch.setattr(search, "_SINGLE", 1)
    monkeypatch.setattr(search, "_LEARN_AFTER", 3)
    X, Q = features(2000, 64), features(50, 64, seed=1)
    engine = index.build(X)
    for learned in (False, False, False, True):
        engine.search(Q, k=7)  # a batch teaches nothing
        np.testing.assert_array_equal(engine.search(Q[0], k=7)[0], brute_force(X, Q[:1], 7)[0])
        assert (engine._exact.cascade is not None) == learned
    engine.add(Q, ids=range(5000, 5050))
    assert engine._exact.cascade is None
    assert engine.search(Q[0], k=1)[0] == [[5000]]


def test_what_was_learned_is_saved(monkeypatch, tmp_path):
    always_learn(monkeypatch)
    X, Q = features(2000, 64), features(10, 64, seed=1)
    engine = index.build(X, metric="cosine")
    engine.learn()
    engine.save(tmp_path / "saved")
    monkeypatch.setattr(Cascade, "learn", None)
    opened = index.load(tmp_path / "saved")
    assert opened._exact.cascade is not None
    np.testing.assert_array_equal(opened.search(Q, k=7)[0], brute_force(X, Q, 7, "cosine")[0])
    (tmp_path / "saved" / "first.npy").unlink()
    with pytest.raises(InputError, match="missing or damaged"):
        index.load(tmp_path / "saved")


def test_what_was_learned_for_queries_in_float64_is_forgotten(monkeypatch, tmp_path):
    always_learn(monkeypatch)
    X, write = features(2000, 64), Cascade.write

    def write_as_before(learned, folder):
        write(learned, folder)
        (folder / "basis.npy").rename(folder / "axes.npy")

    engine = index.build(X)
    engine.learn()
    monkeypatch.setattr(Cascade, "write", write_as_before)
    engine.save(tmp_path / "saved")
    opened = index.load(tmp_path / "saved")
    assert opened._exact.cascade is None
    np.testing.assert_array_equal(opened.search(X, k=1)[0][:, 0], np.arange(2000))


def test_searches_at_once_learn_once(monkeypatch):
    always_learn(monkeypatch)
    learned = []
    original = Cascade.learn
    monkeypatch.setattr(Cascade, "learn", lambda rows: (learned.append(1), original(rows))[1])
    engine, Q = index.build(features(3000, 64)), features(20, 64, seed=1)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: engine.search(Q, k=3)[0], range(8)))
    assert all((answer == answers[0]).all() for answer in answers)
    assert len(learned) == 1
    again = copy.deepcopy(engine).search(Q, k=3)[0]
    np.testing.assert_array_equal(again, answers[0])


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("k", [5, None])
def test_huge_constant_values(k, learn, monkeypatch):
    always_learn(monkeypatch)
    monkeypatch.setattr(search, "_LEARN_AFTER", 0 if learn else 10**9)
    X = features(400, 64)
    for rows in (np.full((400, 64), 1e30, np.float32), X + np.eye(64)[3] * 2.0**80):
        rows = rows.astype(np.float32)
        Q = np.concatenate([rows[:2], X[:2]])
        ids, found = index.build(rows).search(Q, k=k)
        true_ids, true = brute_force(rows, Q, k)
        np.testing.assert_array_equal(ids, true_ids)
        np.testing.assert_allclose(found, true, rtol=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
def test_radius_zero_finds_exact_copies(metric):
    X = features(2000, 37)
    X[1500:] = X[:500]
    if metric == "cosine":
        X[1500:] *= 4  # without rounding
    ids, found = index.build(X, metric=metric).search(X[:300], k=5, radius=0)
    np.testing.assert_array_equal(ids, [[i, 1500 + i] for i in range(300)])
    assert (found == 0).all()


def test_equal_distances_of_unequal_squares_are_a_tie():
    ids, found = index.build([[1, 2.0**-26], [1, 0]]).search([0, 0], k=2)
    assert (ids.tolist(), found.tolist()) == ([[0, 1]], [[1.0, 1.0]])


def test_most_queries_are_settled_by_bounds(monkeypatch):
    settled = []
    original = search._Search._by_bounds

    def counted(self, *arguments):
        answer = original(self, *arguments)
        settled.extend(answer.tolist())
        return answer

    monkeypatch.setattr(search._Search, "_by_bounds", counted)
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


def test_blocks_shorter_than_k(monkeypatch):
    monkeypatch.setattr(search, "_ORDERED_PART", 1)
    X, Q = features(1030, 16), features(700, 16, seed=1)
    ids, found = index.build(X, block_mb=1).search(Q, k=600)
    rows, true = brute_force(X, Q, 600)
    np.testing.assert_array_equal(ids, rows)
    np.testing.assert_array_equal(found, true)


def test_memory_is_bounded_by_the_block(monkeypatch):
    sizes = []
    original = search.lowest

    def measured(values, k):
        sizes.append(values.nbytes)
        return original(values, k)

    monkeypatch.setattr(search, "lowest", measured)
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
    original = search.lowest
    monkeypatch.setattr(
        search, "lowest", lambda values, k: (sizes.append(values.shape[1]), original(values, k))[1]
    )
    X, labels = features(9000, 128), ["a", "b", "b"] * 3000
    found = index.build(X, labels=labels, block_mb=1).search(X[1], k=3, where="b")[0]
    rows = np.flatnonzero(np.array(labels) == "b")
    np.testing.assert_array_equal(found, rows[brute_force(X[rows], X[1:2], 3)[0]])
    assert max(sizes[:-1]) * 128 * 4 <= 2**20


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
@pytest.mark.parametrize("name", list(cases()))
@pytest.mark.parametrize("k", [None, 500])
def test_a_ranking_has_the_order_of_float64(name, metric, k):
    X, Q = (values.astype(np.float32)[:40] for values in cases()[name])
    X = np.concatenate([cases()[name][0].astype(np.float32)[40:1200], X, X[::-1]])
    ids, found = index.build(X, metric=metric, block_mb=1).search(Q, k=k)
    rows, true = brute_force(X, Q, k, metric)
    np.testing.assert_array_equal(ids, rows)
    np.testing.assert_allclose(found, true, rtol=1e-9, atol=0)


def test_a_ranking_of_some_rows():
    X, Q = features(2000, 64), features(30, 64, seed=1)
    labels = np.array(["a", "b", "b", "a", "b"] * 400)
    ids, found = index.build(X, labels=labels.tolist()).search(Q, k=None, where="b")
    rows = np.flatnonzero(labels == "b")
    order, true = brute_force(X[rows], Q, None)
    np.testing.assert_array_equal(ids, rows[order])
    np.testing.assert_allclose(found, true, rtol=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
def test_a_ranking_within_a_distance_found_before(metric):
    X, Q = features(1000, 256), features(40, 256, seed=1)
    engine = index.build(X, metric=metric)
    for q, radius in zip(Q, engine.search(Q, k=10)[1][:, -1]):
        assert engine.search(q, k=None, radius=radius)[0].shape == (1, 10)


def test_a_ranking_measures_only_what_is_in_doubt(monkeypatch):
    pairs = []
    measure = PairDistances.__call__

    def counted(self, Q, queries, rows, **options):
        pairs.append(len(rows))
        return measure(self, Q, queries, rows, **options)

    X = features(1000, 256)
    X[990:] = X[:10]
    monkeypatch.setattr(PairDistances, "__call__", counted)
    ids = index.build(X).search(X[:50], k=None)[0]
    assert ids[:10, :2].tolist() == [[i, 990 + i] for i in range(10)]
    assert 50 * 20 <= sum(pairs) < 50 * 25  # of 50,000


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
