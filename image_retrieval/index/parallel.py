"""Running numpy work on all cores, one BLAS thread in each."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache


def cores():
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(function, items):
    """Return `function` of each item, in order, computed on all cores.

    Selecting neighbors runs on one core where a matrix product runs on all of them; with a
    product and a selection of its own, each thread keeps its core busy. BLAS is held to one
    thread meanwhile, so that the two do not compete.
    """
    items = list(items)
    workers = min(cores(), len(items))
    if workers <= 1:
        return [function(item) for item in items]
    with _blas().limit(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


@lru_cache(maxsize=1)
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
