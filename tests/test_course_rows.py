"""The original course's own rows, from an archive of the official size and order."""

import json

import numpy as np
import pytest
from cifar10_archives import LABELS, make_archive

from image_retrieval import datasets
from image_retrieval.datasets import cifar10
from image_retrieval.datasets.building import _checked_options
from image_retrieval.datasets.cards import Listing
from image_retrieval.datasets.course_rows import choose_course_rows, known_rows
from image_retrieval.sframes import sarray_to_images

FIRST, FURTHER, COUNTS = known_rows()
KNOWN = {**FIRST, **FURTHER}


def official_numbers(seed=0):
    """Return 50,000 label numbers, 5,000 of each, right where the official ones are known."""
    numbers = np.repeat(np.arange(10), 5000)
    fixed = {row: LABELS.index(label) for row, label in KNOWN.items()}
    left = list(numbers)
    for number in fixed.values():
        left.remove(number)
    made = np.empty(50_000, np.uint8)
    rest = np.setdiff1d(np.arange(50_000), list(fixed))
    made[rest] = np.random.RandomState(seed).permutation(left)
    made[list(fixed)] = list(fixed.values())
    return made


def numbered(numbers):
    """Return records of black pictures but for their position, in the first pixel."""
    records = np.zeros((len(numbers), 3073), np.uint8)
    place = np.arange(len(numbers))
    records[:, 0], records[:, 1], records[:, 1025] = numbers, place // 256, place % 256
    return records


@pytest.fixture(scope="module")
def labels():
    """The four labels of an archive in the official order, and their positions."""
    names = np.array(LABELS)[official_numbers()]
    ids = np.flatnonzero(np.isin(names, cifar10.LABELS))
    return ids, names[ids]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("official")
    train, test = numbered(official_numbers()), numbered(np.tile(np.arange(10), 1000))
    batches = {f"data_batch_{n + 1}.bin": train[n * 10_000 :][:10_000].tobytes() for n in range(5)}
    batches["test_batch.bin"] = test.tobytes()
    archive = make_archive(folder / "cifar-10-binary.tar.gz", batches)
    return datasets.build("cifar10", archive, folder / "data", "pixels", progress=False)


@pytest.mark.long
def test_the_default_build_is_the_courses_table_as_far_as_it_is_known(built):
    train, test = datasets.load(built.folder)
    ids, labels = list(train["id"]), list(train["label"])
    assert len(ids) == 2005 and ids[:34] == list(FIRST) and ids == sorted(set(ids))
    assert (ids[8], labels[8]) == (136, "automobile")
    assert (ids[18], labels[18]) == (384, "cat")
    assert min(ids[34:]) > 882
    assert set(KNOWN) <= set(ids)
    assert all(KNOWN.get(number, label) == label for number, label in zip(ids, labels))
    assert built.train == COUNTS == {"automobile": 509, "bird": 478, "cat": 509, "dog": 509}
    numbers = list(test["id"])
    assert numbers == [row for row in range(10_000) if row % 10 in (1, 2, 3, 5)]
    assert built.test == dict.fromkeys(cifar10.LABELS, 1000)


def test_each_row_holds_its_own_picture_and_pixels(built):
    for sframe in datasets.load(built.folder):
        pixels = np.stack(sarray_to_images(sframe["image"]))
        ids = np.array(list(sframe["id"]))
        assert (pixels[:, 0, 0, :2] == np.stack([ids // 256, ids % 256], axis=1)).all()
        arrays = np.array(list(sframe["image_array"]))
        assert np.array_equal(arrays, pixels.reshape(len(pixels), 3072))


def test_the_report_says_whose_rows_they_are(built):
    lines = [line for line in built.report().splitlines() if "original course" in line]
    assert len(lines) == 1
    assert "rows 0 to 33, 26 others" in lines[0] and "4,000" in lines[0]


def test_the_facts_are_those_that_were_found(shared_reference):
    facts = json.loads((shared_reference / "uw_course_rows.json").read_text())
    assert (list(FIRST), list(FURTHER)) == (facts["rows_from_0"], facts["further_ids"])
    assert {str(number): label for number, label in KNOWN.items()} == facts["labels"]
    assert facts["counts"] == COUNTS


def test_the_seed_chooses_what_is_not_known(labels):
    chosen = [labels[0][choose_course_rows(*labels, seed)].tolist() for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert all(set(KNOWN) <= set(ids) and ids[:34] == list(FIRST) for ids in chosen)


def chosen(ids, labels, **changes):
    """Return what `cifar10.split` makes of training images and as many test images as needed."""
    test = np.tile(cifar10.LABELS, 1000)
    listing = Listing(
        np.concatenate([ids, np.arange(4000)]),
        np.concatenate([labels, test]),
        np.repeat(["train", "test"], [len(ids), 4000]),
        np.full(len(ids) + 4000, ""),
    )
    return cifar10.split(listing, _checked_options(cifar10.CARD, changes))


def test_another_order_falls_back_to_a_choice_by_the_seed_and_says_so(labels):
    ids, names = labels
    swapped = names.copy()
    place = np.flatnonzero(ids == 49803)[0]
    other = np.flatnonzero(swapped != "dog")[-1]
    swapped[place], swapped[other] = swapped[other], "dog"
    split = chosen(ids, swapped)
    assert "the labels differ at the ids" in split.note and "seed 0" in split.note
    counts = np.unique(swapped[split.train], return_counts=True)[1]
    assert len(split.train) == 2005 and max(counts) - min(counts) == 1
    assert swapped[split.train[8]] == "automobile" and swapped[split.train[18]] == "cat"


def test_a_part_of_the_archive_falls_back_too(labels):
    ids, names = (column[: len(column) // 2] for column in labels)
    assert "the labels differ at the ids" in chosen(ids, names).note


def test_too_few_others_fall_back(labels):
    ids, names = labels
    kept = np.isin(ids, list(KNOWN)) | (names != "bird")
    assert choose_course_rows(ids[kept], names[kept], 0) is None


@pytest.mark.parametrize("changes", [{"train": 2004}, {"test": 800}])
def test_other_numbers_of_rows_fall_back_and_say_why(labels, changes):
    split = chosen(*labels, **changes)
    assert "the original course had 2,005 and 4,000 images" in split.note
    assert len(split.train) == changes.get("train", 2005)
    assert len(split.test) == changes.get("test", 4000)
