"""What needs no cluster: messages, and the parts themselves."""

import sys
from pathlib import PurePath

import numpy as np
import pytest
from small_pictures import draw

from image_retrieval import cli, cluster, features
from image_retrieval.cluster import parts, session
from image_retrieval.cluster.session import connect
from image_retrieval.collection.reading import read_batch
from image_retrieval.errors import InputError
from image_retrieval.index.milvus import MilvusEngine

pytestmark = pytest.mark.cluster
pytest.importorskip("pyarrow")


@pytest.fixture
def few(tmp_path):
    return draw(tmp_path / "few")


@pytest.fixture
def written(few, tmp_path):
    """Two parts of six pictures each, the second with a file that is none."""
    (few / "dogs" / "z.png").write_bytes(b"no picture")
    made = parts.agreed_parts(tmp_path / "parts", "pixels")
    names = sorted(path.relative_to(few) for path in few.glob("*/*.png"))
    for number, some in enumerate((names[:6], names[6:])):
        batch = read_batch(few, some, made.extraction, lambda key: False)
        parts.write_part(made.folder / f"part-{number}.parquet", *batch)
    return made


def test_parts_give_back_what_was_written(written, few):
    files, X = cluster.open_parts(written.folder).table()
    readable = files[files["problem"].isna()]
    assert list(files["path"]) == sorted(files["path"]) and len(files) == 13
    assert list(readable["label"]) == ["cats"] * 6 + ["dogs"] * 6
    expected = features.extract([str(few / path) for path in readable["path"]], "pixels")
    assert np.array_equal(X, expected)


def test_what_is_gone_is_pruned_and_the_rest_stays(written):
    stamps = [stamp for some in written.stamps().values() for stamp in some]
    kept = set(stamps[1:6])
    assert written.prune(kept) == kept
    assert [path.name for path in written.paths()] == ["part-0.parquet"]
    assert len(written.table()[1]) == 5


def test_a_file_that_is_done_twice_is_kept_once(written):
    first = written.folder / "part-0.parquet"
    (written.folder / "part-2.parquet").write_bytes(first.read_bytes())
    everything = {stamp for some in written.stamps().values() for stamp in some}
    assert written.prune(everything) == everything
    assert len(written.paths()) == 2 and len(written.table()[0]) == 13


def test_another_extraction_is_refused_in_one_line(written, few):
    problem = r"holds features by pixels at 32 px, not pixels at 8 px; leave the extraction out"
    with pytest.raises(InputError, match=problem):
        cluster.extract(few, output=written.folder, extraction=features.Extraction("pixels", 8))


def test_a_damaged_part_is_named(written):
    (written.folder / "part-0.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"part-0.parquet cannot be read .*; delete it, and"):
        written.table()


def test_a_folder_without_parts(tmp_path):
    with pytest.raises(InputError, match="holds no extraction; make one"):
        cluster.open_parts(tmp_path)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"workers": 0}, "workers=0 must be a whole number, at least 1"),
        ({"part_size": 1.5}, r"part_size=1\.5 must be a whole number, at least 1"),
    ],
)
def test_numbers_that_are_none(few, options, problem):
    with pytest.raises(InputError, match=problem):
        cluster.extract(few, **options)


def test_a_list_of_files_needs_a_place(few):
    with pytest.raises(InputError, match="give output="):
        cluster.extract(list(few.glob("*/*.png")))


def test_where_ray_is_missing_one_line_says_how_to_get_it(few, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert cli.main(["index", str(few), "--backbone", "pixels", "--ray", "local"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "needs Ray" in line and "make with-cluster" in line


def test_an_address_where_nobody_answers_is_named_at_once():
    pytest.importorskip("ray")
    with pytest.raises(InputError, match="no Ray cluster answers at 127.0.0.1:1 "):
        connect("127.0.0.1:1")


@pytest.mark.parametrize(("failures", "starts"), [(1, 2), (9, 3)])
def test_a_start_on_this_machine_that_fails_is_tried_again(failures, starts, monkeypatch):
    class Ray:
        tried = 0

        def is_initialized(self):
            return False

        def init(self, **how):
            self.tried += 1
            if self.tried <= failures:
                raise Exception("The current node timed out during startup.")

        def shutdown(self):
            pass

    ray = Ray()
    monkeypatch.setattr(session, "_ray", lambda: ray)
    monkeypatch.setattr(session, "_joined", {})
    if failures >= starts:
        with pytest.raises(InputError, match="no Ray cluster answers at local"):
            connect("local")
    else:
        assert connect("local") is ray
    assert ray.tried == starts


def test_milvus_goes_with_ray_only(few, capsys):
    assert cli.main(["index", str(few), "--milvus", "http://127.0.0.1:1"]) == 2
    assert "goes with --ray" in capsys.readouterr().err


def test_parts_go_into_milvus_once_by_the_hash_of_their_content(written, few, tmp_path):
    pytest.importorskip("milvus_lite")
    (few / "copy.png").write_bytes((few / "cats" / "0.png").read_bytes())
    batch = read_batch(few, [PurePath("copy.png")], written.extraction, lambda key: False)
    parts.write_part(written.folder / "part-2.parquet", *batch)
    uri = tmp_path / "images.db"
    engine = cluster.insert(written, uri)
    files, X = written.table()
    readable = files[files["problem"].isna()]
    assert (len(X), engine.n) == (13, 12)
    found, distances = engine.search(X, k=1)
    assert list(found[:, 0]) == list(readable["hash"]) and np.allclose(distances, 0, atol=1e-6)
    assert engine.search(X[:1], k=None, where="dogs")[0].shape == (1, 6)
    assert cluster.insert(written.folder, uri).n == 12


def test_what_was_inserted_is_noted_until_the_collection_is_dropped(written, tmp_path):
    pytest.importorskip("milvus_lite")
    uri = tmp_path / "images.db"
    engine = cluster.insert(written, uri)
    engine.remove(engine.search(np.eye(1, engine.d), k=1)[0][0])
    # Every part is noted, so this inserts nothing.
    assert cluster.insert(written, uri).n == 11
    engine._ask("drop_collection")
    engine.close()
    assert cluster.insert(written, uri).n == 12


def test_a_part_whose_insertion_was_cut_short_is_inserted_again(written, tmp_path, monkeypatch):
    pytest.importorskip("milvus_lite")
    uri, real, calls = tmp_path / "images.db", MilvusEngine.update, []

    def lost(engine, X, ids, labels):
        calls.append(len(ids))
        real(engine, X, ids, labels)
        if len(calls) == 2:
            raise InputError("the answer was lost")

    monkeypatch.setattr(MilvusEngine, "update", lost)
    with pytest.raises(InputError, match="the answer was lost"):
        cluster.insert(written, uri)
    assert cluster.insert(written, uri).n == 12
    assert calls == [6, 6, 6]


def test_parts_without_a_picture_cannot_be_inserted(few, tmp_path):
    made = parts.agreed_parts(tmp_path / "parts", "pixels")
    with pytest.raises(InputError, match="holds no readable picture"):
        cluster.insert(made, tmp_path / "images.db")
