import os
import subprocess
import sys
import textwrap
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cifar10_archives import make_archive, make_batches, stub_features

from image_retrieval.datasets import building, cifar10, load, registry
from image_retrieval.datasets.cifar10 import LABELS
from image_retrieval.datasets.cifar10_archive import read_archive
from image_retrieval.datasets.rows import choose_rows
from image_retrieval.errors import DownloadError, InputError
from image_retrieval.files import exclusive
from image_retrieval.sframes import sarray_to_images


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return make_archive(tmp_path_factory.mktemp("archive") / "cifar-10-binary.tar.gz")


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr("image_retrieval.features.extract", stub_features)


def build(archive, output, **options):
    return building.build("cifar10", archive, output, progress=False, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_build_has_the_courses_shape(archive, tmp_path, stub):
    built = build(archive, tmp_path / "data", train=40, test=20)
    train, test = load(tmp_path / "data")
    assert train.column_names() == ["id", "image", "label", "deep_features", "image_array"]
    assert train.column_types()[0] is int
    assert Counter(train["label"]) == built.train == dict.fromkeys(LABELS, 10)
    assert Counter(test["label"]) == built.test == dict.fromkeys(LABELS, 5)
    assert train[18]["label"] == "cat"
    assert train[8]["label"] == "automobile"
    assert 0 < built.feature_seconds < built.seconds


def test_ids_lead_to_the_archives_images_exactly(archive, tmp_path, stub):
    build(archive, tmp_path / "data", train=40, test=20)
    for sframe, official in zip(load(tmp_path / "data"), read_archive(archive)):
        ids = list(sframe["id"])
        assert len(set(ids)) == len(ids)
        assert list(sframe["label"]) == official.labels[ids].tolist()
        images = np.stack(sarray_to_images(sframe["image"]))
        assert (images == official.images[ids]).all()
        features = stub_features(images)
        assert [list(row) for row in sframe["deep_features"]] == features.tolist()


def test_the_same_seed_gives_the_same_data_whatever_the_archives_order(tmp_path, stub):
    batches = make_batches()
    first = make_archive(tmp_path / "first", batches)
    second = make_archive(tmp_path / "second", batches, order=sorted(batches, reverse=True))
    ids = []
    for archive, seed in ((first, 1), (second, 1), (first, 2)):
        build(archive, tmp_path / "data", train=40, test=10, seed=seed)
        ids.append([list(sframe["id"]) for sframe in load(tmp_path / "data")])
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_the_choice_is_the_same_on_every_machine():
    labels = np.array(LABELS)[np.arange(60) % 4]
    expected = [4, 7, 9, 13, 17, 55, 23, 24, 32, 30, 27, 35, 36, 38, 45, 50, 53, 54, 18, 56]
    assert choose_rows(labels, 20, seed=0, fixed=cifar10.FIXED_ROWS) == expected


@pytest.mark.parametrize("seed", range(20))
def test_chosen_rows_ascend_but_for_the_two_fixed_ones(seed):
    labels = np.random.default_rng(seed).choice(LABELS, 300)
    rows = choose_rows(labels, 150, seed, fixed={8: "automobile", 18: "cat"})
    assert labels[rows[8]] == "automobile"
    assert labels[rows[18]] == "cat"
    assert len(set(rows)) == 150
    moved = sum(a != b for a, b in zip(rows, sorted(rows)))
    assert moved <= 4
    counts = Counter(labels[rows])
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_label_that_runs_out_is_made_up_for_by_the_others():
    labels = ["cat"] * 2 + ["dog"] * 20 + ["bird"] * 20
    counts = Counter(labels[row] for row in choose_rows(labels, 20, seed=0))
    assert counts == {"cat": 2, "dog": 9, "bird": 9}


def test_all_rows_can_be_had(archive, tmp_path, stub):
    built = build(archive, tmp_path / "data", train=100, test=20)
    assert sum(built.train.values()) == 100


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"train": 101}, "train=101 is not possible: there are 100 train images .* 19 to 100"),
        ({"train": 18}, "train=18 is not possible: .* choose 19 to 100"),
        ({"train": 40, "test": 21}, "test=21 is not possible: there are 20 test .* 1 to 20"),
        ({"train": 40, "test": 0}, "test=0 is not possible"),
        ({"train": 40, "test": -3}, "test=-3 is not possible"),
    ],
)
def test_more_than_there_is_is_refused_with_what_there_is(archive, tmp_path, stub, counts, message):
    with pytest.raises(InputError, match=message) as caught:
        build(archive, tmp_path / "data", **{"test": 20, **counts})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_fixed_rows_need_their_label():
    with pytest.raises(InputError, match="no image of 'cat' for row 2"):
        choose_rows(["dog"] * 9, 5, seed=0, fixed={2: "cat"})


