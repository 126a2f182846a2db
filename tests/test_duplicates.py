"""Near duplicates: planted copies are found, others are not, and a split's leak is told."""

import numpy as np
import pytest

from image_retrieval import datasets, duplicates
from image_retrieval.errors import InputError
from image_retrieval.features import extract
from image_retrieval.images import as_rgb_list
from image_retrieval.sframes import sframe_vectors

COUNT = 25


def noise(seed, side=24):
    """Return a picture of soft blobs, unlike any other."""
    from PIL import Image

    small = np.random.RandomState(seed).randint(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def drawings():
    """Features and pictures of a part of the sample, and how the features were made."""
    train = datasets.choose(datasets.load("sample")[0], 300)
    how = datasets.locate("sample").extraction
    return sframe_vectors(train, "deep_features")[1], as_rgb_list(train["image"]), how


@pytest.mark.parametrize("kind", duplicates.kinds())
def test_copies_planted_in_the_sample_are_found_and_paired_with_their_originals(drawings, kind):
    X, images, how = drawings
    rows = sorted(np.random.RandomState(3).permutation(len(X))[:COUNT].tolist())
    copies = [duplicates.altered(images[row], kind) for row in rows]
    added = extract(copies, how, progress=False)
    pairs = duplicates.find(np.concatenate([X, added]), images + copies)
    found = {(a, b) for a, b in zip(pairs["first"], pairs["second"]) if b >= len(X)}
    planted = {(row, len(X) + place) for place, row in enumerate(rows)}
    assert len(found & planted) >= 0.95 * COUNT
    assert found <= planted
    assert pairs[pairs["second"] >= len(X)]["mirrored"].all() == (kind == "mirrored")


def test_copies_planted_in_real_photographs_are_found(shared_data):
    from image_retrieval.datasets.cifar10_archive import read_archive
    from image_retrieval.features import Extraction

    archive = shared_data / "cifar-10-binary-subset.tar.gz"
    images = list(read_archive(archive, ("cat", "automobile"))[1].images[:250])
    how = Extraction("efficientnet_lite0", size=64)
    rows = range(0, 250, 10)
    copies = [duplicates.altered(images[row], k) for row in rows for k in duplicates.kinds()]
    X = extract(images + copies, how, progress=False)
    group_of = {
        row: number
        for number, group in enumerate(duplicates.group(duplicates.find(X, images + copies)))
        for row in group
    }
    of = [row for row in rows for _ in duplicates.kinds()]
    together = [
        group_of.get(250 + place, -1) == group_of.get(row, -2) for place, row in enumerate(of)
    ]
    assert np.mean(together) >= 0.95


def test_exact_copies_are_those_of_equal_size_and_pixels_and_need_no_features():
    images = [noise(0), noise(1), noise(0), noise(2), noise(0), np.zeros((4, 6, 3), np.uint8)]
    images += [np.zeros((6, 4, 3), np.uint8)]
    X = np.random.RandomState(0).normal(size=(len(images), 8))
    pairs = duplicates.find(X, images, threshold=0)
    assert pairs[["first", "second", "kind"]].values.tolist() == [
        [0, 2, "exact"],
        [0, 4, "exact"],
    ]
    assert duplicates.group(pairs) == [[0, 2, 4]]


def test_alike_features_alone_do_not_make_a_copy_nor_do_pictures_of_one_color():
    images = [noise(0), noise(1), np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 7, np.uint8)]
    assert len(duplicates.find(np.ones((4, 5)), images, threshold=0.5)) == 0


def test_a_picture_in_the_middle_joins_two_groups():
    import pandas as pd

    pairs = pd.DataFrame({"first": [0, 5, 1, 2], "second": [3, 6, 4, 3]})
    assert duplicates.group(pairs) == [[0, 2, 3], [1, 4], [5, 6]]
    assert duplicates.group(pairs[:0]) == []


def test_threshold_is_below_what_is_usual_and_many_exact_copies_do_not_move_it():
    X = np.random.RandomState(0).normal(size=(400, 30))
    plain = duplicates.propose_threshold(X)
    assert 0 < plain.distance < plain.typical
    assert plain.nearer < 0.1 * len(X)
    with_copies = duplicates.propose_threshold(np.concatenate([X, X[:150], X[:150]]))
    assert with_copies.distance == pytest.approx(plain.distance, rel=0.05)
    near = X[:20] + np.random.RandomState(1).normal(size=(20, 30)) * 0.02
    assert duplicates.propose_threshold(np.concatenate([X, near])).nearer >= 40


@pytest.mark.parametrize("n", [0, 1, 5])
def test_few_pictures_get_a_fixed_threshold_that_says_so(n):
    found = duplicates.propose_threshold(np.eye(max(n, 1), 8)[:n])
    assert found.distance == 0.1 and "too few pictures" in str(found)
    assert len(duplicates.find(np.eye(max(n, 1), 8)[:n], [noise(i) for i in range(n)])) == 0


def test_leak_counts_test_images_with_a_copy_in_training():
    train, test = [noise(i) for i in range(30)], [noise(i) for i in range(100, 110)]
    test[3], test[7], test[8] = train[5], train[5], duplicates.altered(train[9], "brightened")
    train[20] = train[5]
    X = np.random.RandomState(0).normal(size=(40, 16))
    found = duplicates.leak(X[:30], train, X[30:], test)
    assert found.test_rows.tolist() == [3, 7, 8]
    assert found.train_rows.tolist() == [5, 9, 20]
    pairs = set(zip(found.pairs["train"], found.pairs["test"], found.pairs["kind"]))
    assert pairs >= {(5, 3, "exact"), (20, 7, "exact"), (9, 8, "near")}
    assert str(found) == (
        "3 of 10 test images (30.0%) have a copy among the 30 training images, "
        "2 of them an exact one"
    )


def test_a_split_by_drawings_leaks_nothing_exact_and_one_at_random_does_not_either():
    tables = datasets.load("sample")
    X, images = zip(
        *((sframe_vectors(t, "deep_features")[1], as_rgb_list(t["image"])) for t in tables)
    )
    found = duplicates.leak(X[0], images[0], X[1], images[1])
    assert (found.pairs["kind"] == "exact").sum() == 0
    assert len(found.test_rows) <= 0.01 * found.n_test


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 2)), [np.zeros((4, 4, 3), np.uint8)]), "1 pictures for 3 vectors"),
        ((np.eye(2), [noise(0), noise(1)], -1), "threshold=-1 must be a cosine distance"),
        ((np.eye(2), [noise(0), noise(1)], "near"), "threshold='near'"),
    ],
)
def test_bad_input_is_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as raised:
        duplicates.find(*arguments)
    assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="kind='rotated' is no change"):
        duplicates.altered(noise(0), "rotated")
