"""What does ruling rows out by their principal components gain, and cost?

    python -m tools.bench.pruning [--sizes 20000 50000] [--rounds 8]

The engine `exact` chooses the number of dimensions itself, from 10,000 rows on and where it
pays; here each is measured, beside the engine without them. `learned in` is the time that the
components take once, and `pays after` the number of queries, a thousand at a time, that win
it back.
"""

import argparse
import time
from functools import partial

from image_retrieval import index
from image_retrieval.index import pruning
from tools.bench.features import QUERIES, pool
from tools.bench.search import BARE, EXACT, FRESH, K, exact_engine
from tools.bench.timing import best_seconds

_HEAD = """| way | dimensions | rows left | 1,000 queries | learned in: s | pays after |
| --- | ---: | ---: | ---: | ---: | ---: |"""


def main(arguments=None):
    """Print a Markdown table for each number of images."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.pruning")
    # With fewer than 10,000 rows the engine `exact` never uses the components.
    parser.add_argument("--sizes", type=int, nargs="+", default=(20_000, 50_000))
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args(arguments)
    features = pool()
    for n in options.sizes:
        X, Q, name = features.sample(n, QUERIES)
        print(f"### n = {n:,} ({name})\n\n" + table(X, Q, options.rounds), flush=True)


def table(X, Q, rounds, dimensions=pruning.DIMENSIONS):
    """Return the Markdown table for references `X` and queries `Q`."""
    fresh = index.build(X, prune_after=None)
    engines = {EXACT: exact_engine(X)}
    seconds = {}
    for p in dimensions:
        engines[f"with {p}"], seconds[f"with {p}"] = _pruned_by(X, p)
    ways = {BARE: lambda: Q @ X.T, FRESH: partial(fresh.search, Q, K)}
    ways.update({name: partial(engine.search, Q, K) for name, engine in engines.items()})
    best = best_seconds(ways, rounds)
    lines = [_HEAD]
    for name in ways:
        engine = engines.get(name)
        p = engine._pruning.dimensions if engine and engine._pruning else 0
        left = _left(engine, Q) if p else ""
        ratio = f"{best[name] / best[BARE]:.2f}"
        lines.append(
            f"| {name} | {p or ''} | {left} | {ratio} | {_paid(name, seconds, best, len(Q))} |"
        )
    return "\n".join(lines) + "\n"


def _pruned_by(X, p):
    """Return an engine that uses `p` components, whether or not that pays, and the seconds."""
    engine = index.build(X, prune_after=0)
    start = time.perf_counter()
    engine._pruning = pruning.Pruning(engine._bounds, (p,), most=float("inf"))
    return engine, time.perf_counter() - start


def _left(engine, Q):
    """Return the part of the rows that the components do not rule out for the true neighbors."""
    Y, _, _ = engine._bounds.queries(Q[:100])
    farthest = engine._nearest(Q[:100], K, None, None)[1][:, -1]
    of = engine._pruning.of_queries(Y)
    return f"{(of.bounds(slice(None)) <= of.limits(farthest**2)[:, None]).mean():.2%}"


def _paid(name, seconds, best, queries):
    if name not in seconds:
        return " | "
    gain = (best[FRESH] - best[name]) / queries
    after = f"{seconds[name] / gain:,.0f}" if gain > 0 else "never"
    return f"{seconds[name]:.2f} | {after}"


if __name__ == "__main__":
    main()
