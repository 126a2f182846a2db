"""Extraction on a cluster of two machines of one core each: the features of one machine.

Both are this one, on loopback.
"""

import os
import shutil
import signal
import tempfile
import time
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image
from small_pictures import draw

from image_retrieval import cli, cluster, collection, datasets, features
from image_retrieval.cluster import extracting, inserting
from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb

pytestmark = pytest.mark.cluster

# The network on small pictures, so that 2,000 of them take seconds.
HOW = features.as_extraction("efficientnet_lite0", size=32)


# A busy machine does not always start a node's agents within the 15 seconds that Ray gives them.
ATTEMPTS = 5
PATIENCE = 120  # seconds
NODE = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
SURROUNDINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray takes 127.0.0.1 for the machine's outer address unless it believes it is alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


@pytest.fixture(scope="module")
def address():
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: see the extra cluster")
    # Short, because the paths of sockets below it may have no more than 107 bytes.
    folder = tempfile.mkdtemp(prefix="ray-")
    before = dict(os.environ)
    os.environ.update(SURROUNDINGS, RAY_TMPDIR=folder)
    cluster = started(ATTEMPTS)
    try:
        yield cluster.address
    finally:
        import ray

        ray.shutdown()
        cluster.shutdown()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def started(attempts):
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(object_store_memory=100 << 20, **NODE)
        return cluster
    except Exception:
        cluster.shutdown()
        if attempts == 1:
            raise
        return started(attempts - 1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """2,000 pictures of the sample by label, a copy of one, and two files that are none."""
    folder = tmp_path_factory.mktemp("cluster") / "pictures"
    train = datasets.load("sample")[0]
    for number, (image, label) in enumerate(zip(train["image"][:1999], train["label"][:1999])):
        path = folder / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(as_rgb(image)).save(str(path))
    shutil.copy(str(folder / train["label"][0] / "0.png"), str(folder / "copy.png"))
    (folder / "cat" / "torn.png").write_bytes(path.read_bytes()[:200])
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def few(tmp_path):
    return draw(tmp_path / "few")


@pytest.fixture(scope="module")
def extracted(address, pictures, tmp_path_factory):
    output = tmp_path_factory.mktemp("parts") / "parts"
    return cluster.extract(pictures, address, output, HOW, part_size=100, progress=False)


def here(folder, files):
    """Return what `extract` makes of the readable files."""
    paths = files["path"][files["problem"].isna()]
    return features.extract([str(folder / path) for path in paths], HOW, progress=False)


def test_two_thousand_pictures_get_the_features_that_extract_gives_them(extracted, pictures):
    files, X = cluster.open_parts(extracted.folder).table()
    assert (extracted.pictures, extracted.parts, extracted.made) == (2000, 21, 21)
    assert X.shape == (2000, 1280) and X.dtype == np.float32
    np.testing.assert_allclose(X, here(pictures, files), atol=1e-5)
    assert set(files["label"]) == {"", "bird", "cat", "dog", "automobile"}
    assert extracted.extraction == features.identified(HOW)


def test_files_that_are_no_pictures_are_listed_as_by_index(extracted):
    (first, torn), (second, notes) = extracted.unreadable
    assert (first, second) == ("cat/torn.png", "notes.txt")
    assert "cannot be read" in torn and notes.startswith("not a picture")


def test_a_later_call_makes_only_what_is_new(address, few, tmp_path):
    how = {"address": address, "output": tmp_path / "parts", "part_size": 5, "progress": False}
    assert cluster.extract(few, extraction="pixels", **how).made == 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").glob("part-*")}
    assert cluster.extract(few, **how).made == 0
    (few / "cats" / "0.png").unlink()
    (few / "dogs" / "1.png").replace(few / "dogs" / "moved.png")
    done = cluster.extract(few, **how)
    assert (done.made, done.pictures) == (1, 11)
    files, X = cluster.open_parts(done.folder).table()
    paths = [str(few / path) for path in files["path"]]
    assert "moved.png" in paths[-1] and np.array_equal(X, features.extract(paths, "pixels"))
    after = {path: path.stat().st_mtime_ns for path in before if path.exists()}
    assert sum(after[path] == before[path] for path in after) == 1  # the part of neither


def test_a_worker_that_is_killed_costs_nothing_but_time(address, few, tmp_path, monkeypatch):
    monkeypatch.setattr(extracting, "Worker", dying_worker(tmp_path / "killed"))
    done = cluster.extract(few, address, tmp_path / "parts", HOW, part_size=2, progress=False)
    assert (tmp_path / "killed").read_text() == "once"
    assert (done.pictures, done.parts, done.unreadable) == (12, 6, ())
    files, X = cluster.open_parts(done.folder).table()
    np.testing.assert_allclose(X, here(few, files), atol=1e-5)


def test_what_was_half_finished_is_finished_and_not_done_again(address, few, tmp_path, monkeypatch):
    monkeypatch.setattr(extracting, "Worker", failing_worker("5.png"))
    how = {"address": address, "output": tmp_path / "parts", "part_size": 1, "progress": False}
    with pytest.raises(InputError, match=r"^no space left on the disk$"):
        cluster.extract(few, extraction=HOW, workers=1, **how)
    monkeypatch.undo()
    there = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "parts").glob("part-*")}
    assert 0 < len(there) < 12
    done = cluster.extract(few, **how)
    assert (done.made, done.parts) == (12 - len(there), 12)
    assert all((done.folder / name).stat().st_mtime_ns == time for name, time in there.items())


