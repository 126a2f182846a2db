"""The record of how features were made, and that it is all that is needed to make them again."""

import dataclasses
import json

import numpy as np
import pytest

from image_retrieval.errors import InputError
from image_retrieval.features import (
    Extraction,
    JoinedExtraction,
    as_extraction,
    extract,
    extract_map,
    extraction_from_record,
    identified,
    join,
    read_extractions,
    write_extractions,
)
from image_retrieval.postprocess import default_recipe, dumps

PICTURES = np.random.default_rng(0).integers(0, 256, (9, 40, 50, 3), np.uint8)


def small(**changes):
    return Extraction(size=64, **changes)


def joined():
    return join([small(), Extraction("pixels", 8)])


def fitted():
    return small().fitted(extract(PICTURES, small()))


EXTRACTIONS = {
    "default": Extraction,
    "earlier layer": lambda: small(layer="stage_3"),
    "flipped": lambda: small(flip=True),
    "not pooled": lambda: small(pooling=None),
    "pixels": lambda: Extraction("pixels"),
    "mean color": lambda: Extraction("pixels", pooling="avg"),
    "recipe": fitted,
    "joined": joined,
}


@pytest.fixture(params=EXTRACTIONS)
def extraction(request):
    return EXTRACTIONS[request.param]()


def test_a_record_is_json_and_comes_back_as_the_same_extraction(extraction):
    record = json.loads(json.dumps(extraction.as_record()))
    again = extraction_from_record(record)
    assert again == extraction and hash(again) == hash(extraction)
    np.testing.assert_array_equal(extract(PICTURES, again), extract(PICTURES, extraction))


def test_what_is_not_given_is_filled_in_from_the_backbone():
    filled = Extraction()
    assert (filled.size, filled.layer, filled.pooling) == (160, "head", "avg")
    assert filled.weights.startswith("9656183e")
    pixels = Extraction("pixels")
    assert (pixels.size, pixels.pooling, pixels.normalization) == (32, None, "x")
    assert pixels.weights is None and pixels.layer is None
    assert Extraction("efficientnet_lite0").size == 224


def test_extractions_are_equal_only_when_their_vectors_can_be_compared():
    different = [make() for make in EXTRACTIONS.values()]
    assert len(set(different)) == len(different)
    assert small(layer="head", pooling="avg") == small()


def test_an_extraction_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Extraction().size = 128


def test_an_extraction_reads_as_one_short_line():
    assert str(small()) == "efficientnet_lite2 at 64 px"
    line = "efficientnet_lite2 at 64 px, layer stage_3, not pooled, with mirror images"
    assert str(small(layer="stage_3", pooling=None, flip=True)) == line
    assert str(Extraction("pixels", pooling="avg")) == "pixels at 32 px, pooled"
    assert str(fitted()) == "efficientnet_lite2 at 64 px, recipe"
    assert len(repr(fitted())) < 300
    assert str(joined()) == "efficientnet_lite2 at 64 px + pixels at 8 px"


def test_pixels_are_the_picture_row_by_row_in_red_green_and_blue():
    picture = PICTURES[:1, :32, :32]
    X = extract(picture, "pixels")
    assert X.dtype == np.float32
    np.testing.assert_array_equal(X, picture.reshape(1, -1))
    mean = extract(picture, "pixels", pooling="avg")
    np.testing.assert_allclose(mean[0], picture.mean(axis=(0, 1, 2)), rtol=1e-6)


def test_changes_make_another_extraction_and_drop_the_recipe_fitted_for_the_old():
    assert as_extraction("pixels", size=8) == Extraction("pixels", 8)
    assert as_extraction() == Extraction()
    assert as_extraction(fitted()) == fitted()
    assert as_extraction(fitted(), size=96) == Extraction(size=96)
    assert identified(joined()) == joined()


def test_a_recipe_is_part_of_the_vectors():
    plain = extract(PICTURES, small())
    expected = default_recipe().fit(plain).transform(plain)
    X = extract(PICTURES, fitted())
    assert X.dtype == np.float32
    np.testing.assert_allclose(X, expected, atol=1e-6)
    assert extract([], fitted()).shape == (0, 1280)
    shorter = small().fitted(plain, default_recipe(n_components=4))
    assert extract(PICTURES[:2], shorter).shape == (2, 4)
    assert extract([], shorter).shape == (0, 4)


