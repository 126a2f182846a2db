"""Steps that behave as scikit-learn's and do what their papers say."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, normalize

from image_retrieval import evaluate
from image_retrieval.errors import InputError
from image_retrieval.postprocess import AverageQueryExpansion, default_recipe


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
