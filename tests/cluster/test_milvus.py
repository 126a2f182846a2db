"""The Milvus engine on a real server: what every engine must do, and what only servers can."""

import threading
import time
from itertools import count

import numpy as np
import pytest
from index_reference import brute_force, features
from test_index_engines import TestEveryEngine  # noqa: F401  (run here on a server)

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index.milvus import MilvusEngine

pytestmark = pytest.mark.cluster
FLAT = {"index": {"index_type": "FLAT"}, "progress": False}
NAMES = (f"images_{number}" for number in count())
pytest.importorskip("pymilvus")


@pytest.fixture
def make(server):
    """Return what builds the engine under test, and lets its collections go afterwards."""
    made = []

    def build(X, ids=None, labels=None, **more):
        made.append(MilvusEngine(uri=server.uri, collection=next(NAMES), **{**FLAT, **more}))
        return made[-1].build(X, ids, labels)

    build.name, build.recall, build.on_a_server = "milvus", 1.0, True
    build.load = lambda path: index.load(path, uri=server.uri)
    yield build
    for engine in made:
        if engine.d:  # else nothing was built
            engine.drop()


def another_client(engine):
    return MilvusEngine(uri=engine.uri, collection=engine.collection, token=engine.token).open()


def test_two_clients_see_what_each_other_has_done(make):
    X = features(60)
    first = make(X[:30], ids=[f"p{i}" for i in range(30)])
    second = another_client(first)
    second.add(X[30:], ids=[f"p{i}" for i in range(30, 60)])
    assert first.n == 60
    assert first.search(X, k=1)[0][:, 0].tolist() == [f"p{i}" for i in range(60)]
    first.remove([f"p{i}" for i in range(20)])
    assert second.search(X[:20], k=60)[0].shape == (20, 40)
    with pytest.raises(InputError, match="id p3 is not in the index"):
        second.remove(["p3"])


def test_more_neighbors_than_a_graph_was_told_to_list(make):
    X = features(200)
    how = {"index": {"index_type": "HNSW", "params": {"M": 8, "efConstruction": 64}}}
    engine = make(X, **how, search_params={"ef": 4})
    assert engine.search(X[:3], k=150)[0].shape == (3, 150)


def test_clients_that_write_the_same_at_once_leave_it_once(make):
    X, ids = features(400), [f"{i:04}" for i in range(400)]
    engine = make(X[:1], ids=ids[:1])
    clients = [another_client(engine) for _ in range(2)]

    def write(client):
        for start in range(0, 400, 100):
            client.update(X[start : start + 100], ids[start : start + 100])

    threads = [threading.Thread(target=write, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.n == 400
    assert engine.search(X, k=1)[0][:, 0].tolist() == ids
    assert len(set(engine.search(X[0], k=None)[0][0])) == 400


def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(server, make):
    """Built, added, updated and removed; then signal 9, one line from the engine, and a restart."""
    X, Q = features(500), features(20, seed=1)
    engine = make(X[:300]).add(X[300:450])
    engine.update(X[450:], range(50)).remove(range(100, 120))
    kept = np.r_[50:100, 120:450]
    true = np.r_[kept, np.arange(50)][brute_force(np.r_[X[kept], X[450:]], Q, 10)[0]]
    np.testing.assert_array_equal(engine.search(Q, k=10)[0], true)
    server.kill()
    for ask in (lambda: engine.search(Q), lambda: engine.add(X[:2], ids=[900, 901])):
        start = time.monotonic()
        with pytest.raises(InputError, match="Milvus did not answer") as caught:
            ask()
        assert "\n" not in str(caught.value) and server.uri in str(caught.value)
        assert time.monotonic() - start < 10
    server.start()
    eventually(server, lambda: np.testing.assert_array_equal(engine.search(Q, k=10)[0], true))
    assert engine.n == another_client(engine).n == 430
    assert engine.add(X[:2], ids=[900, 901]).n == 432


def eventually(server, check, seconds=600):
    """Wait until the server, which is kept running, has loaded its collections again."""
    end = time.monotonic() + seconds
    while True:
        try:
            return check()
        except InputError:
            if time.monotonic() > end:
                raise
            server.keep_running()
            time.sleep(0.5)


def test_an_address_where_nobody_answers_is_one_line():
    start = time.monotonic()
    with pytest.raises(InputError, match="Milvus cannot open it") as caught:
        MilvusEngine(uri="http://127.0.0.1:9", **FLAT).build(features(3))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 20


# At the end, because the server has to be started twice for it.
def test_who_may_come_in_where_the_server_asks(server, tmp_path, monkeypatch):
    how = {"uri": server.uri, "collection": "guarded", **FLAT}
    MilvusEngine(**how).build(features(3)).save(tmp_path / "saved")
    server.run(authorization=True)
    for token in (None, "root:wrong"):
        with pytest.raises(InputError, match="Milvus") as caught:
            index.load(tmp_path / "saved", uri=server.uri, token=token)
        assert "\n" not in str(caught.value) and "wrong" not in str(caught.value)
    monkeypatch.setenv("MILVUS_TOKEN", "root:Milvus")
    assert eventually(server, lambda: index.load(tmp_path / "saved", uri=server.uri).n) == 3
