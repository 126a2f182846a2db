"""The shares of a similarity must sum to it, whatever was done to the features."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from image_retrieval import explain, explore
from image_retrieval.errors import InputError
from image_retrieval.explain.shares import distance_shares, through
from image_retrieval.features import Extraction, JoinedExtraction, extract
from image_retrieval.postprocess import AverageQueryExpansion, default_recipe

SMALL = Extraction(size=32)


def feature_maps(n=12, h=4, w=3, d=7, seed=0):
    """Maps that are never negative, as after a ReLU."""
    return np.random.default_rng(seed).normal(size=(n, h, w, d)).clip(0).astype(np.float32)


@pytest.mark.parametrize(
    "recipe",
    [
        None,
        Normalizer(),
        default_recipe(),
        default_recipe(n_components=4),
        make_pipeline(default_recipe(), PCA(4, whiten=True)),
        make_pipeline(Normalizer("l1"), StandardScaler(), Normalizer("max")),
    ],
    ids=["plain", "L2", "default", "default with PCA", "nested, whitened", "other norms"],
)
def test_shares_sum_to_the_similarity_of_the_pooled_vectors(recipe):
    maps = feature_maps()
    vectors = maps.mean(axis=(1, 2))
    if recipe is not None:
        vectors = recipe.fit_transform(vectors)
    for i, j in [(0, 1), (3, 3), (5, 11)]:
        shares = explain.similarity_shares(maps[i], maps[j], recipe)
        assert shares.similarity == pytest.approx(vectors[i] @ vectors[j], abs=1e-5)
        assert shares.query.sum() == pytest.approx(shares.similarity, abs=1e-9)
        assert shares.neighbor.sum() == pytest.approx(shares.similarity, abs=1e-9)
        assert shares.query.shape == shares.neighbor.shape == (4, 3)


def test_shares_are_means_over_pairs_of_locations():
    query, neighbor = feature_maps(n=2)
    pairs = np.einsum("abd,xyd->abxy", query, neighbor)
    shares = explain.similarity_shares(query, neighbor)
    assert shares.similarity == pytest.approx(pairs.mean())
    np.testing.assert_allclose(shares.query, pairs.mean(axis=(2, 3)) / 12, rtol=1e-5)
    np.testing.assert_allclose(shares.neighbor, pairs.mean(axis=(0, 1)) / 12, rtol=1e-5)


def test_maps_of_different_sizes_can_be_compared():
    shares = explain.similarity_shares(feature_maps()[0], feature_maps(h=7, w=7)[1])
    assert shares.query.shape == (4, 3) and shares.neighbor.shape == (7, 7)
    assert shares.query.sum() == pytest.approx(shares.neighbor.sum())


def test_the_share_is_where_the_common_thing_is():
    query, neighbor = np.zeros((2, 4, 4, 3))
    query[0, 1] = neighbor[3, 2] = [0, 2, 0]
    query[2, 2], neighbor[0, 0] = [5, 0, 0], [0, 0, 5]
    shares = explain.similarity_shares(query, neighbor)
    assert np.argwhere(shares.query).tolist() == [[0, 1]]
    assert np.argwhere(shares.neighbor).tolist() == [[3, 2]]


def test_pixel_shares_sum_to_the_squared_distance_without_wrapping_around():
    query, neighbor = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    shares = distance_shares(query, neighbor)
    distance = np.linalg.norm(query.astype(float).ravel() - neighbor.astype(float).ravel())
    assert shares.shape == (5, 6)
    assert shares.sum() == pytest.approx(distance**2)


def test_overlay_is_vermilion_for_alike_blue_for_unlike_and_gray_between():
    picture = np.full((32, 32, 3), (90, 100, 110), np.uint8)
    image = explain.overlay(picture, [[1.0, 0.0, -1.0]], size=96).astype(int)
    assert image.shape == (96, 96, 3)
    red, green, blue = np.moveaxis(image, 2, 0)
    assert (red[:, :16] > blue[:, :16] + 50).all()
    assert (blue[:, -16:] > red[:, -16:] + 50).all()
    assert np.ptp(image[48, 48]) < 20


def test_overlay_fades_with_a_larger_limit():
    picture = np.full((8, 8, 3), 128, np.uint8)
    strong = explain.overlay(picture, np.ones((2, 2)))
    weak = explain.overlay(picture, np.ones((2, 2)), limit=4.0)
    assert np.ptp(weak[0, 0].astype(int)) < np.ptp(strong[0, 0].astype(int)) / 2
    np.testing.assert_array_equal(explain.overlay(picture, np.zeros((2, 2))), 128)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: through(None, np.zeros((3, 4))), r"shape \(h, w, d\), got \(3, 4\)"),
        (
            lambda: explain.similarity_shares(np.zeros((2, 2, 3)), np.zeros((2, 2, 4))),
            "3 and 4 channels",
        ),
        (
            lambda: through(AverageQueryExpansion(), np.zeros((2, 2, 3))),
            "AverageQueryExpansion does not split",
        ),
        (
            lambda: through(FunctionTransformer(np.sqrt), np.zeros((2, 2, 3))),
            "FunctionTransformer does not split",
        ),
        (
            lambda: distance_shares(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)),
            r"one size, got \(2, 2\) and \(2, 3\)",
        ),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def pictures(n=4, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)


def test_shares_of_pictures_sum_to_the_similarity_that_is_searched_by():
    images, how = pictures(8), Extraction(size=64)
    vectors = extract(images, how, progress=False)
    recipe = default_recipe().fit(vectors)
    expected = recipe.transform(vectors)
    for other, shares in zip((1, 2), explain.pair_shares(images[0], images[1:3], how, recipe)):
        assert shares.query.sum() == pytest.approx(expected[0] @ expected[other], abs=1e-4)
        assert shares.neighbor.sum() == pytest.approx(shares.similarity, abs=1e-6)
        # Of unit vectors, the distance that a search shows says the same.
        distance = np.linalg.norm(expected[0] - expected[other])
        assert shares.similarity == pytest.approx(1 - distance**2 / 2, abs=1e-4)


def found_by_search():
    reference = {"id": [4, 5, 6], "image": pictures(3), "label": ["cat", "dog", "cat"]}
    neighbors = {
        "query_label": [0, 0],
        "reference_label": [6, 4],
        "distance": [1.0, 2.0],
        "rank": [1, 2],
    }
    return neighbors, reference, pictures(1, seed=1)


def test_the_gallery_shows_where_the_features_agree():
    neighbors, reference, query = found_by_search()
    page = explain.gallery(neighbors, reference, query, extraction=SMALL)._repr_html_()
    shares = explain.pair_shares(query[0], [reference["image"][2]], SMALL)[0]
    assert page.count("in the query") == 2 * page.count(">in the query<") == 4
    assert f">similarity {shares.similarity:.3f}<" in page
    assert page.count("<img") == 1 + 2 + 2 * 2 + 1
    every = explain.pair_shares(query[0], [reference["image"][row] for row in (0, 2)], SMALL)
    limit = max(np.abs(grid).max() for pair in every for grid in (pair.query, pair.neighbor))
    assert f">share: {-limit:.2g} to {limit:.2g}<" in page


def test_the_gallery_shows_where_pixels_differ():
    neighbors, reference, query = found_by_search()
    page = explain.gallery(neighbors, reference, query, extraction="pixels")._repr_html_()
    assert page.count(">where they differ<") == 2
    assert page.count("<img") == 1 + 2 + 2 + 1
    differences = [distance_shares(query[0], reference["image"][row]) for row in (0, 2)]
    full = np.percentile(differences, 95)
    assert f">squared difference: 0 to {full:,.0f} or more<" in page


def test_a_few_large_differences_do_not_leave_the_others_gray():
    black, other = np.zeros((2, 32, 32, 3), np.uint8)
    other[:16], other[:1] = 60, 255
    neighbors = {"query_label": [0], "reference_label": [4], "distance": [1.0], "rank": [1]}
    reference = {"id": [4], "image": [other], "label": ["x"]}
    shown = explain.gallery(neighbors, reference, [black], extraction="pixels", thumbnail=32)
    picture = shown._details[0, 4][0][0].astype(int)
    assert (picture[5, :, 2] > picture[5, :, 0] + 100).all()
    assert np.ptp(picture[25], axis=1).max() < 5


def test_the_gallery_keeps_to_k_and_to_its_text():
    neighbors, reference, query = found_by_search()
    shown = explain.gallery(neighbors, reference, query, k=1, extraction="pixels")
    assert shown._repr_html_().count(">where they differ<") == 1
    assert repr(shown) == repr(explore.gallery(neighbors, reference, query, k=1))


def test_pixel_distance_of_pictures_of_several_sizes_is_explained_stretched():
    sizes = [(40, 60), (50, 30)]
    pictures = [np.full((*size, 3), shade, np.uint8) for size, shade in zip(sizes, (10, 200))]
    neighbors = {"query_label": [1], "reference_label": [2], "distance": [1.0], "rank": [1]}
    reference = {"id": [2], "image": pictures[1:], "label": ["cat"]}
    query = {"id": [1], "image": pictures[:1], "label": ["cat"]}
    page = explain.gallery(
        neighbors, reference, query, query_by="id", extraction="pixels"
    )._repr_html_()
    assert "where they differ" in page


def test_the_gallery_explains_the_features_that_the_table_knows():
    from image_retrieval.sframes import image_sframe, with_extractions

    neighbors, reference, query = found_by_search()
    plain = image_sframe(
        reference["id"], reference["image"], reference["label"], deep_features=np.eye(3)
    )
    for how in (SMALL, Extraction("efficientnet_lite0", 64), Extraction("pixels", 8)):
        table = with_extractions(plain, {"deep_features": how})
        page = explain.gallery(neighbors, table, query)._repr_html_()
        assert page == explain.gallery(neighbors, plain, query, extraction=how)._repr_html_()
        assert page != explain.gallery(neighbors, plain, query)._repr_html_()


def test_a_recipe_that_is_part_of_an_extraction_is_explained_with_it():
    images = pictures(8)
    recipe = default_recipe().fit(extract(images, SMALL, progress=False))
    whole = SMALL.fitted(extract(images, SMALL, progress=False))
    pair = images[0], images[1:3]
    both = explain.pair_shares(*pair, whole), explain.pair_shares(*pair, SMALL, recipe)
    for one, other in zip(*both):
        np.testing.assert_allclose(one.query, other.query, rtol=1e-9)
    with pytest.raises(InputError, match="a recipe of its own"):
        explain.pair_shares(*pair, whole, recipe)


def test_shares_of_a_joined_extraction_sum_to_its_similarity():
    images, ways = pictures(8), (Extraction(size=64), Extraction("efficientnet_lite0", 96))
    parts = [how.fitted(extract(images, how, progress=False)) for how in ways]
    joined = JoinedExtraction(tuple(parts))
    X = extract(images, joined, progress=False)
    shares = explain.pair_shares(images[0], images[1:], joined)
    for row, share in enumerate(shares, start=1):
        assert share.query.shape == (6, 6)
        assert share.similarity == pytest.approx(X[0] @ X[row], abs=1e-4)
        assert share.query.sum() == pytest.approx(share.similarity, abs=1e-6)
        assert share.neighbor.sum() == pytest.approx(share.similarity, abs=1e-6)


def test_pixel_distance_is_split_as_it_was_searched():
    """Pictures are stretched to the extraction's size, those of one size too."""
    neighbors, reference, query = found_by_search()
    pages = [
        explain.gallery(neighbors, reference, query, extraction=Extraction("pixels", size))
        for size in (2, 32)
    ]
    assert pages[0]._repr_html_() != pages[1]._repr_html_()


def test_what_cannot_be_split_is_refused_in_one_line():
    neighbors, reference, query = found_by_search()
    unpooled = Extraction(size=32, pooling=None)
    with pytest.raises(InputError, match="is not pooled"):
        explain.pair_shares(query[0], [query[0]], unpooled)
    assert (
        "where they differ"
        in explain.gallery(neighbors, reference, query, extraction=unpooled)._repr_html_()
    )
    joined = JoinedExtraction((SMALL, Extraction("pixels")))
    with pytest.raises(InputError, match="cannot be split into positions"):
        explain.gallery(neighbors, reference, query, extraction=joined)
