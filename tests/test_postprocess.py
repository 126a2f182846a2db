"""Steps that behave as scikit-learn's and do what their papers say."""

import base64
import json
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler, normalize

from image_retrieval import evaluate
from image_retrieval.errors import InputError
from image_retrieval.postprocess import AverageQueryExpansion, default_recipe, dumps, loads

ENCODED_NAN, ENCODED_HUGE = (
    base64.b64encode(np.full(24, value).tobytes()).decode() for value in (np.nan, 1e308)
)


def vectors(n=50, d=8, seed=0):
    return np.random.default_rng(seed).normal(1.0, 1.0, (n, d)).clip(0)


def test_the_recipe_is_root_l2_center_l2():
    X, queries = vectors(), vectors(seed=1)
    recipe = default_recipe().fit(X)
    mean = normalize(np.sqrt(X)).mean(axis=0)
    expected = normalize(normalize(np.sqrt(queries)) - mean)
    np.testing.assert_allclose(recipe.transform(queries), expected)


def test_the_recipe_takes_values_below_zero():
    X = vectors() - 1.0
    vectors_of_both = default_recipe().fit(X).transform([X[0], -X[0]])
    assert np.isfinite(vectors_of_both).all()
    assert vectors_of_both[0] @ vectors_of_both[1] < -0.5


def test_the_recipe_shrinks_vectors_when_asked():
    X = vectors()
    short = default_recipe(n_components=3).fit_transform(X)
    assert short.shape == (50, 3)
    np.testing.assert_allclose(np.linalg.norm(short, axis=1), 1.0)
    # All dimensions kept, PCA only turns the vectors: their similarities stay.
    turned, plain = (default_recipe(n).fit_transform(X) for n in (8, None))
    np.testing.assert_allclose(turned @ turned.T, plain @ plain.T, atol=1e-9)


def test_a_fitted_recipe_survives_pickling():
    X = vectors()
    recipe = default_recipe().fit(X)
    again = pickle.loads(pickle.dumps(recipe))
    np.testing.assert_array_equal(again.transform(X), recipe.transform(X))


def test_the_recipe_forgets_the_length_of_a_vector():
    X = vectors()
    recipe = default_recipe().fit(X)
    np.testing.assert_allclose(recipe.transform(X * 3.0), recipe.transform(X))


def test_the_recipe_finds_classes_that_an_offset_and_lengths_hide():
    random = np.random.default_rng(0)
    y = np.repeat(["cat", "dog"], 100)
    classes = np.where(y == "cat", 1.0, -1.0)[:, None] * np.r_[1.0, -1.0, np.zeros(14)]
    lengths = random.uniform(0.2, 5.0, (200, 1))
    X = (classes + 6.0 + random.normal(0, 0.7, (200, 16))) * lengths
    plain = evaluate.precision_at_k(evaluate.rank_features(X, y), 5).mean()
    better = default_recipe().fit_transform(X)
    assert evaluate.precision_at_k(evaluate.rank_features(better, y), 5).mean() > plain + 0.1


def test_expansion_averages_a_query_with_its_nearest_references():
    references = normalize(vectors())
    queries = normalize(vectors(n=3, seed=1))
    expanded = AverageQueryExpansion(n_neighbors=2).fit(references).transform(queries)
    for query, result in zip(queries, expanded):
        nearest = np.argsort(-references @ query)[:2]
        np.testing.assert_allclose(result, normalize([query + references[nearest].sum(axis=0)])[0])


def test_expansion_leaves_references_as_they_are():
    X = normalize(vectors())
    np.testing.assert_array_equal(AverageQueryExpansion().fit_transform(X), X)


def test_expansion_works_as_the_last_step_of_a_pipeline():
    X, queries = vectors(), vectors(n=4, seed=1)
    recipe = make_pipeline(default_recipe(), AverageQueryExpansion(3))
    references = recipe.fit_transform(X)
    np.testing.assert_allclose(references, default_recipe().fit_transform(X))
    plain = default_recipe().fit(X).transform(queries)
    assert np.abs(recipe.transform(queries) - plain).max() > 0.01
    assert clone(recipe[-1]).get_params() == {"n_neighbors": 3}


