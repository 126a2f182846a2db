"""Running numpy work on all cores, one BLAS thread in each."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Iterable

import numpy as np

from image_retrieval.hardware import cores

if TYPE_CHECKING:
    from image_retrieval.signatures import Array


def in_parallel(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Return `function` of each item, in order, computed on all cores.

    Selecting neighbors runs on one core where a matrix product runs on all of them; with a
    product and a selection of its own, each thread keeps its core busy. BLAS is held to one
    thread meanwhile, so that the two do not compete.
    """
    items = list(items)
    workers = min(cores(), len(items))
    if workers <= 1:
        return [function(item) for item in items]
    with _ONE_BLAS_THREAD, ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


def row_products(X: Array, y: Array) -> Array:
    """Return `X @ y`, computed on this core alone.

    With few rows, BLAS takes longer to wake and await its other threads than to multiply; where
    other programs keep the cores busy, a hundred times as long. A product a row wakes none.

    Parameters
    ----------
    X : ndarray of float, shape (n, d)
    y : ndarray of float, shape (d,)

    Returns
    -------
    ndarray of float, shape (n,)
    """
    return np.matmul(X[:, None], y)[:, 0]


class _OneBlasThread:
    """Holds BLAS to one thread from the first entry to the last exit.

    The limit is the whole process's. Were each search to restore what it found, two that
    overlap could leave BLAS on one thread for good.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._inside = 0
        self._controller: Any = None
        self._limit: Any = None

    def __enter__(self):
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._limit = self._blas().limit(limits=1, user_api="blas")

    def __exit__(self, *exception):
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()

    def _blas(self):
        if self._controller is None:
            from threadpoolctl import ThreadpoolController

            self._controller = ThreadpoolController()
        return self._controller


_ONE_BLAS_THREAD = _OneBlasThread()
