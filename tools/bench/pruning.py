"""Would principal components let exact search rule out rows before the full product?

    python -m tools.bench.pruning [--sizes 2000 20000] [--rounds 6]

An orthogonal rotation keeps distances, so the distance over the first p rotated dimensions
is a lower bound, tighter with the difference of what is left of both lengths. Rows whose
bound exceeds a distance already found need no full product. This measures that idea beside
the engine `exact`, which does not use it; rounding is not guarded against here, so the
times are a little better than a proven search would have.
"""

import argparse

import numpy as np

from image_retrieval import index
from image_retrieval.index.parallel import in_parallel
from image_retrieval.index.selection import lowest
from tools.bench.features import QUERIES, pool
from tools.bench.search import BARE, EXACT, K
from tools.bench.timing import best_seconds, one_by_one

DIMENSIONS = (128, 256, 512)
_SHARE = 250
_REPEATS = 10


class PrunedSearch:
    """Exact search that looks at the first `p` principal components of every row first."""

    def __init__(self, X, p):
        sample = X[:: max(1, len(X) // 5000)].astype(np.float64)
        self.center = sample.mean(axis=0).astype(np.float32)
        basis = np.linalg.eigh(np.cov((sample - self.center).T))[1][:, ::-1]
        self.X, self.p, self.basis = X, p, basis[:, :p].astype(np.float32)
        self.bounds = self._coordinates(X)
        self.squares = np.square(self.bounds).sum(axis=1)
        self.lengths = np.square(X).sum(axis=1)
        self.survivors = 0.0

    def __call__(self, Q):
        """Return the rows of the ten nearest, (q, 10), in no order."""
        starts = range(0, len(Q), _SHARE)
        return np.concatenate(in_parallel(lambda i: self._part(Q[i : i + _SHARE]), starts))

    def _coordinates(self, X):
        centered = X - self.center
        first = centered @ self.basis
        rest = np.square(centered).sum(axis=1) - np.square(first).sum(axis=1)
        return np.column_stack([first, np.sqrt(np.maximum(rest, 0))]).astype(np.float32)

    def _part(self, Q):
        Y = self._coordinates(Q)
        bounds = self.squares - 2 * (Y @ self.bounds.T)
        _, near = lowest(bounds, K)
        found = np.square(self.X[near] - Q[:, None]).sum(axis=2).max(axis=1)
        limits = found - np.square(Y).sum(axis=1)
        places = [np.flatnonzero(row <= limit) for row, limit in zip(bounds, limits)]
        self.survivors = np.mean([len(rows) for rows in places]) / len(self.X)
        return np.array([self._nearest(q, rows) for q, rows in zip(Q, places)])

    def _nearest(self, q, rows):
        product = self.lengths[rows] - 2 * (self.X[rows] @ q)
        return rows[np.argpartition(product, K - 1)[:K]]


def main(arguments=None):
    """Print a Markdown table for each number of images."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.pruning")
    parser.add_argument("--sizes", type=int, nargs="+", default=(2_000, 20_000))
    parser.add_argument("--rounds", type=int, default=6)
    options = parser.parse_args(arguments)
    features = pool()
    for n in options.sizes:
        X, Q, name = features.sample(n, QUERIES)
        print(f"### n = {n:,} ({name})\n\n" + _table(X, Q, options.rounds), flush=True)


def _table(X, Q, rounds):
    engine = index.build(X)
    pruned = {f"pruned by {p} dimensions": PrunedSearch(X, p) for p in DIMENSIONS}
    ways = {BARE: lambda Q: Q @ X.T, EXACT: lambda Q: engine.search(Q, K), **pruned}
    batch = best_seconds({name: _bound(way, Q) for name, way in ways.items()}, rounds)
    one = best_seconds({name: one_by_one(way, Q, _REPEATS) for name, way in ways.items()}, rounds)
    truth = np.sort(engine.search(Q, K)[0], axis=1)
    lines = ["| way | rows left | same neighbors | 1,000 queries | one query |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for name, way in ways.items():
        left, same = "", ""
        if name in pruned:
            same = f"{(np.sort(way(Q), axis=1) == truth).mean():.4f}"
            left = f"{way.survivors:.1%}"
        ratios = f"{batch[name] / batch[BARE]:.2f} | {one[name] / one[BARE]:.2f}"
        lines.append(f"| {name} | {left} | {same} | {ratios} |")
    return "\n".join(lines) + "\n"


def _bound(way, Q):
    return lambda: way(Q)


if __name__ == "__main__":
    main()