def test_index_takes_a_cluster_and_makes_what_it_makes_without(address, few, tmp_path, capsys):
    for output, more in (("alone", []), ("spread", ["--ray", address])):
        options = ["--backbone", "efficientnet_lite0:32", "--output", str(tmp_path / output)]
        assert cli.main(["index", str(few), *options, *more]) == 0
        assert "12 pictures (12 files added" in capsys.readouterr().out
    alone, spread = (collection.open_collection(tmp_path / name) for name in ("alone", "spread"))
    assert set(alone.pictures["path"]) == set(spread.pictures["path"])
    query = str(few / "cats" / "4.png")
    found = [each.index().query(query, k=3) for each in (alone, spread)]
    np.testing.assert_allclose(found[0]["distance"], found[1]["distance"], atol=1e-5)
    assert not (tmp_path / "spread" / "parts").exists()
    assert cli.main(["index", str(few), *options, "--ray", address]) == 0
    assert "0 files added, 0 changed, 0 removed; 0 extracted" in capsys.readouterr().out


def test_each_part_goes_into_a_server_once_whoever_is_free(
    address, server, extracted, tmp_path, monkeypatch
):
    monkeypatch.setattr(inserting, "_Inserter", telling_inserter(tmp_path / "told"))
    where = {"uri": server.uri, "collection": "shared_out", "address": address}
    engine = cluster.insert(extracted.folder, **where, index={"index_type": "FLAT"})
    told = [line.split() for line in (tmp_path / "told").read_text().splitlines()]
    assert sorted(name for name, _ in told) == [path.name for path in parts_of(extracted)]
    assert len({process for _, process in told}) == 2
    holds_each_once(engine, extracted.folder)
    assert cluster.insert(extracted.folder, **where).n == engine.n
    assert len((tmp_path / "told").read_text().splitlines()) == len(told)
    engine.drop()


def test_a_worker_that_is_killed_while_it_inserts_loses_and_doubles_nothing(
    address, server, few, tmp_path, monkeypatch
):
    made = cluster.extract(few, address, tmp_path / "parts", HOW, part_size=4, progress=False)
    monkeypatch.setattr(inserting, "_Inserter", dying_inserter(tmp_path / "killed"))
    where = {"uri": server.uri, "collection": "cut_short", "address": address}
    engine = cluster.insert(made.folder, **where, index={"index_type": "FLAT"})
    assert (tmp_path / "killed").read_text() == "once"
    assert engine.n == 12
    holds_each_once(engine, made.folder)
    engine.drop()


def parts_of(extracted):
    return cluster.open_parts(extracted.folder).paths()


def holds_each_once(engine, folder):
    """Check that a picture is found by its own features, and a full ranking lists each once."""
    files, X = cluster.open_parts(folder).table()
    readable = files[files["problem"].isna()]
    different = readable.drop_duplicates("hash")
    assert engine.n == len(different)
    ranked = engine.search(X[0], k=None)[0][0]
    assert sorted(ranked) == sorted(different["hash"])
    found, distances = engine.search(X[::50], k=1)
    np.testing.assert_allclose(distances, 0, atol=1e-5)
    assert found[:, 0].tolist() == readable["hash"].tolist()[::50]


def telling_inserter(book):
    """Return a worker that notes its parts and its process, and goes on when there are two.

    It does not wait with its first part, because Ray Data starts few before one is done.
    """

    class Telling(inserting._Inserter):
        parts = 0

        def _insert(self, name):
            with book.open("a") as file:
                file.write(f"{name} {os.getpid()}\n")
            self.parts += 1
            end = time.monotonic() + PATIENCE
            while self.parts > 1 and self._alone() and time.monotonic() < end:
                time.sleep(0.1)
            super()._insert(name)

        def _alone(self):
            return len({line.split()[1] for line in book.read_text().splitlines()}) < 2

    return Telling


def dying_inserter(flag):
    """Return a worker that is killed once, when the server has half of a part."""

    class Dying(inserting._Inserter):
        def _insert(self, name):
            if not flag.exists():
                flag.write_text("once")
                files, contents = self._parts.read(name)
                half = contents[: len(contents) // 2]
                labels = {file.hash: file.label for file in files}
                ids = [content[0] for content in half]
                X = np.array([content[-1] for content in half])
                self._engine.update(X, ids, [labels[key] for key in ids])
                os.kill(os.getpid(), signal.SIGKILL)
            super()._insert(name)

    return Dying


def dying_worker(flag):
    """Return a worker that is killed once, in the middle of its second part."""

    # Local, so that Ray sends its code along.
    class Dying(extracting.Worker):
        parts = 0

        def _make(self, keys):
            self.parts += 1
            if self.parts == 2 and not flag.exists():
                flag.write_text("once")
                os.kill(os.getpid(), signal.SIGKILL)
            return super()._make(keys)

    return Dying


def failing_worker(name):
    """Return a worker that cannot write the part with a file of this name."""

    class Failing(extracting.Worker):
        def _make(self, keys):
            if os.fsencode(name) in keys[0]:
                raise InputError("no space left on the disk")
            return super()._make(keys)

    return Failing
