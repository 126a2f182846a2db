"""Pictures of one photograph or drawing stay on one side of a split, and the tables say so."""

from types import SimpleNamespace

import numpy as np
import pytest

from image_retrieval import datasets
from image_retrieval.datasets.caltech101 import CARD, LABELS
from image_retrieval.datasets.rows import split_rows
from image_retrieval.errors import InputError


def test_pictures_of_one_origin_stay_together():
    labels = ["Faces", "Faces_easy"] * 50 + ["brain"] * 40
    origins = [str(row // 2) for row in range(100)] + [f"b{row // 4}" for row in range(40)]
    train, test = split_rows(labels, 0.3, seed=1, origins=origins)
    assert sorted(train + test) == list(range(140))
    assert not {origins[row] for row in train} & {origins[row] for row in test}
    shares = [np.mean([labels[row] == name for row in test]) for name in set(labels)]
    assert len(test) == 15 * 2 + 3 * 4 and min(shares) > 0.25


def test_without_origins_each_row_is_on_its_own():
    labels = ["cat"] * 20 + ["dog"] * 10
    alone = split_rows(labels, 0.3, seed=7)
    assert alone == split_rows(labels, 0.3, seed=7, origins=range(30))
    assert [len(part) for part in alone] == [21, 9]


def test_a_label_of_a_single_origin_cannot_be_split():
    with pytest.raises(InputError, match="'dog' has 1"):
        split_rows(["cat"] * 4 + ["dog"] * 4, 0.5, seed=0, origins=[0, 1, 2, 3, 4, 4, 4, 4])


@pytest.mark.parametrize("dataset", ["cifar10", "caltech101"])
def test_no_drawing_of_a_sample_is_on_both_sides(dataset):
    train, test = map(datasets.origins, datasets.load("sample", dataset))
    assert len(set(train)) > 30 and not set(train) & set(test)


def test_a_face_and_its_close_crop_are_one_photograph(shared_data, tmp_path):
    pictures = list(
        CARD.read(
            shared_data / "101_ObjectCategories-subset.tar.gz", SimpleNamespace(labels=LABELS)
        )
    )
    by_name = {picture.name: picture.origin for picture in pictures}
    assert by_name["Faces_easy/image_0007.jpg"] == by_name["Faces/image_0007.jpg"]
    assert len(set(by_name.values())) == len(by_name) - 60


def test_a_table_without_origins_takes_each_row_for_its_own():
    assert datasets.origins({"id": [7, 9], "label": ["cat", "cat"]}) == ["7", "9"]
    assert datasets.origins({"id": [7, 9], "origin": ["a", "a"]}) == ["a", "a"]
