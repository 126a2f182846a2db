"""The contrastive loss has the gradient it says, and the head learns from labels."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from image_retrieval import evaluate
from image_retrieval.errors import InputError
from image_retrieval.learned import ContrastiveHead, contrastive_loss


def labeled(n=30, d=6, seed=0):
    random = np.random.RandomState(seed)
    return random.normal(size=(n, d)), np.array(["bird", "cat", "dog"])[random.randint(0, 3, n)]


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("width", [1, 4, 6])
def test_the_gradient_is_that_of_small_differences(width, temperature):
    X, y = labeled()
    y[0] = "alone"  # an image without partners has no loss, but is another's neighbor
    A = np.random.RandomState(1).normal(size=(6, width))

    def loss(flat):
        return contrastive_loss(flat.reshape(A.shape), X, y, temperature)[0]

    expected = approx_fprime(A.ravel(), loss, 1e-6).reshape(A.shape)
    np.testing.assert_allclose(contrastive_loss(A, X, y, temperature)[1], expected, atol=2e-4)


def test_the_loss_is_the_papers_formula():
    X, y = labeled(n=7)
    A = np.random.RandomState(1).normal(size=(6, 3))
    U = X @ A / np.linalg.norm(X @ A, axis=1, keepdims=True)
    costs = []
    for i in range(7):
        others = [j for j in range(7) if j != i]
        total = sum(np.exp(U[i] @ U[j] / 0.5) for j in others)
        logs = [np.log(np.exp(U[i] @ U[j] / 0.5) / total) for j in others if y[j] == y[i]]
        costs += [-np.mean(logs)] if logs else []
    assert contrastive_loss(A, X, y, 0.5)[0] == pytest.approx(np.mean(costs))


def test_images_without_partners_cost_nothing():
    loss, gradient = contrastive_loss(np.eye(2), [[1.0, 0.0], [0.0, 1.0]], ["cat", "dog"])
    assert loss == 0 and not gradient.any()


def test_the_head_finds_the_one_direction_that_tells_labels_apart():
    random = np.random.RandomState(0)
    y = np.repeat(["cat", "dog"], 60)
    X = random.normal(size=(120, 10))
    X[:, 3] = np.where(y == "cat", 1, -1) * 0.6 + random.normal(0, 0.2, 120)
    head = ContrastiveHead(n_components=4).fit(X[::2], y[::2])
    plain, mapped = (
        evaluate.rank_features(step(X[::2]), y[::2], step(X[1::2]), y[1::2])
        for step in (np.asarray, head.transform)
    )
    assert evaluate.average_precision(mapped).mean() > 0.95
    assert evaluate.average_precision(plain).mean() < 0.75
    assert head.losses_[-10:].mean() < head.losses_[:10].mean()
    np.testing.assert_allclose(np.linalg.norm(head.transform(X), axis=1), 1)


def test_the_same_seed_learns_the_same_and_another_does_not():
    X, y = labeled()
    heads = (ContrastiveHead(3, steps=5, batch=10, seed=seed) for seed in (0, 0, 1))
    once, again, other = (head.fit(X, y).map_ for head in heads)
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


@pytest.mark.parametrize("y", [["cat"] * 30, ["cat", "dog"]])
def test_too_few_labels_are_refused(y):
    with pytest.raises(InputError, match="give a label a vector, and two different ones at least"):
        ContrastiveHead().fit(labeled()[0], y)


def test_more_numbers_than_before_are_refused():
    with pytest.raises(InputError, match="from 1 to the numbers of a vector, 6, got 7"):
        ContrastiveHead(n_components=7).fit(*labeled())


def test_it_matters_not_which_way_the_axes_point():
    X, y = labeled()
    turned = X * [1, -1, 1, 1, -1, -1]
    one, other = (
        ContrastiveHead(3, steps=20).fit(vectors, y).transform(vectors) for vectors in (X, turned)
    )
    np.testing.assert_allclose(one @ one.T, other @ other.T, atol=1e-6)
