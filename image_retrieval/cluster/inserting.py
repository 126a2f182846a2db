"""From the parts of an extraction into a Milvus collection, by whoever is free."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.cluster.parts import Parts, open_parts
from image_retrieval.cluster.session import connect, spread
from image_retrieval.errors import InputError
from image_retrieval.files import atomic_file
from image_retrieval.index.milvus import MilvusEngine

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath


def insert(
    parts: Parts | StrPath,
    uri: StrPath,
    collection: str = "images",
    address: str | None = None,
    workers: int | None = None,
    metric: str = "cosine",
    **options: Any,
) -> MilvusEngine:
    """Put the features of an extraction into a Milvus collection.

    The id of a picture is the SHA-256 of its content, so a picture that appears twice is
    in the collection once, and to insert it again changes nothing (Milvus calls that *upsert*).
    Which parts are in is noted beside them: a call that was interrupted goes on from there.

    Parameters
    ----------
    parts : Parts, str or Path
        What `extract` has made, or its folder.
    uri : str or Path
        Of the server, `http://host:19530`. Or a file for Milvus Lite, into which this
        process inserts alone, because only one can have it open.
    collection : str
        Made when it is not there.
    address, workers
        As for `image_retrieval.cluster.extract`.
    metric : {"cosine", "euclidean", "squared_euclidean"}
    **options
        `index`, `search_params` and `shards` of a new collection, see
        `image_retrieval.index.milvus.MilvusEngine`. A token is taken from the environment of
        each worker, `MILVUS_TOKEN`.

    Returns
    -------
    MilvusEngine
        Open.

    Raises
    ------
    InputError
        When the server or the cluster cannot be reached, there is nothing to insert, or the
        collection is no such one.

    References
    ----------
    https://milvus.io/docs/upsert-entities.md
    """
    parts = parts if isinstance(parts, Parts) else open_parts(parts)
    how: dict[str, Any] = {"metric": metric, "uri": str(uri), "collection": collection}
    how["progress"] = False
    engine = MilvusEngine(**how, **options)
    notes = _notes(parts, how)
    if not engine.exists():
        shutil.rmtree(str(notes), ignore_errors=True)  # they speak of one that was dropped
        engine.build(*_nothing(parts))
    engine.open()
    waiting = [path.name for path in parts.paths() if not (notes / path.name).exists()]
    arguments = str(parts.folder), str(notes), {**options, **how}
    if engine.embedded:
        _Inserter(*arguments, engine)({"part": waiting})
    elif waiting:
        items = [{"part": name} for name in waiting]
        list(spread(connect(address), items, _Inserter, arguments, workers))
    return engine


class _Inserter:
    def __init__(self, folder, notes, options, engine=None):
        self._parts, self._notes = open_parts(folder), Path(notes)
        self._engine = engine or MilvusEngine(**options).open()

    def __call__(self, batch):
        """Insert parts, and note each when the database has it."""
        for name in batch["part"]:
            self._insert(str(name))
        return {"part": [str(name) for name in batch["part"]]}

    def _insert(self, name):
        files, contents = self._parts.read(name)
        labels = {file.hash: file.label for file in files}
        if contents:
            ids, X = [c[0] for c in contents], np.array([c[-1] for c in contents])
            self._engine.update(X, ids, [labels[key] for key in ids])
        with atomic_file(self._notes / name):
            pass


def _notes(parts, how):
    where = "\n".join((how["uri"], how["collection"]))
    return parts.folder / f"in-milvus-{hashlib.sha256(where.encode()).hexdigest()[:16]}"


def _nothing(parts):
    """Return vectors, ids and labels of no pictures, for a collection of the right kind."""
    d = next((len(c[0][-1]) for _, c in parts.batches() if c), None)
    if d is None:
        raise InputError(f"{parts.folder} holds no readable picture; extract some first")
    return np.zeros((0, d), np.float32), np.zeros(0, "U64"), np.zeros(0, "U1")
