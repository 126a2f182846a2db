import numpy as np
import pytest

from image_retrieval.datasets import choose, example_rows, folds
from image_retrieval.errors import InputError
from image_retrieval.sframes import image_sframe


def table(labels):
    pixels = np.zeros((len(labels), 4, 4, 3), np.uint8)
    return image_sframe(range(100, 100 + len(labels)), pixels, labels)


def test_examples_are_the_rows_of_the_original_course_where_they_show_what_they_did():
    labels = ["cat", "automobile"] * 10
    labels[18], labels[8] = "cat", "automobile"
    assert example_rows({"label": labels}) == (18, 8)
    labels[18], labels[8] = "automobile", "cat"
    assert example_rows({"label": labels}) == (0, 1)


def test_examples_of_other_labels_are_two_different_ones():
    assert example_rows({"label": ["tree", "boat", "boat"]}) == (1, 0)
    assert example_rows({"label": ["automobile", "zebra"]}) == (1, 0)


def test_examples_need_two_labels():
    with pytest.raises(InputError, match="images of two labels at least"):
        example_rows({"label": ["cat", "cat"]})


def test_chosen_rows_come_from_everywhere_in_the_order_of_the_table():
    images = table(["cat"] * 50 + ["dog"] * 50)
    chosen = choose(images, 10)
    ids = list(chosen["id"])
    assert ids == sorted(ids) and len(set(ids)) == 10
    assert set(chosen["label"]) == {"cat", "dog"}
    assert list(choose(images, 10)["id"]) == ids
    assert list(choose(images, 10, seed=1)["id"]) != ids
    assert list(choose(images, 1000)["id"]) == list(images["id"])


def test_folds_have_equal_sizes_and_keep_origins_together():
    assert np.bincount(folds({"id": range(100)})).tolist() == [20] * 5
    drawn = [str(number % 7) for number in range(70)]
    by_row = folds({"id": range(70), "origin": drawn}, n=3)
    assert set(by_row) == {0, 1, 2}
    assert all(len(set(by_row[np.array(drawn) == name])) == 1 for name in set(drawn))
