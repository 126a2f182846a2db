"""The bundled sample: what the course's text says of it is so."""

import json
from array import array
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from image_retrieval import datasets
from image_retrieval.features import Extraction, extract
from image_retrieval.sframes import (
    image_sframe,
    sarray_to_images,
    sarray_to_vectors,
    with_extractions,
)
from tools.sample.backgrounds import scene
from tools.sample.compose import Placement, picture
from tools.sample.drawings import CALTECH101, CIFAR, OWN, listed, split
from tools.sample.save import save_sframe

ROOT = Path(__file__).resolve().parent.parent
NINE = ["Faces", "Faces_easy", "Leopards", "Motorbikes", "airplanes", "brain", "butterfly"]
NINE += ["car_side", "grand_piano"]
LABELS = ["automobile", "bird", "cat", "dog"]


COLUMNS = ["id", "image", "label", "deep_features", "image_array", "origin"]


@pytest.fixture(scope="module")
def sample():
    """The two bundled SFrames, opened as a student of the original course opens them."""
    import turicreate as tc

    return tc.SFrame(str(ROOT / "image_train_data")), tc.SFrame(str(ROOT / "image_test_data"))


@pytest.fixture(scope="module")
def nine():
    """The two SFrames of the second system's sample."""
    return datasets.load("sample", dataset="caltech101")


def test_it_has_the_courses_columns_and_rows(sample):
    image_train, image_test = sample
    for sframe in sample:
        assert sframe.column_names() == COLUMNS
        assert sframe["id"].dtype is int and sframe["label"].dtype is str
    assert len(image_train) == 2005
    assert len(image_test) == 800


def test_the_rows_the_course_queries_have_their_labels(sample):
    assert sample[0][18]["label"] == "cat"
    assert sample[0][8]["label"] == "automobile"


def test_the_labels_are_balanced(sample):
    for sframe in sample:
        counts = Counter(sframe["label"])
        assert sorted(counts) == LABELS
        assert max(counts.values()) - min(counts.values()) <= 1


def test_ids_are_ascending_and_not_row_numbers(sample):
    for sframe in sample:
        ids = list(sframe["id"])
        assert ids == sorted(set(ids))
        assert ids != list(range(len(ids)))


def test_no_picture_occurs_twice(sample):
    pictures = [image.tobytes() for sframe in sample for image in sarray_to_images(sframe["image"])]
    assert len(set(pictures)) == len(pictures)
    assert {len(pixels) for pixels in pictures} == {32 * 32 * 3}


@pytest.mark.parametrize("dataset", ["cifar10", "caltech101"])
def test_the_committed_features_are_those_of_the_pictures(dataset):
    location = datasets.locate("sample", dataset)
    assert location.extraction == Extraction()
    for sframe in datasets.load("sample", dataset):
        assert sframe.extractions == location.extractions
        rows = sframe[0 : len(sframe) : 60]
        for column, tolerance in (("deep_features", 1e-3), ("image_array", 0)):
            X = extract(rows["image"], location.extractions[column], progress=False)
            np.testing.assert_allclose(sarray_to_vectors(rows[column]), X, atol=tolerance)


def test_image_array_is_red_green_and_blue_of_each_pixel_in_turn(sample):
    for sframe in sample:
        assert sframe["image_array"].dtype is array
        pixels = np.stack(sarray_to_images(sframe["image"])).reshape(len(sframe), 3072)
        assert np.array_equal(sarray_to_vectors(sframe["image_array"]), pixels)


def test_the_samples_stay_small():
    folders = [ROOT / "image_train_data", ROOT / "image_test_data"]
    size = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    assert size < 40e6


def test_deep_features_find_labels_where_pixels_do_not(sample):
    def precision_at_5(train, test):
        squares = (train**2).sum(1)
        nearest = np.argsort(squares - 2 * test @ train.T, axis=1)[:, :5]
        return (labels[0][nearest] == labels[1][:, None]).mean()

    labels = [np.array(list(sframe["label"])) for sframe in sample]
    deep = [sarray_to_vectors(sframe["deep_features"]) for sframe in sample]
    pixels = [
        np.array(sarray_to_images(sframe["image"]), np.float32).reshape(len(sframe), -1)
        for sframe in sample
    ]
    assert precision_at_5(*deep) > 0.7
    assert precision_at_5(*pixels) < 0.45


def test_no_drawing_is_on_both_sides_nor_its_twin():
    drawings = listed()["cat"]
    train, test = split(np.random.RandomState(0), drawings)
    assert sorted(train + test) == sorted(drawings)
    flat = {name for name_of_set, name in train if name_of_set == "fluent-emoji-flat"}
    shaded = {name for name_of_set, name in test if name_of_set == "fluent-emoji"}
    assert flat and shaded and not flat & shaded


@pytest.mark.parametrize("path", [CIFAR, CALTECH101], ids=lambda path: path.stem)
def test_every_drawing_is_credited(path):
    page = (ROOT / "ARTWORK.md").read_text(encoding="utf-8")
    for sets in json.loads(path.read_text(encoding="utf-8")).values():
        for name_of_set, names in sets.items():
            assert name_of_set == OWN or f"`@iconify-json/{name_of_set}`" in page
            assert f"- {name_of_set}: {', '.join(names)}\n" in page


def test_the_nine_class_sample_has_its_labels_sizes_and_gray_pictures(nine):
    train, test = nine
    assert (len(train), len(test)) == (209, 97)
    assert sorted([*train["id"], *test["id"]]) == list(range(306))
    for sframe in nine:
        assert sframe.column_names() == COLUMNS
        assert sorted(set(sframe["label"])) == NINE
        assert {image.channels for image in sframe["image"]} == {1, 3}
    assert min(Counter([*train["label"], *test["label"]]).values()) >= 25
    assert len({(image.height, image.width) for image in train["image"]}) > 50


def test_a_picture_depends_on_the_seed_alone():
    drawing = Image.new("RGBA", (60, 40))
    ImageDraw.Draw(drawing).ellipse((5, 5, 55, 35), fill=(200, 30, 30, 255))

    def drawn(seed):
        return picture(np.random.RandomState(seed), drawing, 32, 32, Placement())

    assert drawn(3).shape == (32, 32, 3)
    assert np.array_equal(drawn(3), drawn(3))
    assert not np.array_equal(drawn(3), drawn(4))


def test_backgrounds_differ_more_between_pictures_than_noise_does():
    means = [scene(np.random.RandomState(seed), 32, 32).mean(axis=(0, 1)) for seed in range(20)]
    assert np.std(means, axis=0).min() > 10


def test_saving_twice_gives_the_same_names(tmp_path):
    import turicreate as tc

    sframe = image_sframe([1], np.zeros((1, 4, 4, 3), np.uint8), ["cat"], mean=np.zeros((1, 3)))
    sframe = with_extractions(sframe, {"mean": Extraction("pixels", pooling="avg")})
    names = []
    for _ in range(2):
        save_sframe(sframe, tmp_path / "made")
        names.append(sorted(path.name for path in (tmp_path / "made").iterdir()))
    assert (
        names[0]
        == names[1]
        == sorted(
            [
                "dir_archive.ini",
                "extraction.json",
                "objects.bin",
                "m_0.0000",
                "m_0.frame_idx",
                "m_0.sidx",
            ]
        )
    )
    assert tc.SFrame(str(tmp_path / "made"))["label"][0] == "cat"
