"""Matrix products that are fast in a browser, too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from image_retrieval.signatures import Array


def product(A: Array, B: Array, out: Array | None = None) -> Array:
    """Return `A @ B.T`.

    NumPy is built for browsers (Pyodide) without a BLAS, and its own loops take several times
    as long as SciPy's BLAS.

    Parameters
    ----------
    A : ndarray of float32 or float64, shape (q, d)
    B : ndarray of the same type, shape (n, d)
    out : ndarray of the same type, shape (q, n), optional
        Where to write the product.
    """
    if sys.platform != "emscripten":
        return np.matmul(A, B.T, out=out)
    from scipy.linalg import get_blas_funcs

    # In Fortran's order, in which BLAS takes and gives matrices, nothing is copied.
    found = get_blas_funcs("gemm", (A, B))(1.0, B.T, A.T, trans_a=True).T
    if out is None:
        return found
    out[...] = found
    return out
