"""A real Milvus server: which index, with which parameters, finds enough, and how fast.

    python -m tools.milvus_server python -m tools.bench.milvus [--rows 20000] [--recall 0.99]

Writes `build/bench-milvus.md`. As the engine `hnsw` does in memory, each index is tried with
longer and longer lists until it finds what is asked for.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from image_retrieval import index
from image_retrieval.cli import guarded
from image_retrieval.files import atomic_file
from image_retrieval.index.components import Rotation
from image_retrieval.index.distances import PairDistances
from image_retrieval.index.milvus import MilvusEngine
from tools.bench.features import pool
from tools.bench.report import machine
from tools.bench.timing import best_seconds
from tools.milvus_server.server import MilvusServer

K, QUERIES = 10, 400
PAGE = Path(__file__).resolve().parents[2] / "build" / "bench-milvus.md"
HNSW = {"index_type": "HNSW", "params": {"M": 16, "efConstruction": 200}}
IVF = {"index_type": "IVF_SQ8", "params": {"nlist": 128}}
FLAT = {"index_type": "FLAT"}
EF = ("ef", (32, 48, 64, 80, 96, 128, 192, 256, 512))
NPROBE = ("nprobe", (8, 16, 24, 32, 48, 64, 128))
# Index, the parameter that lengthens the search, values to try.
WAYS = ((FLAT, None, (0,)), (HNSW, *EF), (IVF, *NPROBE))
COMPONENTS = (None, 256)
_MEASURED = 3  # candidates measured in full for each neighbor, where the server has components
_HEAD = (
    "| index | numbers per vector | parameter | recall@10 | queries per second, one by one "
    "| ratio to FLAT | vectors per second, inserted |\n"
    "| --- | ---: | --- | ---: | ---: | ---: | ---: |"
)


class Measured(NamedTuple):
    """What one index on the server does with the first value that finds enough, or the last."""

    name: str
    dimensions: int
    parameter: str
    recall: float
    rate: float
    inserted: float


def main(arguments=None):
    """Measure every way and write the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.milvus", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="vectors to search")
    parser.add_argument("--recall", type=float, default=0.99, help="what to reach")
    options = parser.parse_args(arguments)
    X, Q, name = pool().sample(options.rows, QUERIES)
    truth, found = index.build(X).search(Q, K)[0], []
    with tempfile.TemporaryDirectory() as folder, MilvusServer(folder) as server:
        for components in COMPONENTS:
            for measured in _measure(server.uri, X, Q, truth, options.recall, components):
                found.append(measured)
                print(*measured, flush=True)
    text = f"{_circumstances(name, len(X))}\n\n{_table(found)}"
    with atomic_file(PAGE) as path:
        path.write_text(text, encoding="utf-8")
    print(text)


def _measure(uri, X, Q, truth, wanted, components):
    """Yield what each index does with these vectors, which are inserted once."""
    rotation = Rotation.fit(X, "euclidean").first(components) if components else None
    kept = rotation(X) if components else X
    common = {"index": FLAT, "consistency": "Bounded", "progress": False}
    engine = MilvusEngine(uri=uri, collection=f"vectors_{kept.shape[1]}", **common)
    start = time.perf_counter()
    engine.build(kept)
    inserted = len(X) / (time.perf_counter() - start)
    exactly = PairDistances(X, "euclidean") if components else None
    for how, parameter, values in WAYS:
        _settle(engine, how)
        ask = _asking(engine, Q, rotation, exactly)
        value, recall = _lengthen(engine, ask, truth, wanted, parameter, values)
        seconds = best_seconds({"ask": partial(_ask_all, ask)}, 5)["ask"]
        said = f"`{parameter}` {value}" if parameter else "none"
        name = how["index_type"]
        yield Measured(name, kept.shape[1], said, recall, 100 / seconds, inserted)
    engine.drop()


def _lengthen(engine, ask, truth, wanted, parameter, values):
    """Return the first value with which a search finds enough, or the last, and its recall."""
    for value in values:
        engine.search_params = {parameter: value} if parameter else {}
        recall = index.recall(np.concatenate([ask(i) for i in range(len(truth))]), truth)
        if recall >= wanted:
            break
    return value, recall


def _asking(engine, Q, rotation, exactly):
    """Return a function that answers one query, measuring candidates in full where need be."""

    def ask(i):
        if exactly is None:
            return engine.search(Q[i], K)[0]
        candidates = engine.search(rotation(Q[i : i + 1]), _MEASURED * K)[0]
        return exactly.nearest(Q[i : i + 1], candidates, K)[0]

    return ask


def _ask_all(ask):
    for i in range(100):
        ask(i)


def _settle(engine, how):
    """Let the server index what was inserted, this way, and search that index and nothing else."""
    parameters = engine._client.prepare_index_params()
    parameters.add_index("vector", metric_type="L2", **how)
    engine._ask("flush")
    for call, *arguments in (("release_collection",), ("drop_index", "vector")):
        engine._ask(call, *arguments)
    engine._ask("create_index", parameters)
    while engine._ask("describe_index", "vector").get("pending_index_rows", 0):
        time.sleep(0.5)
    engine._ask("load_collection")


def _circumstances(name, n):
    return (
        f'{QUERIES} queries among {n:,} vectors ({name}), with `consistency="Bounded"`. '
        f"Where the server holds {COMPONENTS[-1]} principal components, {_MEASURED * K} candidates "
        f"are measured in full, and to turn a query into components is part of its time. "
        f"({machine()})"
    )


def _table(found):
    flat = found[0].rate
    lines = [
        f"| `{each.name}` | {each.dimensions:,} | {each.parameter} | {each.recall:.3f} "
        f"| {each.rate:,.0f} | {each.rate / flat:.1f} | {each.inserted:,.0f} |"
        for each in found
    ]
    return "\n".join([_HEAD, *lines]) + "\n"


if __name__ == "__main__":
    sys.exit(guarded(main))
