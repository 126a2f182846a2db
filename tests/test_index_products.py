"""Matrix products, as they are computed here and in a browser."""

import numpy as np
import pytest

from image_retrieval.index.products import product

BLAS = "scipy.linalg.get_blas_funcs"


@pytest.fixture(params=["linux", "emscripten"])
def platform(request, monkeypatch):
    monkeypatch.setattr("sys.platform", request.param)
    return request.param


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_products_are_those_of_numpy(platform, kind):
    A, B = (np.random.RandomState(0).rand(n, 7).astype(kind) for n in (3, 12))
    for part in (B, B[2:5], B[:1], B[:0]):
        found, out = product(A, part), np.empty((3, len(part)), kind)
        assert found.dtype == kind
        np.testing.assert_allclose(found, A @ part.T, rtol=1e-6)
        assert product(A, part, out=out) is out
        np.testing.assert_array_equal(out, found)


def test_a_browser_takes_the_product_from_scipy(platform, monkeypatch):
    import scipy.linalg

    asked = []
    original = scipy.linalg.get_blas_funcs
    monkeypatch.setattr(BLAS, lambda *given: asked.append(given) or original(*given))
    product(np.ones((2, 3)), np.ones((4, 3)))
    assert len(asked) == (platform == "emscripten")
