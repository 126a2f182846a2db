"""How the engines of codes choose their parameters, and what they keep in memory."""

import numpy as np
import pytest
from index_reference import brute_force, features, recall

from image_retrieval import index
from image_retrieval.errors import InputError

FACTORIES = ("SQ8", "PCA16,SQ8", "PQ8x4", "ITQ16,LSH", "IVF12,SQ8")
ENGINES = [("codes", {}), *(("faiss", {"factory": factory}) for factory in FACTORIES)]


@pytest.fixture(params=ENGINES, ids=lambda param: param[1].get("factory", param[0]))
def build(request):
    engine, options = request.param
    pytest.importorskip("faiss" if engine == "faiss" else "numpy")
    return lambda X, **more: index.build(X, engine=engine, **options, **more)


def reaches(target, found, true):
    """Tell whether the recall falls short by no more than three standard errors over queries."""
    shares = np.array([np.isin(t, f).mean() for f, t in zip(found, true)])
    return shares.mean() >= target - 3 * shares.std() / np.sqrt(len(shares))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_reaches_the_recall_asked_for_and_measures_few(build, metric):
    X, Q = features(2500, 64), features(300, 64, seed=1)
    engine = build(X, metric=metric, recall=0.9)
    assert engine.measured_recall >= 0.9
    assert reaches(0.9, engine.search(Q, k=10)[0], brute_force(X, Q, 10, metric)[0])


@pytest.mark.parametrize("engine", ["codes", "faiss"])
def test_a_higher_recall_measures_more_candidates(engine):
    pytest.importorskip("faiss" if engine == "faiss" else "numpy")
    X = features(2500, 64)
    options = {"factory": "PCA16,SQ8"} if engine == "faiss" else {}
    narrow = X if engine == "faiss" else np.hstack([X, features(2500, 64, seed=3) / 3])
    low, high = (index.build(narrow, engine=engine, recall=r, **options) for r in (0.6, 0.99))
    assert 10 <= low.candidates < high.candidates < len(X) / 4


def test_as_few_components_as_do():
    rng = np.random.default_rng(0)
    few = rng.normal(size=(1500, 160)) * np.where(np.arange(160) < 50, 1, 1e-3)
    flat = rng.normal(size=(1500, 160))
    assert index.build(few, engine="codes").components == 64
    assert index.build(flat, engine="codes").components > 64


@pytest.mark.parametrize("k", [1, 30])
def test_another_k(build, k):
    X, Q = features(2500, 64), features(100, 64, seed=1)
    assert recall(build(X).search(Q, k=k)[0], brute_force(X, Q, k)[0]) >= 0.96


def test_a_filter(build):
    X, Q = features(2500, 32), features(60, 32, seed=1)
    labels = np.where(np.arange(2500) % 3, "common", "rare")
    chosen = np.flatnonzero(labels == "rare")
    ids = build(X, labels=labels.tolist()).search(Q, k=5, where="rare")[0]
    assert set(ids.ravel()) <= set(chosen.tolist())
    assert recall(ids, chosen[brute_force(X[chosen], Q, 5)[0]]) >= 0.97


def test_rows_that_are_added_are_found_before_and_after_saving(build, tmp_path):
    X = features(2200, 32)
    engine = build(X[:1200], recall=0.9).add(X[1200:])
    assert engine.candidates < engine.n / 4
    engine.save(tmp_path / "saved")
    opened = index.load(tmp_path / "saved")
    for asked in (engine, opened):
        assert (asked.search(X, k=1)[0][:, 0] == np.arange(2200)).mean() >= 0.9
    np.testing.assert_array_equal(engine.search(X, k=9)[0], opened.search(X, k=9)[0])
    assert opened.add(features(40, 32, seed=5)).n == 2240


@pytest.mark.parametrize("engine", ["codes", "faiss"])
def test_what_is_removed_from_many_rows_is_gone_before_and_after_saving(engine, tmp_path):
    pytest.importorskip("faiss" if engine == "faiss" else "numpy")
    X = features(2200, 32)
    index.build(X[:2000], engine=engine, recall=0.9).save(tmp_path / "saved")
    engine = index.load(tmp_path / "saved").remove(range(0, 600)).add(X[2000:])
    assert engine.candidates < engine.n / 4  # so that it does not just measure all
    engine.save(tmp_path / "again")
    for asked in (engine, index.load(tmp_path / "again")):
        found = asked.search(X, k=5)[0]
        assert found.min() >= 600 and found.shape == (2200, 5)
        assert (found[600:, 0] == np.arange(600, 2200)).mean() >= 0.9


def test_a_saved_index_leaves_its_vectors_in_the_file(build, tmp_path):
    build(features(900, 32)).save(tmp_path / "saved")
    vectors = index.load(tmp_path / "saved")._X
    while vectors.base is not None and not isinstance(vectors, np.memmap):
        vectors = vectors.base
    assert isinstance(vectors, np.memmap)


def test_a_constant_dimension_and_many_equal_rows():
    X = np.repeat(features(5, 32), 300, axis=0)
    X[:, 3] = 7
    engine = index.build(X, engine="codes")
    np.testing.assert_array_equal(engine.search(X[::300], k=50)[1], np.zeros((5, 50)))


def test_a_factory_that_faiss_does_not_know_is_one_line():
    pytest.importorskip("faiss")
    for factory in ("nonsense", "PQ7", 3):
        with pytest.raises(InputError, match="use one like 'SQ8' or 'PCA64,SQ8'") as error:
            index.build(features(50), engine="faiss", factory=factory)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("engine", ["codes", "faiss"])
def test_bad_recall(engine):
    with pytest.raises(InputError, match="recall must be between 0.5 and 0.999"):
        index.build(features(3), engine=engine, recall=1.0)


def test_real_features(shared_reference):
    """On real vectors, 64 bytes in place of 5,120 find what is asked for."""
    with np.load(str(shared_reference / "cifar10_features_224.npz")) as arrays:
        X = arrays["train_features"][:3300].astype(np.float32)
    X, Q = X[:3000], X[3000:]
    engine = index.build(X, engine="codes", recall=0.95)
    true = index.build(X).search(Q, k=10)[0]
    assert engine.components <= 128 and engine.candidates <= 100
    assert reaches(0.95, engine.search(Q, k=10)[0], true)
