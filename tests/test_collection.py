"""A folder as a data set: what is new is extracted once, whatever happens in between."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from conftest import heed_ctrl_c
from image_retrieval import collection, features
from image_retrieval.collection import reading, updating
from image_retrieval.errors import InputError

HOW = "pixels"


def save(path, seed, side=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.RandomState(seed).randint(0, 256, (side, side, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(str(path))
    return path


@pytest.fixture
def folder(tmp_path):
    for number in range(12):
        save(tmp_path / "mine" / ("cats", "dogs")[number % 2] / f"{number}.png", number)
    save(tmp_path / "mine" / "loose.png", 99)
    (tmp_path / "mine" / "cats" / "broken.jpg").write_bytes(b"no picture")
    return tmp_path / "mine"


@pytest.fixture
def extracted(monkeypatch):
    """How many pictures went through the network, in a list that grows."""
    counts, real = [], features.extract

    def counting(images, *arguments, **options):
        counts.append(len(images))
        return real(images, *arguments, **options)

    monkeypatch.setattr(reading, "extract", counting)
    return counts


def counts(done):
    return done.added, done.changed, done.removed, done.extracted


def test_a_folder_becomes_an_index_with_labels_and_names_what_it_cannot_read(folder):
    done = collection.update(folder, extraction=HOW)
    assert (done.pictures, *counts(done)) == (13, 14, 0, 0, 13)
    ((path, problem),) = done.unreadable
    assert path == "cats/broken.jpg" and problem.startswith("not a picture")
    opened = collection.open_collection(folder)
    labels = dict(zip(opened.pictures["path"], opened.pictures["label"]))
    assert labels["loose.png"] == "" and set(labels.values()) == {"", "cats", "dogs"}
    index = opened.index()
    row = opened.pictures[opened.pictures["path"] == "dogs/7.png"].iloc[0]
    found = index.query(str(folder / "dogs" / "7.png"), k=1)
    assert (found["reference_label"][0], found["distance"][0]) == (row["id"], 0.0)
    asked = index.search(opened.vectors()[:1], k=None, where="cats")[0]
    assert asked.shape == (1, 6)
    assert opened.is_current and len(opened.prints()) == len(opened.vectors()) == 13
    X = features.extract([str(folder / path) for path in opened.pictures["path"]], HOW)
    assert np.array_equal(X, opened.vectors())


def test_only_what_changed_is_looked_at_and_only_what_is_new_extracted(folder, extracted):
    collection.update(folder, extraction=HOW)
    before = sum(extracted)
    assert counts(collection.update(folder)) == (0, 0, 0, 0)
    save(folder / "cats" / "0.png", 500)
    save(folder / "birds" / "new.png", 501)
    (folder / "dogs" / "1.png").unlink()
    (folder / "dogs" / "3.png").replace(folder / "cats" / "moved.png")
    shutil.copy(str(folder / "dogs" / "5.png"), str(folder / "cats" / "twice.png"))
    os.utime(str(folder / "dogs" / "7.png"), (1, 1))
    done = collection.update(folder)
    assert counts(done) == (3, 2, 2, 2)
    assert sum(extracted) == before + 2 == before + done.extracted
    opened = collection.open_collection(folder)
    labels = dict(zip(opened.pictures["path"], opened.pictures["label"]))
    assert labels["cats/moved.png"] == "cats"
    assert "dogs/1.png" not in labels and len(labels) == 14
    assert opened.index().n == 14


def test_a_picture_that_breaks_is_left_out_and_one_that_is_mended_comes_back(folder):
    collection.update(folder, extraction=HOW)
    (folder / "dogs" / "1.png").write_bytes(b"cut")
    save(folder / "cats" / "broken.jpg", 7)
    done = collection.update(folder)
    assert done.pictures == 13
    assert [path for path, _ in done.unreadable] == ["dogs/1.png"]
    assert "cats/broken.jpg" in set(collection.open_collection(folder).pictures["path"])


def test_ids_stay_and_the_folder_may_be_moved(folder, tmp_path):
    collection.update(folder, extraction=HOW)
    before = collection.open_collection(folder).pictures.set_index("path")["id"].to_dict()
    save(folder / "a.png", 1000)
    (folder / "dogs" / "1.png").unlink()
    collection.update(folder)
    folder.rename(tmp_path / "elsewhere")
    after = collection.open_collection(tmp_path / "elsewhere")
    assert after.source == (tmp_path / "elsewhere").resolve()
    ids = after.pictures.set_index("path")["id"].to_dict()
    assert {path: before[path] for path in ids if path in before} == {
        path: key for path, key in ids.items() if path in before
    }
    assert counts(collection.update(tmp_path / "elsewhere")) == (0, 0, 0, 0)


def test_the_index_may_lie_elsewhere_and_the_folder_be_read_only(folder, tmp_path):
    done = collection.update(folder, tmp_path / "out", HOW, engine="exact", metric="cosine")
    assert not (folder / ".image-retrieval").exists()
    opened = collection.open_collection(tmp_path / "out")
    assert (done.folder, opened.source) == ((tmp_path / "out").resolve(), folder.resolve())
    assert opened.index().engine.metric == "cosine"
    save(folder / "new.png", 77)
    collection.update(folder, tmp_path / "out")
    opened = collection.open_collection(tmp_path / "out")
    assert (opened.index().engine.metric, opened.index().n) == ("cosine", 14)
    assert opened.index(metric="euclidean").engine.metric == "euclidean"


SLOW = """
import sys, time
from image_retrieval import collection
from image_retrieval.collection import reading
real = reading.extract
def slow(images, *arguments, **options):
    time.sleep(0.05)
    return real(images, *arguments, **options)
