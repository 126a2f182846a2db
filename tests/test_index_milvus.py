"""What only the Milvus engine does: collections, batches, filters in the database."""

import sys

import numpy as np
import pytest
from index_reference import brute_force, features

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index import milvus
from image_retrieval.index.milvus import MilvusEngine

pytest.importorskip("milvus_lite")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return tmp_path_factory.mktemp("milvus") / "milvus.db"


def test_another_process_can_open_the_collection(uri):
    X = features(30)
    ids = [f"p{i}" for i in range(30)]
    built = MilvusEngine(uri=uri, collection="opened", metric="cosine", progress=False)
    built.build(X, ids=ids, labels=["cat"] * 30)
    opened = MilvusEngine(uri=uri, collection="opened").open()
    assert (opened.n, opened.d, opened.metric) == (30, 24, "cosine")
    assert opened.search(X, k=1, where="cat")[0][:, 0].tolist() == ids


def test_a_collection_is_not_replaced_by_mistake(uri):
    options = {"uri": uri, "collection": "mine", "progress": False}
    MilvusEngine(**options).build(features(5))
    with pytest.raises(InputError, match="collection 'mine' is there already"):
        MilvusEngine(**options).build(features(3))
    assert MilvusEngine(**options).open().n == 5
    assert MilvusEngine(overwrite=True, **options).build(features(3)).n == 3


def test_a_collection_that_is_not_there(uri):
    with pytest.raises(InputError, match="no collection 'nothing' there"):
        MilvusEngine(uri=uri, collection="nothing").open()


def test_a_collection_of_another_program(uri):
    client = MilvusEngine(uri=uri)._connected()
    client.create_collection("theirs", dimension=4)
    with pytest.raises(InputError, match="was not built by this package"):
        MilvusEngine(uri=uri, collection="theirs").open()


def test_vectors_go_in_batches_with_a_progress_bar(uri, monkeypatch, capsys):
    engine = MilvusEngine(uri=uri, collection="batches")
    client, sizes = engine._connected(), []
    insert = client.insert
    monkeypatch.setattr(
        client, "insert", lambda name, rows, **more: (sizes.append(len(rows)), insert(name, rows))
    )
    engine.build(features(250))
    assert sizes == [100, 100, 50]
    assert "250/250" in capsys.readouterr().err


def test_an_interrupted_insert_leaves_nothing(uri, monkeypatch):
    engine = MilvusEngine(uri=uri, collection="interrupted", progress=False).build(features(10))
    insert, calls = engine._client.insert, []

    def broken(name, rows, **more):
        calls.append(rows)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return insert(name, rows, **more)

    monkeypatch.setattr(engine._client, "insert", broken)
    with pytest.raises(KeyboardInterrupt):
        engine.add(features(300, seed=1))
    assert engine.n == engine._count() == 10
    monkeypatch.undo()
    assert engine.add(features(5, seed=1)).n == engine._count() == 15


def test_the_filter_is_milvus_own(uri, monkeypatch):
    labels = ['a "quoted" label', "back\\slash", "ünï", "'single'"]
    X = features(80)
    engine = MilvusEngine(uri=uri, collection="labels", progress=False)
    engine.build(X, labels=labels * 20)
    search, filters = engine._client.search, []

    def watched(*arguments, **options):
        filters.append(options["filter"])
        return search(*arguments, **options)

    monkeypatch.setattr(engine._client, "search", watched)
    for place, label in enumerate(labels):
        rows = np.arange(place, 80, 4)
        ids = engine.search(X[:3], k=5, where=label)[0]
        np.testing.assert_array_equal(ids, rows[brute_force(X[rows], X[:3], 5)[0]])
    assert all(text.startswith("label in [") for text in filters)


def test_a_tie_longer_than_a_page(uri):
    X = np.repeat(features(2), 100, axis=0)
    engine = MilvusEngine(uri=uri, collection="ties", progress=False).build(X)
    assert engine.search(X[150], k=20)[0].tolist() == [list(range(100, 120))]


def test_an_ivf_index_is_passed_on(uri):
    X = features(400)
    engine = MilvusEngine(
        uri=uri,
        collection="ivf",
        index={"index_type": "IVF_FLAT", "params": {"nlist": 8}},
        search_params={"nprobe": 8},
        progress=False,
    ).build(X)
    np.testing.assert_array_equal(engine.search(X[:9], k=5)[0], brute_force(X, X[:9], 5)[0])


def test_limits_of_milvus(uri, monkeypatch):
    engine = MilvusEngine(uri=uri, collection="limits", progress=False)
    with pytest.raises(InputError, match="longer than 512 bytes"):
        engine.build(features(1), ids=["ü" * 300])
    engine.build(features(3))
    monkeypatch.setattr(engine, "_count", lambda: 20_000)
    with pytest.raises(InputError, match="at most 16384 neighbors a query, not 17000"):
        engine.search(features(1), k=17_000)


def test_a_damaged_database_file(tmp_path):
    path = tmp_path / "bad.db"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(InputError, match="Milvus cannot open it") as error:
        MilvusEngine(uri=path).open()
    assert "\n" not in str(error.value)


def test_the_token_is_never_saved(uri, tmp_path):
    engine = MilvusEngine(uri=uri, collection="token", token="user:secret", progress=False)
    engine.build(features(3)).save(tmp_path / "saved")
    files = [path for path in (tmp_path / "saved").rglob("*") if path.is_file()]
    for file in files:
        assert b"secret" not in file.read_bytes()


@pytest.mark.parametrize(
    ("missing", "message"),
    [("pymilvus", "pip install pymilvus"), ("milvus_lite", "needs milvus-lite")],
)
def test_one_line_when_it_is_not_installed(missing, message, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    find = milvus.find_spec
    monkeypatch.setattr(milvus, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(InputError, match=message):
        index.build(features(3), engine="milvus")