def test_a_bad_archive_leaves_the_old_data(archive, tmp_path, stub):
    build(archive, tmp_path / "data", train=40, test=20)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(InputError, match="cut short"):
        build(cut, tmp_path / "data", train=30, test=20)
    assert len(load(tmp_path / "data")[0]) == 40


def test_a_folder_with_anything_else_in_it_is_not_replaced(archive, tmp_path, stub):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="'thesis.tex', which would be lost"):
        build(archive, tmp_path, train=40, test=20)
    with pytest.raises(InputError, match="is a file"):
        build(archive, tmp_path / "thesis.tex", train=40, test=20)
    assert names(tmp_path) == ["thesis.tex"]


def test_a_finder_file_does_not_keep_an_older_build_from_being_replaced(archive, tmp_path, stub):
    for rows in (40, 30):
        build(archive, tmp_path / "data", train=rows, test=20)
        (tmp_path / "data" / ".DS_Store").write_bytes(b"x")
    assert len(load(tmp_path / "data")[0]) == 30


def test_two_builds_at_once_are_refused(archive, tmp_path, stub):
    with exclusive(tmp_path / "data"), pytest.raises(InputError, match="by another process"):
        build(archive, tmp_path / "data", train=40, test=20)


def test_without_a_network_the_old_data_stays_and_the_way_out_is_named(
    archive, tmp_path, stub, monkeypatch
):
    here = replace(cifar10.CARD, url="http://127.0.0.1:9/cifar-10-binary.tar.gz")
    monkeypatch.setitem(registry.CARDS, "cifar10", here)
    monkeypatch.setattr(building, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    build(archive, tmp_path / "data", train=40, test=20)
    with pytest.raises(DownloadError, match=r"127.0.0.1:9/cifar.*make cifar10 ARCHIVE=path"):
        build(None, tmp_path / "data", train=30, test=20)
    assert len(load(tmp_path / "data")[0]) == 40


CHILD = textwrap.dedent(
    """
    import pathlib, sys, time
    archive, output, moment = sys.argv[1:]
    from cifar10_archives import stub_features
    from image_retrieval import features
    from image_retrieval.datasets import building

    def hang(*args, **kwargs):
        print("here", flush=True)
        time.sleep(60)

    def after(function):
        def wrapped(*args, **kwargs):
            function(*args, **kwargs)
            hang()
        return wrapped

    features.extract = stub_features
    if moment == "features":
        features.extract = lambda images, *_, **__: hang() if len(images) else None
    elif moment == "first table written":
        import turicreate
        turicreate.SFrame.save = after(turicreate.SFrame.save)
    elif moment == "old data set aside":
        pathlib.Path.rename = after(pathlib.Path.rename)
    elif moment == "new data in place":
        building.sframes.write_sframes = after(building.sframes.write_sframes)
    building.build("cifar10", archive, output, train=30, test=20)
    """
)


@pytest.mark.parametrize(
    ("moment", "rows"),
    [
        ("features", 40),
        ("first table written", 40),
        ("old data set aside", 40),
        ("new data in place", 30),
    ],
)
def test_a_build_killed_at_any_moment_leaves_whole_data(archive, tmp_path, stub, moment, rows):
    data = tmp_path / "parent" / "data"
    build(archive, data, train=40, test=20)
    paths = [os.path.dirname(__file__), *sys.path]  # noqa: PTH120
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, str(archive), str(data), moment],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline().strip() == b"here"
    child.kill()
    child.communicate()
    train, test = load(data)
    assert (len(train), len(test)) == (rows, 20)
    assert len(sarray_to_images(train["image"])) == rows
    build(archive, data, train=50, test=20)
    assert names(data.parent) == [".data.lock", "data"]
    assert len(load(data)[0]) == 50
