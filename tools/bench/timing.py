"""Timing things against each other on a machine that does other work, too."""

import time
from itertools import count

BATCH_SECONDS = 20.0  # after so much time in all, a slow way takes no further round


def best_seconds(ways, rounds, patience=BATCH_SECONDS):
    """Return the best time of each way; all ways take turns.

    Parameters
    ----------
    ways : dict of str to callable
    rounds : int
    patience : float
        Seconds a way may take in all before it is left out of further rounds.

    Returns
    -------
    dict of str to float
        Seconds.
    """
    best = {name: float("inf") for name in ways}
    spent = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            if spent[name] <= patience:
                seconds = _seconds(way)
                spent[name] += seconds
                best[name] = min(best[name], seconds)
    return best


def one_by_one(search, Q, repeats=10):
    """Return a function that answers the next `repeats` queries, one a call of `search`."""
    turn = count()

    def answer():
        for _ in range(repeats):
            i = next(turn) % len(Q)
            search(Q[i : i + 1])

    return answer


def _seconds(way):
    start = time.perf_counter()
    way()
    return time.perf_counter() - start