@pytest.mark.parametrize("n_neighbors", [0, 51])
def test_expansion_needs_enough_references(n_neighbors):
    with pytest.raises(InputError, match="from 1 to the number of references, 50"):
        make_pipeline(Normalizer(), AverageQueryExpansion(n_neighbors)).fit(vectors())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "recipe",
    [
        default_recipe(),
        default_recipe(n_components=3),
        make_pipeline(Normalizer("l1"), make_pipeline(PCA(whiten=True)), default_recipe(2)),
        StandardScaler(with_std=False),
    ],
)
def test_a_recipe_read_from_its_text_does_the_same(recipe, dtype):
    recipe = clone(recipe).fit(vectors().astype(dtype))
    text, queries = dumps(recipe), vectors(seed=1).astype(dtype)
    again = loads(text)
    assert again.transform(queries).dtype == recipe.transform(queries).dtype
    np.testing.assert_allclose(again.transform(queries), recipe.transform(queries), rtol=1e-12)
    assert dumps(again) == text


def test_the_text_of_a_recipe_is_ascii_and_refits_nothing():
    recipe = default_recipe().fit(vectors())
    assert dumps(recipe) == dumps(clone(recipe).fit(vectors()))
    assert dumps(recipe).isascii()
    with pytest.raises(ValueError, match="7 features"):
        loads(dumps(recipe)).transform(vectors(d=7))


@pytest.mark.parametrize(
    "recipe",
    [None, StandardScaler(), AverageQueryExpansion(), make_pipeline(AverageQueryExpansion())],
)
def test_a_step_that_cannot_be_kept_as_text_is_refused(recipe):
    with pytest.raises(InputError, match="steps|cannot be kept as text"):
        dumps(recipe if recipe is None else recipe.fit(vectors()))


def test_a_recipe_that_is_not_fitted_is_refused():
    with pytest.raises(InputError, match="not fitted"):
        dumps(default_recipe())


def changed(**changes):
    """Return the text of a recipe whose PCA has other components."""
    record = json.loads(dumps(default_recipe(3).fit(vectors())))
    array = record["steps"][3]["components_"]
    array.update(changes)
    return json.dumps(record)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "null",
        "[]",
        '{"format": 2, "steps": []}',
        '{"format": 1, "steps": []}',
        '{"format": 1, "steps": [1]}',
        '{"format": 1, "steps": "x"}',
        '{"format": 1, "steps": [{"step": "os.system", "mean_": 1}]}',
        '{"format": 1, "steps": [{"step": ["pca"], "mean_": 1}]}',
        '{"format": 1, "steps": [{"step": "normalize", "norm": "x"}]}',
        '{"format": 1, "steps": [{"step": "center", "mean_": 1}]}',
        '{"format": 1, "steps": [{"step": "normalize", "norm": ["l2"]}]}',
        '{"format": 1, "steps": [{"step": "center", "mean_": "x"}]}',
        pytest.param(changed(data="AAAA"), id="too short"),
        pytest.param(changed(data="!"), id="no base64"),
        pytest.param(changed(data=7), id="no text"),
        pytest.param(changed(dtype="|O"), id="objects"),
        pytest.param(changed(shape=[3, -1]), id="open shape"),
        pytest.param(changed(shape=[10**30, 8]), id="huge shape"),
        pytest.param(changed(shape=[8, 3]), id="turned"),
        pytest.param(changed(shape=[24]), id="flat"),
        pytest.param(changed(data=ENCODED_NAN), id="nan"),
        pytest.param(changed(data=ENCODED_HUGE), id="huge numbers"),
        None,
        b"\xff\xfe",
    ],
)
def test_a_text_that_is_no_recipe_gives_one_line(text):
    with pytest.raises(InputError, match="no recipe that can be read") as caught:
        loads(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
