"""What every search engine must do, judged against brute force in float64."""

from importlib.util import find_spec
from itertools import count

import numpy as np
import pytest
from index_reference import always_learn, brute_force, features, recall

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index.distances import distances

ENGINES = {
    "exact": ("exact", {}, 1.0),
    "exact, learned": ("exact", {}, 1.0),
    "brute_force": ("turicreate", {"method": "brute_force"}, 1.0),
    "ball_tree": ("turicreate", {"method": "ball_tree"}, 1.0),
    "lsh": ("turicreate", {"method": "lsh"}, 0.2),
    "hnsw": ("hnsw", {}, 0.98),
    "codes": ("codes", {}, 0.98),
    "faiss": ("faiss", {}, 0.98),
    "milvus": ("milvus", {"progress": False}, 1.0),
}
COLLECTIONS = count()
NEEDS = {"turicreate": "turicreate", "hnsw": "hnswlib", "faiss": "faiss", "milvus": "milvus_lite"}


@pytest.fixture(scope="module")
def milvus_file(tmp_path_factory):
    """One database for all tests: starting an embedded server takes a second."""
    return tmp_path_factory.mktemp("milvus") / "milvus.db"


@pytest.fixture(params=list(ENGINES))
def make(request, milvus_file, monkeypatch):
    """Return a function that builds the engine under test."""
    engine, options, _ = ENGINES[request.param]
    if engine in NEEDS and find_spec(NEEDS[engine]) is None:
        pytest.skip(f"{NEEDS[engine]} is not installed here")
    if request.param == "exact, learned":
        always_learn(monkeypatch)
    if request.param == "lsh":
        request.getfixturevalue("real_turicreate")

    def build(X, ids=None, labels=None, **more):
        if request.param == "ball_tree" and more.get("metric") == "cosine":
            pytest.skip("Turi Create's ball tree has no cosine distance")
        if engine == "milvus":
            more.update(uri=milvus_file, collection=f"images_{next(COLLECTIONS)}")
        return index.build(X, ids, labels, engine=engine, **{**options, **more})

    build.name, build.recall = request.param, ENGINES[request.param][2]
    build.load = index.load
    return build


