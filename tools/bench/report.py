"""The measurements as a Markdown page and a plot."""

import platform
import sys
import time

import numpy as np

from image_retrieval.hardware import cores
from tools.bench.search import BARE, EXACT, FLAT, FRESH, HNSW, MILVUS, SFRAMES, SKLEARN, TURI

_EXACT_HEAD = (
    "| way | all queries: s | ratio to the bare product | one query: ms | ratio |\n"
    "| --- | ---: | ---: | ---: | ---: |"
)
_APPROXIMATE_HEAD = (
    "| way | recall@10 | queries per second in a batch | ratio to FAISS flat | one query: ms "
    "| faster than `exact` |\n| --- | ---: | ---: | ---: | ---: | ---: |"
)

_SINGLE = {20_000: 0.5, 50_000: 0.3}  # products that one query may take, by n


def machine():
    """Return one line about this machine and its software."""
    from importlib.metadata import version

    names = ("numpy", "scikit-learn", "faiss-cpu", "chroma-hnswlib", "pymilvus", "turicreate")
    versions = ", ".join(f"{name} {version(name)}" for name in names if _has(name))
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')}, {cores()} cores ({platform.machine()}), "
        f"Python {python}, {versions}."
    )


def exact_table(n, name, times):
    """Return the exact ways at one n, the fastest first."""
    batch, one = times[BARE]
    lines = [f"### Exact search, n = {n:,} ({name})", "", _EXACT_HEAD]
    for way, (seconds, single) in sorted(times.items(), key=lambda item: item[1]):
        lines.append(
            f"| {way} | {seconds:.3f} | {seconds / batch:.2f} "
            f"| {single * 1e3:.2f} | {single / one:.2f} |"
        )
    return "\n".join(lines) + "\n"


def approximate_table(n, name, queries, found):
    """Return the approximate ways: recall against queries per second."""
    flat, exact_one = found.get(FLAT, (0, np.nan, 0))[1], found[EXACT][2]
    lines = [f"### Recall against speed, n = {n:,} ({name})", "", _APPROXIMATE_HEAD]
    for way, (recall, seconds, single) in found.items():
        lines.append(
            f"| {way} | {recall:.4f} | {queries / seconds:,.0f} | {flat / seconds:.1f} "
            f"| {single * 1e3:.3f} | {exact_one / single:.1f} |"
        )
    return "\n".join(lines) + "\n"


def wanted_table(exact, approximate, sframes):
    """Return the figures to reach and whether they were."""
    rows = []
    for n in sorted(set(exact) & set(_SINGLE)):
        times = exact[n]
        rows += [
            (f"exact / bare product, n = {n:,}", _ratio(times, EXACT, BARE), "<=", 1.35),
            (f"one query, exact / bare product, n = {n:,}", _single(times), "<=", _SINGLE[n]),
            (f"Turi Create / exact, n = {n:,}", _ratio(times, TURI, EXACT), ">=", 10),
            (f"scikit-learn / exact, n = {n:,}", _ratio(times, SKLEARN, EXACT), ">=", 2),
        ]
    if 20_000 in approximate:
        rows += _wanted_of_hnsw(approximate[20_000])
    if sframes:
        ratio = sframes[SFRAMES] / sframes[EXACT]
        rows.append(("SFrame to SFrame / arrays, exact, n = 20,000", ratio, "<=", 1.5))
    lines = ["### Figures to reach", "", "| figure | measured | wanted | reached |"]
    lines.append("| --- | ---: | ---: | --- |")
    for what, value, sign, wanted in rows:
        reached = value <= wanted if sign == "<=" else value >= wanted
        lines.append(
            f"| {what} | {value:.3g} | {sign} {wanted} | {'yes' if reached else '**no**'} |"
        )
    return "\n".join(lines) + "\n"


def _wanted_of_hnsw(found):
    name = HNSW.format(0.99)
    recall, seconds, _ = found[name]
    rows = [(f"{name}: recall@10 reached, n = 20,000", recall, ">=", 0.99)]
    if FLAT in found:
        flat = found[FLAT][1] / seconds
        rows.append((f"{name}: times FAISS flat's queries per second, n = 20,000", flat, ">=", 4))
    return rows


def plot(path, exact, approximate, queries):
    """Draw cost against n, and recall against queries per second, as one PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for way in (TURI, FLAT, MILVUS, SKLEARN, FRESH, EXACT, BARE):
        sizes = [n for n in sorted(exact) if way in exact[n]]
        if sizes:
            left.loglog(sizes, [exact[n][way][0] for n in sizes], marker="o", label=way)
    left.set(
        xlabel="reference images", ylabel=f"seconds for {queries:,} queries", title="Exact search"
    )
    left.set_xticks(sorted(exact), [f"{n:,}" for n in sorted(exact)])
    left.minorticks_off()
    left.legend(loc="lower right", fontsize="small")
    for n, found in approximate.items():
        _draw_curves(right, n, found, queries)
    right.set(xlabel="recall@10", ylabel="queries per second", yscale="log")
    right.set_title("Approximate search, in a batch")
    if approximate:
        right.legend()
    figure.savefig(str(path), dpi=120)


def _draw_curves(axes, n, found, queries):
    lines = {"hnsw,": "hnsw", "codes,": "codes", "hnswlib": "hnswlib on all dimensions"}
    for start, label in lines.items():
        points = [(r, queries / s) for way, (r, s, _) in found.items() if way.startswith(start)]
        if points:
            axes.plot(*zip(*points), marker="o", label=f"{label}, n = {n:,}")
    for way in (EXACT, FLAT):
        if way in found:
            axes.plot(1.0, queries / found[way][1], "s", label=f"{way}, n = {n:,}")


def _ratio(times, dividend, divisor):
    return times[dividend][0] / times[divisor][0]


def _single(times):
    return times[EXACT][1] / times[BARE][1]


def _has(name):
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
