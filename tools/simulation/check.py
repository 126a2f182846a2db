"""The model against the machine: brute-force searches of real features, one query after another.

The scan rate is measured at 5,000 vectors, the model predicts from it, and both are compared
at 20,000 and 100,000. What an engine keeps in a cache at one size and not at another, the model
does not know; the check shows how much that is.
"""

import numpy as np

from tools.bench.features import pool
from tools.bench.timing import best_seconds, one_by_one
from tools.simulation.assumptions import Assumptions
from tools.simulation.model import searches

CALIBRATED, SIZES, QUERIES = 5_000, (20_000, 100_000), 100


def measure(rounds, sizes=SIZES, calibrated=CALIBRATED):
    """Return seconds a query by number of vectors, measured and predicted.

    Returns
    -------
    dict of int to (float, float)
    """
    features = pool()
    measured = {n: _seconds(features, n, rounds) for n in (calibrated, *sizes)}
    how = Assumptions().changed(scanned=calibrated / measured[calibrated], merged=0.0)
    # So slowly that no query waits for another, as in the measurement.
    alone = {n: searches(n, 1, 1, 0.01 / measured[n], how, queries=50).median for n in sizes}
    return {n: (measured[n], alone[n]) for n in sizes}


def markdown(found):
    """Return the comparison as a table."""
    lines = [
        "| vectors | measured, a query | simulated | simulated / measured |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for n, (real, model) in found.items():
        lines.append(f"| {n:,} | {real * 1e3:.1f} ms | {model * 1e3:.1f} ms | {model / real:.2f} |")
    return "\n".join(lines)


def _seconds(features, n, rounds):
    X, Q, _ = features.sample(n, QUERIES)
    # Squared distances by a plain product, so that there are no principal axes to learn.
    norms = np.einsum("ij,ij->i", X, X)

    def search(some):
        return np.argpartition(norms - 2 * (some @ X.T), 10)[:, :10]

    return best_seconds({n: one_by_one(search, Q)}, rounds)[n] / 10