class TestEveryEngine:
    @pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
    def test_finds_the_nearest(self, make, metric):
        X, Q = features(600), features(20, seed=1)
        ids, found = make(X, metric=metric).search(Q, k=10)
        rows, true = brute_force(X, Q, 10, metric)
        assert recall(ids, rows) >= make.recall
        if make.recall == 1.0:
            np.testing.assert_array_equal(ids, rows)
            np.testing.assert_allclose(found, true, rtol=1e-4, atol=1e-6)
        assert (np.diff(np.where(np.isinf(found), 1e9, found), axis=1) >= 0).all()

    @pytest.mark.parametrize("kind", ["array", "view", "read-only view"])
    def test_a_caller_may_change_the_array_later(self, make, kind):
        X, Q = features(600), features(20, seed=1)
        mine = X.copy()
        given = mine if kind == "array" else mine[:]
        given.flags.writeable = kind != "read-only view"
        engine = make(given)
        before = engine.search(Q, k=10)
        mine /= np.linalg.norm(mine, axis=1, keepdims=True)
        for ours, theirs in zip(engine.search(Q, k=10), before):
            np.testing.assert_array_equal(ours, theirs)
        engine.add(features(5, seed=2))
        assert recall(engine.search(Q, k=10)[0], before[0]) >= min(make.recall, 0.9)

    def test_distance_to_itself_is_zero(self, make):
        X = features(50)
        assert (make(X).search(X, k=1)[1] == 0.0).all()

    def test_k_larger_than_n(self, make):
        ids, found = make(features(7)).search(features(3, seed=1), k=100)
        assert ids.shape == found.shape
        assert ids.shape[1] <= 7
        if make.recall == 1.0:
            assert sorted(ids[0]) == list(range(7))

    def test_all_neighbors(self, make):
        ids, _ = make(features(7)).search(features(3, seed=1), k=None)
        assert ids.shape[1] <= 7
        assert make.name == "lsh" or ids.shape == (3, 7)

    def test_no_neighbors_asked_for(self, make):
        ids, found = make(features(7)).search(features(3, seed=1), k=0)
        assert ids.shape == found.shape == (3, 0)

    def test_no_queries(self, make):
        ids, found = make(features(7)).search(np.empty((0, 24)), k=2)
        assert ids.shape == found.shape == (0, 0) or ids.shape == (0, 2)

    def test_empty_index(self, make):
        engine = make(np.empty((0, 24)))
        ids, found = engine.search(features(3), k=5)
        assert ids.shape == found.shape == (3, 0)
        assert engine.add(features(4)).search(features(4), k=1)[0].tolist() == [[0], [1], [2], [3]]

    def test_one_row(self, make):
        engine = make(features(1), ids=[77])
        ids, found = engine.search(features(1)[0], k=3)
        assert ids.tolist() == [[77]]
        assert found.tolist() == [[0.0]]

    def test_ties_come_in_reference_order(self, make):
        X = np.repeat(features(3), 6, axis=0)[np.random.default_rng(0).permutation(18)]
        ids = np.arange(100, 82, -1)
        found, measured = make(X, ids=ids).search(X[4], k=6)
        twins = np.flatnonzero((X[4] == X).all(axis=1))
        assert measured.tolist() == [[0.0] * 6]
        assert found.tolist() == [ids[twins].tolist()]

    def test_a_tie_cut_by_k_keeps_the_first(self, make):
        if make.name in ("ball_tree", "lsh"):
            pytest.skip("Turi Create's own choice")
        X = np.repeat(features(1), 60, axis=0)
        assert make(X).search(X[0], k=5)[0].tolist() == [[0, 1, 2, 3, 4]]

    def test_ids_that_are_not_sorted(self, make):
        X, ids = features(40), np.random.default_rng(3).permutation(1000)[:40] - 500
        found, _ = make(X, ids=ids).search(X, k=1)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found[:, 0], ids)

    def test_string_ids(self, make):
        X, ids = features(40), [f'picture "{i}" \\ ü.png' for i in range(40)]
        found, _ = make(X, ids=ids).search(X, k=1)
        assert found[:, 0].tolist() == ids

    @pytest.mark.parametrize(
        ("ids", "message"),
        [
            ([1, 2, 1], "id 1 appears twice"),
            ([1, 2], "2 ids for 3 vectors"),
            ([1, "a", 2], "all integers or all strings, got 'a'"),
            ([1.5, 2.0, 3.0], "all integers or all strings, got 1.5"),
        ],
    )
    def test_bad_ids(self, make, ids, message):
        with pytest.raises(InputError, match=message):
            make(features(3), ids=ids)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
    def test_values_that_are_not_finite(self, make, bad):
        X = features(9).astype(np.float64)
        X[5, 2] = bad
        with pytest.raises(InputError, match="X row 5 holds a NaN"):
            make(X)
        with pytest.raises(InputError, match="Q row 5 holds a NaN"):
            make(features(9)).search(X)

    def test_wrong_number_of_dimensions(self, make):
        engine = make(features(9))
        with pytest.raises(InputError, match="Q has 5 dimensions a row, the index has 24"):
            engine.search(np.zeros((1, 5)))
        with pytest.raises(InputError, match="X has 5 dimensions a row, the index has 24"):
            engine.add(np.zeros((1, 5)))
        with pytest.raises(InputError, match=r"shape \(n, d\)"):
            make(np.zeros((2, 3, 4)))

    def test_masked_values(self, make):
        X = np.ma.masked_less(features(9), 0.5)
        with pytest.raises(InputError, match="X has masked values"):
            make(X)

    @pytest.mark.parametrize("bad", [[["a", "b"]], [[None, 1.0]], [[1j, 2.0]], [[True, False]]])
    def test_wrong_dtype(self, make, bad):
        with pytest.raises(InputError, match="must hold real numbers"):
            make(bad)

    def test_any_real_dtype(self, make):
        X = (features(30) * 9).astype(np.uint8)
        rows = brute_force(X, X, 1)[0]
        np.testing.assert_array_equal(make(X).search(X.astype(np.float64), k=1)[0], rows)

    def test_bad_k_radius_and_where(self, make):
        engine = make(features(9), labels=["a"] * 9)
        wrong = {"k": (-1, 2.5), "radius": (-1, "2"), "where": ([3], 5)}
        for options in [{name: value} for name, values in wrong.items() for value in values]:
            with pytest.raises(InputError):
                engine.search(features(1), **options)

    def test_radius_includes_its_own_distance(self, make):
        X, Q = features(60), features(4, seed=1)
        engine = make(X)
        ids, found = engine.search(Q, k=5)
        radius = found[0, 2]
        within, measured = engine.search(Q, k=5, radius=radius)
        for row, all_found in zip(range(4), found):
            count = int((all_found <= radius).sum())
            assert within[row, :count].tolist() == ids[row, :count].tolist()
            assert np.isinf(measured[row, count:]).all()
            assert (within[row, count:] == -1).all()

    def test_a_radius_that_no_float_holds(self, make):
        engine = make(features(9))
        assert engine.search(features(2), radius=10**400)[0].shape[0] == 2

    def test_everything_within_a_radius(self, make):
        if make.name == "lsh":
            pytest.skip("approximate")
        X, Q = features(60), features(4, seed=1)
        true = distances(X, Q)
        radius = float(np.median(true))
        measured = make(X).search(Q, k=None, radius=radius)[1]
        counts = np.isfinite(measured).sum(axis=1)
        np.testing.assert_array_equal(counts, (true <= radius * (1 + 1e-7)).sum(axis=1))

    def test_a_radius_that_nothing_meets(self, make):
        ids, found = make(features(9)).search(features(2, seed=1) + 50, radius=0.5)
        assert ids.shape == found.shape == (2, 0)

    @pytest.mark.parametrize("where", ["cat", ["cat", "dog"], ["no such label"], []])
    def test_where(self, make, where):
        X, Q = features(300), features(5, seed=1)
        labels = np.array(["cat", "dog", "bird"])[np.arange(300) % 3]
        ids, _ = make(X, labels=labels.tolist()).search(Q, k=8, where=where)
        allowed = np.flatnonzero(np.isin(labels, where))
        true = allowed[brute_force(X[allowed], Q, 8)[0]] if len(allowed) else np.empty((5, 0))
        assert set(ids.ravel()) <= {*allowed.tolist(), -1}
        if make.recall == 1.0:
            np.testing.assert_array_equal(ids, true)
        elif len(allowed):
            assert recall(ids, true) >= make.recall

    def test_where_without_labels(self, make):
        with pytest.raises(InputError, match="has no labels"):
            make(features(9)).search(features(1), where="cat")

    def test_add(self, make):
        X, Q = features(500), features(10, seed=1)
        engine = make(X[:300]).add(X[300:310]).add(X[310:])
        assert engine.n == 500
        assert recall(engine.search(Q, k=10)[0], brute_force(X, Q, 10)[0]) >= make.recall

    def test_add_refuses_what_does_not_fit(self, make):
        engine = make(features(9), ids=range(9), labels=["cat"] * 9)
        for options, message in (
            ({"ids": [30, 4], "labels": ["a", "b"]}, "id 4 is in the index already"),
            ({"ids": ["a", "b"], "labels": ["a", "b"]}, "integers as ids"),
            ({"ids": [30, 31]}, "labels must be given for all"),
        ):
            with pytest.raises(InputError, match=message):
                engine.add(features(2), **options)
        assert engine.n == 9
        assert engine.search(features(9), k=1)[0].tolist() == [[i] for i in range(9)]

    @pytest.mark.parametrize("where", [None, "cat"])
    def test_what_is_removed_was_never_there(self, make, where):
        X, Q = features(300), features(10, seed=1)
        ids, labels = np.arange(300) * 7 % 300, np.array(["cat", "dog", "bird"] * 100)
        kept = np.flatnonzero(ids % 4)
        engine = make(X, ids=ids, labels=labels).remove([0]).remove(range(4, 300, 4))
        fresh = make(X[kept], ids=ids[kept], labels=labels[kept])
        assert engine.n == 225
        for k in (10, None):
            ours, theirs = (each.search(Q, k=k, where=where) for each in (engine, fresh))
            assert not set(ours[0].ravel()) & set(range(0, 300, 4))
            if make.recall == 1.0:
                np.testing.assert_array_equal(ours[0], theirs[0])
                np.testing.assert_array_equal(ours[1], theirs[1])
            else:
                assert recall(ours[0], theirs[0]) >= make.recall

    def test_as_many_neighbors_as_remain(self, make):
        X = features(40)
        engine = make(X).remove(range(8, 40))
        found = engine.search(X[:3], k=20)[0]
        assert set(found.ravel()) <= {*range(8), -1}
        assert make.name == "lsh" or found.shape == (3, 8)

    def test_all_are_removed_and_others_come(self, make):
        X = features(30)
        engine = make(X).remove(range(30))
        assert engine.n == 0
        assert engine.search(X, k=3)[0].shape == (30, 0)
        engine.add(X[:4], ids=["a", "b", "c", "d"], labels=["x"] * 4)
        assert engine.search(X[:4], k=1, where="x")[0].tolist() == [["a"], ["b"], ["c"], ["d"]]

    @pytest.mark.parametrize(
        ("ids", "message"),
        [
            ([3, 77], "id 77 is not in the index; nothing was removed"),
            ([3, 77, 78], r"id 77 \(and 1 more\) is not in the index"),
            (["3"], "id 3 is not in the index"),
            ([3, 3], "id 3 appears twice"),
            ([3.5], "all integers or all strings"),
        ],
    )
    def test_unknown_ids_are_refused_before_anything_changes(self, make, ids, message):
        engine = make(features(9))
        with pytest.raises(InputError, match=message):
            engine.remove(ids)
        assert engine.search(features(9), k=1)[0].tolist() == [[i] for i in range(9)]
        assert engine.remove([]).n == 9
        assert engine.remove(3).n == 8

    def test_update_gives_new_vectors_and_labels_and_adds_what_is_new(self, make):
        X, new = features(120), features(12, seed=5) + 9
        ids = [f"p{i}" for i in range(120)]
        engine = make(X, ids=ids, labels=["old"] * 120)
        for _ in range(2):  # to repeat it changes nothing
            engine.update(new, [*ids[50:60], "q", "r"], ["new"] * 12)
            assert engine.n == 122
            assert engine.search(new, k=1)[0][:, 0].tolist() == [*ids[50:60], "q", "r"]
        assert set(engine.search(X[50:60], k=20, where="old")[0].ravel()).isdisjoint(ids[50:60])
        found = engine.search(new, k=30, where="new")[0]
        assert make.name == "lsh" or found.shape == (12, 12)

    def test_what_is_updated_comes_last_among_equals(self, make):
        X = np.repeat(features(1), 6, axis=0)
        engine = make(X).update(X[:2], [1, 4])
        assert engine.search(X[0], k=None)[0].tolist() == [[0, 2, 3, 5, 1, 4]]

    def test_update_refuses_what_does_not_fit(self, make):
        engine = make(features(9))
        for ids, more, message in (
            (None, {}, "give ids, or use add"),
            ([1, 1], {}, "id 1 appears twice"),
            (["a", "b"], {}, "integers as ids"),
            ([1, 20], {"labels": ["a", "b"]}, "labels must be given for all"),
        ):
            with pytest.raises(InputError, match=message):
                engine.update(features(2, seed=1), ids, **more)
        assert engine.search(features(9), k=1)[0].tolist() == [[i] for i in range(9)]

    def test_ids_are_numbered_on_from_the_largest(self, make):
        X = features(12)
        engine = make(X[:9]).remove([0, 3]).add(X[9:])
        assert engine.search(X[9:], k=1)[0].tolist() == [[9], [10], [11]]
        with pytest.raises(InputError, match="no 1 integers left"):
            make(X[:1], ids=[2**63 - 1]).add(X[1:2])

    def test_what_is_removed_and_updated_is_saved(self, make, tmp_path):
        X, Q = features(300), features(10, seed=1)
        engine = make(X, labels=["cat", "dog"] * 150).remove(range(0, 300, 3))
        engine.update(Q, range(100, 110), ["new"] * 10)
        before = engine.search(Q, k=7)
        engine.save(tmp_path / "saved")
        opened = make.load(tmp_path / "saved")
        assert opened.n == engine.n == 203
        for ours, theirs in zip(opened.search(Q, k=7), before):
            np.testing.assert_array_equal(ours, theirs)
        assert opened.search(Q, k=1)[0][:, 0].tolist() == list(range(100, 110))
        opened.remove(range(100, 110)).add(Q, ids=range(900, 910), labels=["newer"] * 10)
        assert opened.search(Q, k=1)[0][:, 0].tolist() == list(range(900, 910))
        assert opened.n == 203

    def test_save_and_load(self, make, tmp_path):
        X, Q = features(300), features(10, seed=1)
        ids = [f"p{i}" for i in range(300)]
        engine = make(X, ids=ids, labels=["cat", "dog"] * 150, metric="squared_euclidean")
        engine.save(tmp_path / "saved")
        opened = index.load(tmp_path / "saved")
        assert (opened.n, opened.d, opened.metric) == (300, 24, "squared_euclidean")
        for options in ({"k": 7}, {"k": 7, "where": "cat"}):
            ours, theirs = engine.search(Q, **options), opened.search(Q, **options)
            np.testing.assert_array_equal(ours[0], theirs[0])
            np.testing.assert_array_equal(ours[1], theirs[1])

    def test_add_after_load(self, make, tmp_path):
        X = features(120)
        make(X[:80]).save(tmp_path / "saved")
        opened = index.load(tmp_path / "saved").add(X[80:])
        assert opened.search(X, k=1)[0].tolist() == [[i] for i in range(120)]
        assert index.load(tmp_path / "saved").n == 80

    def test_empty_save_and_load(self, make, tmp_path):
        make(np.empty((0, 24))).save(tmp_path / "saved")
        assert index.load(tmp_path / "saved").add(features(3)).n == 3

    def test_save_replaces_an_index_and_nothing_else(self, make, tmp_path):
        make(features(5)).save(tmp_path / "saved")
        make(features(6)).save(tmp_path / "saved")
        assert index.load(tmp_path / "saved").n == 6
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "thesis.txt").write_text("years of work")
        with pytest.raises(InputError, match="choose another name"):
            make(features(5)).save(tmp_path / "other")
        assert (tmp_path / "other" / "thesis.txt").read_text() == "years of work"

    def test_every_damaged_file_is_noticed(self, make, tmp_path):
        make(features(60), labels=["cat"] * 60).save(tmp_path / "saved")
        paths = sorted((tmp_path / "saved").rglob("*"))
        files = [path for path in paths if path.is_file() and path.stat().st_size]
        assert len(files) >= 2
        for path in files:
            whole = path.read_bytes()
            middle = len(whole) // 2
            flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
            for damaged in (whole[:-1], flipped, b""):
                path.write_bytes(damaged)
                with pytest.raises(InputError, match="missing or damaged") as error:
                    index.load(tmp_path / "saved")
                assert "\n" not in str(error.value)
            path.write_bytes(whole)
        assert index.load(tmp_path / "saved").n == 60


def test_a_folder_that_is_in_use_is_refused(tmp_path, monkeypatch):
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="choose another name"):
        index.build(features(3)).save(".")


def test_an_index_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="no saved index there"):
        index.load(tmp_path / "nothing")


def test_unknown_engine_and_option():
    with pytest.raises(
        InputError, match="use one of turicreate, exact, hnsw, codes, faiss, milvus"
    ):
        index.build(features(3), engine="annoy")
    with pytest.raises(InputError, match="has no option 'ef'; it has metric, recall"):
        index.build(features(3), engine="hnsw", ef=5)
    with pytest.raises(InputError, match="metric 'manhattan' is not known"):
        index.build(features(3), metric="manhattan")


def test_search_before_build():
    from image_retrieval.index.exact import ExactEngine

    with pytest.raises(InputError, match="call build"):
        ExactEngine().search([1.0])