reading.extract = slow
collection.update(sys.argv[1], extraction="pixels")
"""


def known(folder):
    """Return how many pictures' features are safely on the disk."""
    path = folder / ".image-retrieval" / "pictures.sqlite"
    try:
        with closing(sqlite3.connect(str(path))) as connection:
            return connection.execute("SELECT COUNT(*) FROM contents").fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no kill -9")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_where_it_was_and_extracts_nothing_twice(tmp_path, extracted, how):
    for number in range(600):
        save(tmp_path / "many" / f"{number}.png", number, side=4)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(tmp_path / "many")],
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_ctrl_c,
    )
    end = time.monotonic() + 120
    while not (tmp_path / "many" / ".image-retrieval").is_dir() or not known(tmp_path / "many"):
        assert program.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    program.send_signal(how)
    assert program.wait() != 0
    before = known(tmp_path / "many")
    assert 0 < before < 600
    with pytest.raises(InputError, match="was not indexed to the end; run the same command"):
        collection.open_collection(tmp_path / "many")
    done = collection.update(tmp_path / "many")
    assert sum(extracted) == done.extracted == 600 - before
    assert collection.open_collection(tmp_path / "many").index().n == 600


def test_an_update_cut_short_before_the_index_is_told_and_mended(folder, monkeypatch):
    collection.update(folder, extraction=HOW)
    save(folder / "new.png", 12345)
    with monkeypatch.context() as patch:
        patch.setattr(updating, "build_index", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            collection.update(folder)
    assert not collection.open_collection(folder).is_current
    done = collection.update(folder)
    assert done.extracted == 0 and collection.open_collection(folder).is_current
    assert collection.open_collection(folder).index().n == 14


PEAK = """
import resource, sys
from image_retrieval import collection
collection.update(sys.argv[1], extraction="pixels")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.long
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path):
    pytest.importorskip("resource")
    peaks = []
    for count in (500, 2000):
        for number in range(count):
            # Each takes 300 KB when it is read: all of them would take 600 MB.
            path = tmp_path / str(count) / f"{number}.jpg"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", (320, 320), (number % 256, number // 256, 9)).save(str(path))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        program = [sys.executable, "-c", PEAK, str(tmp_path / str(count))]
        done = subprocess.run(program, env=environment, stdout=subprocess.PIPE, check=True)
        peaks.append(int(done.stdout.split()[-1]))
    # The features themselves, 12 KB a picture here, are in memory when the index is built.
    assert peaks[1] / peaks[0] < 1.5


def test_files_with_strange_names_links_and_pipes_are_no_trouble(tmp_path):
    folder = tmp_path / "odd"
    save(folder / "a 'b' \u00e9\n.png", 1)
    save(folder / ".hidden" / "x.png", 2)
    (folder / "gone.png").symlink_to("nowhere")
    (folder / "again.png").symlink_to(folder / "a 'b' \u00e9\n.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(str(folder / "pipe.png"))
    if sys.platform == "linux":
        save(tmp_path / "x.png", 3).rename(os.fsdecode(os.fsencode(str(folder)) + b"/\xff.png"))
    done = collection.update(folder, extraction=HOW)
    assert done.pictures == 1 + (sys.platform == "linux")
    problems = dict(done.unreadable)
    assert "cannot read it" in problems["gone.png"]
    assert "again.png" not in problems
    if hasattr(os, "mkfifo"):
        assert "pipe" in problems["pipe.png"]


def test_bad_input_is_one_line(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    cases = {
        "no such folder": lambda: collection.update(tmp_path / "nowhere"),
        "holds no files": lambda: collection.update(tmp_path / "empty"),
        "has not been indexed": lambda: collection.open_collection(folder),
        "no backbone is called 'vgg'": lambda: collection.update(folder, extraction="vgg"),
    }
    for message, call in cases.items():
        with pytest.raises(InputError, match=message) as raised:
            call()
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "empty" / ".image-retrieval").exists()
    collection.update(folder, extraction=HOW)
    with pytest.raises(InputError, match="holds features by pixels at 32 px, not pixels at 8 px"):
        collection.update(folder, extraction=features.Extraction("pixels", size=8))


def test_a_folder_of_no_pictures_says_so(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    with pytest.raises(InputError, match="no readable picture"):
        collection.update(tmp_path / "texts", extraction=HOW)


def test_a_damaged_store_is_one_line(folder):
    done = collection.update(folder, extraction=HOW)
    (done.folder / "pictures.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="cannot be used .*delete the folder it is in"):
        collection.open_collection(folder)
