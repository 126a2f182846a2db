"""Search engines given what nobody would give them: the answers stay right, or are refused."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index.distances import distances
from image_retrieval.index.validation import METRICS

rng = np.random.default_rng(0)
ENGINES = ["turicreate", "exact", "hnsw"]


def built(X, engine, **options):
    if engine == "hnsw":
        pytest.importorskip("hnswlib")
    return index.build(X, engine=engine, **options)


def truth(X, Q, k, metric="euclidean"):
    found = distances(X, Q, metric)
    order = np.argsort(found, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(found, order, axis=1)


def test_a_huge_constant_column_breaks_no_single_query():
    X = np.hstack([rng.normal(size=(600, 20)), np.full((600, 1), 2.0**80)]).astype(np.float32)
    Q = X[:5].copy()
    Q[:, -1] = 0
    engine = built(X, "exact")
    engine.learn()
    for q in Q:
        for _ in range(3):
            assert np.isfinite(engine.search(q, k=5)[1]).all()
    np.testing.assert_array_equal(engine.search(X[:5], k=1)[0][:, 0], range(5))


@pytest.mark.parametrize("engine", ["exact", "turicreate"])
def test_equal_distances_come_in_row_order(engine):
    # The squares differ, 1 + 2^-52 and 1, and their roots are equal.
    X = np.array([[1, 2**-26], [1, 0]], np.float32)
    ids, found = built(X, engine).search([[0, 0]], k=2)
    assert found.tolist() == [[1, 1]]
    assert ids.tolist() == [[0, 1]]


def test_equal_distances_come_in_row_order_among_many():
    X = np.concatenate([np.tile([[1, 2**-26], [1, 0]], (400, 1)), rng.normal(size=(900, 2)) + 9])
    ids, _ = built(X.astype(np.float32), "exact").search([[0, 0]], k=50)
    assert ids.tolist() == [list(range(50))]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("engine", ENGINES)
def test_radius_zero_finds_exact_copies(engine, metric):
    # Of few digits, so that three times a vector is parallel to it without rounding.
    X = np.random.default_rng(1).integers(-50, 50, (300, 37)).astype(np.float32)
    X[150:] = X[:150]
    scale = 3 if metric == "cosine" and engine != "turicreate" else 1
    ids, found = built(X, engine, metric=metric).search(X[:40] * np.float32(scale), k=5, radius=0)
    if metric == "cosine" and engine == "turicreate":
        return  # its own distance of equal vectors is not zero
    assert ids[:, :2].tolist() == [[i, i + 150] for i in range(40)]
    assert not found[:, :2].any()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_callers_array_may_change_after_the_build(engine):
    X = rng.normal(size=(200, 24)).astype(np.float32)
    Q, kept = X.copy(), built(X, engine)
    X /= np.linalg.norm(X, axis=1, keepdims=True) * 7
    X[:] = X[::-1].copy()
    assert kept.search(Q, k=1)[0][:, 0].tolist() == list(range(200))


def test_radius_and_where_of_any_kind_are_answered_or_refused():
    engine = index.build(np.eye(3), labels=["cat", "dog", "cat"])
    assert engine.search(np.eye(3), radius=10**400)[0].shape == (3, 3)
    with pytest.raises(InputError, match="where must be"):
        engine.search(np.eye(3), where=5)


def test_masked_values_are_refused():
    masked = np.ma.masked_array(np.eye(3), mask=np.eye(3, dtype=bool))
    for use in (index.build, index.build(np.eye(3)).search):
        with pytest.raises(InputError, match="masked"):
            use(masked)


@pytest.mark.parametrize("what", ["ids", "labels"])
def test_names_that_an_array_would_cut_are_refused(what):
    with pytest.raises(InputError, match="NUL"):
        index.build(np.eye(2), **{what: ["a\0", "b"]})


def test_hnsw_answers_many_threads_as_it_answers_one():
    engine = built(rng.normal(size=(6000, 16)).astype(np.float32), "hnsw", recall=0.9)
    queries = [(rng.normal(size=(60, 16)), k) for k in (1, 10, 40, 100, 160) for _ in range(20)]
    rng.shuffle(queries)
    alone = [engine.search(*query) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda query: engine.search(*query), queries))
    for one, other in zip(alone, together):
        np.testing.assert_array_equal(one[0], other[0])


def test_hnsw_takes_many_duplicates_and_measures_recall_by_distance():
    X = np.repeat(rng.normal(size=(5, 16)), 1200, axis=0).astype(np.float32)
    engine = built(X, "hnsw")
    _, found = engine.search(X[::1200], k=50)
    assert found.shape == (5, 50)
    np.testing.assert_allclose(found, 0, atol=1e-6)
    assert engine.measured_recall > 0.98


def test_an_engine_can_be_copied():
    engine = copy.deepcopy(index.build(np.eye(4)))
    assert engine.search(np.eye(4), k=1)[0][:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("metric", METRICS)
def test_exact_is_never_wrong_on_odd_numbers(metric):
    for seed in range(12):
        random = np.random.default_rng(seed)
        X = random.normal(size=(400, 12)) * 10.0 ** random.integers(-20, 17, (1, 12))
        X = np.round(X, 2 * seed - 4).astype(np.float32)
        Q = np.concatenate([X[:10], -X[10:20], np.zeros((1, 12), np.float32)])
        ids, found = index.build(X, metric=metric).search(Q, k=7)
        order, right = truth(X, Q, 7, metric)
        np.testing.assert_allclose(found, right, rtol=1e-9)
        np.testing.assert_array_equal(ids, order)
