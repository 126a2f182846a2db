"""Descriptors from before deep features, and bags of visual words."""

import json

import numpy as np
import pytest

from image_retrieval import features, index
from image_retrieval.errors import InputError
from image_retrieval.features import Extraction, extract, extract_map
from image_retrieval.postprocess import bag_of_visual_words, dumps, loads
from image_retrieval.visual_words import VisualWords

COLORS = ["color_histogram", "color_histogram_rgb", "color_histogram_lab"]
CLASSIC = [*COLORS, "local_binary_patterns", "hog", "daisy"]


def pictures(n=6, side=32, seed=0):
    """Return blurred noise, so that neighboring pixels are alike as in a photograph."""
    coarse = np.random.RandomState(seed).randint(0, 256, (n, side // 4, side // 4, 3))
    return coarse.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)


@pytest.mark.parametrize("name", CLASSIC)
def test_each_descriptor_is_a_map_whose_mean_is_the_pooled_vector(name):
    images = pictures()
    maps, pooled = extract_map(images, name), extract(images, name, pooling="avg")
    assert maps.dtype == pooled.dtype == np.float32
    assert maps.shape[3] == pooled.shape[1] == features.get_backbone(name).d
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), pooled, atol=1e-6)
    flat = extract(images, name, pooling=None)
    np.testing.assert_array_equal(flat, maps.reshape(len(images), -1))
    assert np.abs(pooled[0] - pooled[1]).max() > 0.001


@pytest.mark.parametrize("name", CLASSIC)
def test_its_smallest_size_works_and_a_smaller_one_is_refused(name):
    smallest = features.get_backbone(name).min_size
    assert np.isfinite(extract_map(pictures(2), name, size=smallest)).all()
    with pytest.raises(InputError, match=f"at least {smallest}"):
        extract(pictures(2), name, size=smallest - 1)


@pytest.mark.parametrize("name", COLORS)
def test_a_color_histogram_counts_pixels_wherever_they_are(name):
    image = np.zeros((32, 32, 3), np.uint8)
    image[:8] = 255, 0, 0
    vector = extract(image, name)[0]
    assert sorted(vector[vector > 0].tolist()) == [0.25, 0.75]
    order = np.random.RandomState(0).permutation(32 * 32)
    shuffled = image.reshape(-1, 3)[order].reshape(image.shape)
    np.testing.assert_allclose(extract(shuffled, name)[0], vector, atol=1e-6)
    assert np.abs(extract_map(shuffled, name) - extract_map(image, name)).max() > 0.5


def test_each_part_of_a_histogram_has_its_own_pixels():
    image = np.zeros((32, 32, 3), np.uint8)
    image[8:16, 24:] = 255
    white = extract_map(image, "color_histogram_rgb")[0, :, :, -1]
    assert np.argwhere(white).tolist() == [[1, 3]] and white[1, 3] == 1


def test_the_parts_of_a_grid_may_differ_by_a_pixel():
    assert extract_map(pictures(2), "color_histogram", size=30).sum(axis=3).round(5).min() == 1


@pytest.mark.parametrize("name, same", [("local_binary_patterns", True), (COLORS[1], False)])
def test_texture_does_not_hang_on_brightness_and_color_does(name, same):
    dark = pictures(2) // 4
    vector, other, light = extract([*dark, dark[0] * 3 + 20], name, size=32)
    assert (np.linalg.norm(vector - light) < np.linalg.norm(vector - other) / 4) == same


def test_gradients_tell_the_direction_of_an_edge():
    across, down = (np.zeros((64, 64, 3), np.uint8) for _ in range(2))
    across[:, 32:], down[32:] = 200, 200
    first, second = extract([across, down], "hog", pooling="avg")
    strongest = [each.reshape(4, 9).sum(axis=0).argmax() for each in (first, second)]
    assert abs(strongest[0] - strongest[1]) in (4, 5)  # of nine, for 180 degrees


def test_words_are_the_clusters_of_patches_and_counted_by_picture():
    X = [[0.0, 0.1, 9.0], [0.1, 0.0, 0.0], [9.1, 9.0, 5.0]]
    words = VisualWords(n_words=3, d=1).fit(np.array(X))
    assert np.sort(words.centers_.ravel()).round(2).tolist() == [0.04, 5, 9.03]
    counts = words.counts(np.array(X))[:, np.argsort(words.centers_.ravel())]
    assert counts.tolist() == [[2, 0, 1], [3, 0, 0], [0, 1, 2]]
    # ln((1 + n) / (1 + pictures with the word)) + 1, see TfidfTransformer
    by_hand = np.log(4 / np.array([3, 2, 3])) + 1
    np.testing.assert_allclose(words.idf_[np.argsort(words.centers_.ravel())], by_hand)
    np.testing.assert_allclose(words.transform(np.array(X)), words.counts(X) * words.idf_)


def test_pictures_of_another_grid_have_as_many_words():
    words = VisualWords(5, d=2).fit(np.random.RandomState(0).rand(4, 8))
    assert words.transform(np.ones((3, 6))).shape == (3, 5)


@pytest.mark.parametrize("n_words, shape", [(7, (3, 4)), (2, (3, 5)), (2, (3,))])
def test_too_few_patches_and_other_maps_are_refused(n_words, shape):
    with pytest.raises(InputError, match="give"):
        VisualWords(n_words, d=2).fit(np.ones(shape))


def test_an_index_remembers_its_vocabulary(tmp_path):
    images = pictures(12)
    how = Extraction("daisy").fitted(extract(images, "daisy"), bag_of_visual_words(40))
    table = {"id": list(range(12)), "words": list(extract(images, how))}
    index.create(table, features="words", extraction=how).save(tmp_path / "kept")
    found = index.load(tmp_path / "kept")
    assert found.extraction == how and "recipe" in str(how)
    ids, distances = found.search(extract(images, found.extraction), k=1)
    assert ids.ravel().tolist() == list(range(12))
    # Distances are computed by a product, in single precision.
    assert distances.max() < 0.01


def test_the_vocabulary_is_the_same_each_time_and_its_text_does_the_same():
    X = extract(pictures(12), "daisy")
    recipe, again = (bag_of_visual_words(30).fit(X) for _ in range(2))
    assert dumps(recipe) == dumps(again)
    np.testing.assert_array_equal(loads(dumps(recipe)).transform(X), recipe.transform(X))


@pytest.mark.parametrize("shape", [[30], [30, 0], [0, 104], [15, 2, 104]])
def test_a_damaged_vocabulary_gives_one_line(shape):
    record = json.loads(dumps(bag_of_visual_words(30).fit(extract(pictures(12), "daisy"))))
    centers = record["steps"][0]["centers_"]
    short = centers["data"] if np.prod(shape) == 30 * 104 else centers["data"][:320]
    centers.update(shape=shape, data=short if np.prod(shape) else "")
    with pytest.raises(InputError, match="no recipe that can be read") as caught:
        loads(json.dumps(record))
    assert "\n" not in str(caught.value)