def test_a_map_is_the_networks_own_whatever_the_recipe():
    np.testing.assert_array_equal(extract_map(PICTURES, fitted()), extract_map(PICTURES, small()))


def test_parts_stand_side_by_side_for_a_generator_too():
    both = [extract(PICTURES, part) for part in joined().parts]
    np.testing.assert_array_equal(extract(PICTURES, joined()), np.concatenate(both, axis=1))
    once = extract((picture for picture in PICTURES), joined())
    np.testing.assert_array_equal(once, np.concatenate(both, axis=1))
    with pytest.raises(InputError, match="has no map of its own; give one of its parts"):
        extract_map(PICTURES, joined())


def test_one_part_alone_is_not_joined():
    assert join([small()]) == small()
    with pytest.raises(InputError, match="two parts or more"):
        JoinedExtraction((small(),))
    with pytest.raises(InputError, match="two parts or more"):
        JoinedExtraction(("pixels", "pixels"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backbone": "vgg"}, "no backbone is called 'vgg'"),
        ({"size": 16}, "size=16 cannot be used with efficientnet_lite2; .* at least 32"),
        ({"size": True}, "size=True"),
        ({"pooling": "max"}, "pooling='max'"),
        ({"layer": "middle"}, "no layer='middle'; there are: stem"),
        ({"backbone": "pixels", "layer": "stem"}, "none but the last"),
        ({"normalization": "x"}, "normalizes pixels by"),
    ],
)
def test_what_does_not_fit_the_backbone_is_refused(options, words):
    with pytest.raises(InputError, match=words) as caught:
        Extraction(**options)
    assert "\n" not in str(caught.value)


def test_what_is_no_extraction_is_refused():
    with pytest.raises(InputError, match="cannot be made of int; give an Extraction"):
        as_extraction(3)
    with pytest.raises(InputError, match="JoinedExtraction and size"):
        as_extraction(joined(), size=32)
    with pytest.raises(InputError, match="an extraction has no 'sizes'; it has backbone"):
        as_extraction("pixels", sizes=3)


def test_records_stand_in_the_folder_by_column(tmp_path, extraction):
    assert read_extractions(tmp_path) == {}
    columns = {"deep_features": extraction, "image_array": Extraction("pixels")}
    write_extractions(tmp_path, columns)
    assert read_extractions(tmp_path) == columns
    assert [path.name for path in tmp_path.iterdir()] == ["extraction.json"]


def test_a_record_of_a_backbone_that_is_not_here_is_read_and_said_when_used(tmp_path):
    record = {**Extraction().as_record(), "backbone": "dinov9", "layer": None}
    other = extraction_from_record(record)
    write_extractions(tmp_path, {"deep_features": other})
    assert read_extractions(tmp_path) == {"deep_features": other}
    assert str(other) == "dinov9 at 160 px"
    with pytest.raises(InputError, match="no backbone is called 'dinov9'"):
        extract(PICTURES, other)


def damaged(change):
    record = {"format": 1, "columns": {"deep_features": Extraction().as_record()}}
    change(record)
    return json.dumps(record)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("[1]", "no record"),
        ("[" * 100_000, "no record"),
        (damaged(lambda r: r.update(format=2)), "format 2"),
        (damaged(lambda r: r.pop("columns")), "columns"),
        (damaged(lambda r: r["columns"].update(deep_features=3)), "has the fields backbone"),
        (damaged(lambda r: r["columns"]["deep_features"].pop("flip")), "has the fields"),
        (damaged(lambda r: r["columns"]["deep_features"].update(size="9")), "size='9'"),
        (damaged(lambda r: r["columns"]["deep_features"].update(size=9)), "size=9"),
    ],
)
def test_a_damaged_record_is_refused_in_one_line(tmp_path, text, words):
    (tmp_path / "extraction.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_extractions(tmp_path)
    assert "\n" not in str(caught.value) and "extraction.json" in str(caught.value)


def test_a_damaged_recipe_is_refused_when_it_is_used():
    broken = dataclasses.replace(small(), recipe="x")
    with pytest.raises(InputError, match="recipe"):
        extract(PICTURES, broken)


def test_a_recipe_that_was_fitted_elsewhere_is_written_the_same():
    X = extract(PICTURES, small())
    assert small().fitted(X).recipe == dumps(default_recipe().fit(X))
