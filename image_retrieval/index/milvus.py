"""Search by Milvus: a file on this machine, or a cluster for billions of vectors."""

import json
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
import weakref
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from image_retrieval.errors import InputError
from image_retrieval.index.engine import Engine, needed

_FILE = "milvus.db"
_BATCH = 100  # one large batch takes Milvus Lite ten times as long
_CLUSTER_BATCH = 1000
_QUERIES = 500
_MOST = 16_384  # neighbors a query that Milvus returns
_LONGEST = 512  # bytes of an id or a label
_SPARE = 8  # beyond k, to see ties at the end
_TIMEOUT = 120  # seconds; without one, pymilvus repeats some failed calls for ever
_REACHING = 10  # seconds to wait for a server to answer,
_STARTING = 60  # and for Milvus Lite to start, which takes long the first time it is read
_TOKEN = "MILVUS_TOKEN"


class MilvusEngine(Engine):
    """A Milvus collection: vectors, ids and labels live in the database, not in memory.

    Without `uri`, or with a file name, Milvus Lite runs embedded and searches exactly; with
    `http://host:19530` the same code works on a Milvus server or cluster. Distances are
    Milvus's own, in float32. At most 16,384 neighbors a query.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
    uri : str or Path, optional
        Database file or server address; a temporary file by default.
    collection : str
        Its name in the database.
    token : str, optional
        `user:password` or an API key; the environment variable `MILVUS_TOKEN` by default.
        It is never saved.
    index : dict, optional
        Milvus's `index_type` and `params`; FLAT when embedded, AUTOINDEX on a server.
    search_params : dict, optional
        Milvus's parameters of a search with that index, for example `{"ef": 128}`.
    shards : int
        Parts that the collection's writes are spread over; one when embedded.
    overwrite : bool
        Let `build` replace a collection of that name which is there already.
    progress : bool
        Show a progress bar while vectors are inserted.
    """

    name = "milvus"

    def __init__(
        self,
        metric="euclidean",
        uri=None,
        collection="images",
        token=None,
        index=None,
        search_params=None,
        shards=1,
        overwrite=False,
        progress=True,
    ):
        super().__init__(metric)
        self.uri = str(uri) if uri is not None else _temporary_file(self)
        self.embedded = "://" not in self.uri
        self.collection, self.token = collection, token
        self.index = index or {"index_type": "FLAT" if self.embedded else "AUTOINDEX"}
        self.search_params, self.shards = search_params or {}, shards
        self.overwrite, self.progress = overwrite, progress
        self._client, self._has_labels, self._string_ids = None, False, False

    def open(self):
        """Use the collection that is in the database, as it was built.

        The collection knows whether its distance is the cosine; `metric` only chooses
        between the two Euclidean ones.

        Returns
        -------
        MilvusEngine
            Itself.

        Raises
        ------
        InputError
            When there is no such collection, or another program made it.
        """
        if not self._call("has_collection"):
            raise InputError(
                f"{self.uri}: no collection {self.collection!r} there; build it first, "
                "or give another collection="
            )
        self._take_schema(self._call("describe_collection"))
        kind = self._call("describe_index", "vector")["metric_type"]
        if (kind == "COSINE") != (self.metric == "cosine"):
            self.metric = "cosine" if kind == "COSINE" else "euclidean"
        self._call("load_collection")
        self.n = self._count()
        return self

    def close(self):
        """Let go of the connection, and of the embedded server with it."""
        if self._client is not None:
            self._client.close()
            self._client = None
            if self.embedded:
                _stop_server(self.uri)

    def _call(self, method, *args, **options):
        """Call a method of the client on the collection."""
        call = getattr(self._connected(), method)
        return call(self.collection, *args, timeout=_TIMEOUT, **options)

    def _take_schema(self, description):
        fields = {field["name"]: field for field in description["fields"]}
        if not {"row", "id", "vector"} <= set(fields):
            raise InputError(
                f"{self.uri}: collection {self.collection!r} was not built by this package; "
                "give another collection="
            )
        self.d = int(fields["vector"]["params"]["dim"])
        self._has_labels = "label" in fields
        self._string_ids = fields["id"]["type"] == _pymilvus(self.embedded).DataType.VARCHAR

    def _connected(self):
        if self._client is None:
            milvus = _pymilvus(self.embedded)
            if self.embedded:
                Path(self.uri).absolute().parent.mkdir(parents=True, exist_ok=True)
            token = self.token or os.environ.get(_TOKEN, "")
            seconds = _STARTING if self.embedded else _REACHING
            try:
                self._client = milvus.MilvusClient(self.uri, token=token, timeout=seconds)
            except milvus.MilvusException as error:
                raise InputError(
                    f"{self.uri}: Milvus cannot open it ({error.message}); "
                    "check the address or the file"
                ) from None
        return self._client

    def _id_dtype(self):
        return np.dtype(np.str_ if self._string_ids else np.int64)

    def _options(self):
        never = {"token", "overwrite", *(["uri"] if self.embedded else [])}
        return {name: value for name, value in super()._options().items() if name not in never}

    def _replace(self, X, ids, labels):
        _refuse_long(ids, labels)
        if self._call("has_collection"):
            if self.d is None and not self.overwrite:
                raise InputError(
                    f"{self.uri}: collection {self.collection!r} is there already; open() it, "
                    "give another collection=, or overwrite=True to replace it"
                )
            self._call("drop_collection")
        self.n, self.d = 0, X.shape[1]
        self._has_labels, self._string_ids = labels is not None, ids.dtype.kind == "U"
        self._create()
        self._insert(X, ids, labels)

    def _create(self):
        milvus, client = _pymilvus(self.embedded), self._client
        kind = milvus.DataType
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        # The row is the primary key: it breaks ties and finds what a failed insert left.
        schema.add_field("row", kind.INT64, is_primary=True)
        if self._string_ids:
            schema.add_field("id", kind.VARCHAR, max_length=_LONGEST)
        else:
            schema.add_field("id", kind.INT64)
        if self._has_labels:
            schema.add_field("label", kind.VARCHAR, max_length=_LONGEST)
        schema.add_field("vector", kind.FLOAT_VECTOR, dim=self.d)
        index = client.prepare_index_params()
        measure = "COSINE" if self.metric == "cosine" else "L2"
        index.add_index("vector", metric_type=measure, **self.index)
        options = {"num_shards": self.shards, "consistency_level": "Strong"}
        self._call("create_collection", schema=schema, **options)
        # There is nothing to index yet; to wait for it would take half a second.
        self._call("create_index", index, sync=False)
        self._call("load_collection")

    def _append(self, X, ids, labels):
        _refuse_long(ids, labels)
        self._refuse_present(ids)
        self._insert(X, ids, labels)

    def _refuse_present(self, ids):
        for start in range(0, len(ids), _CLUSTER_BATCH):
            some = ids[start : start + _CLUSTER_BATCH].tolist()
            wanted = f"id in {_literal(some)}"
            found = self._call("query", filter=wanted, output_fields=["id"])
            if len(found):
                raise InputError(f"id {found[0]['id']} is in the index already; ids must be unique")

    def _insert(self, X, ids, labels):
        first, size = self.n, _BATCH if self.embedded else _CLUSTER_BATCH
        try:
            with tqdm(total=len(X), unit="vector", disable=not self.progress) as bar:
                for start in range(0, len(X), size):
                    rows = self._rows(X, ids, labels, first, range(start, len(X))[:size])
                    self._call("insert", rows)
                    bar.update(len(rows))
        except BaseException:
            self._call("delete", filter=f"row >= {first}")
            raise
        self.n += len(X)

    def _rows(self, X, ids, labels, first, chosen):
        rows = [{"row": first + i, "vector": X[i]} for i in chosen]
        columns = {"id": ids} if labels is None else {"id": ids, "label": labels}
        for name, values in columns.items():
            for row, value in zip(rows, values[chosen.start : chosen.stop].tolist()):
                row[name] = value
        return rows

    def _count(self):
        found = self._call("query", filter="", output_fields=["count(*)"])
        return int(found[0]["count(*)"])

    def _search(self, Q, k, radius, where):
        if k > _MOST:
            raise InputError(f"Milvus returns at most {_MOST} neighbors a query, not {k}; lower k")
        if where is not None and not where:
            return self._no_neighbors(len(Q))
        wanted = "" if where is None else f"label in {_literal(where)}"
        hits = []
        for start in range(0, len(Q), _QUERIES):
            hits += self._hits(Q[start : start + _QUERIES], k, k + _SPARE, wanted)
        return self._as_arrays(hits)

    def _hits(self, Q, k, limit, wanted):
        """Return (distance, row, id) of the k nearest of each query, ties in row order."""
        limit = min(limit, self.n, _MOST)
        options = {"output_fields": ["row", "id"], "search_params": {"params": self.search_params}}
        answers = self._call("search", data=list(Q), limit=limit, filter=wanted, **options)
        hits = [_sorted(answer) for answer in answers]
        more = [i for i, found in enumerate(hits) if _cut_in_a_tie(found, k, limit)]
        if more and limit < min(self.n, _MOST):
            for i, found in zip(more, self._hits(Q[more], k, 4 * limit, wanted)):
                hits[i] = found
        return [self._in_row_order(found)[:k] for found in hits]

    def _in_row_order(self, found):
        if self.metric == "cosine":
            # Milvus gives the similarity, in float32 a little above 1 at times.
            found = [(min(max(1 - s, 0.0), 2.0), row, name) for s, row, name in found]
        elif self.metric == "euclidean":
            found = [(max(s, 0.0) ** 0.5, row, name) for s, row, name in found]
        return sorted(found, key=lambda hit: hit[:2])

    def _as_arrays(self, hits):
        width = max((len(found) for found in hits), default=0)
        distances = np.full((len(hits), width), np.inf)
        ids = [[("" if self._string_ids else -1)] * width for _ in hits]
        for i, found in enumerate(hits):
            for j, (distance, _, name) in enumerate(found):
                distances[i, j], ids[i][j] = distance, name
        return np.array(ids, dtype=self._id_dtype()).reshape(distances.shape), distances

    def _write(self, folder):
        if not self.embedded:
            return
        if Path(self.uri).is_dir():
            # Milvus Lite 3 keeps a folder, which is whole only when nobody has it open.
            self._call("flush")
            self.close()
            shutil.copytree(self.uri, str(folder / _FILE))
            self.open()
        else:
            # SQLite's own copy: whole even while the server has the file open.
            source = sqlite3.connect(self.uri)
            target = sqlite3.connect(str(folder / _FILE))
            source.backup(target)
            target.close()
            source.close()

    def _read(self, folder, settings):
        saved = folder / _FILE
        if self.embedded:  # in a temporary place, as the original's is not among the options
            copy = shutil.copytree if saved.is_dir() else shutil.copyfile
            copy(str(saved), self.uri)
        self.open()


def _sorted(answer):
    fields = [(float(hit["distance"]), hit["entity"]) for hit in answer]
    return [(distance, entity["row"], entity["id"]) for distance, entity in fields]


def _cut_in_a_tie(found, k, limit):
    return len(found) == limit > k and found[-1][0] == found[k - 1][0]


def _literal(values):
    # Milvus reads JSON's escapes, but not those of characters beyond ASCII.
    return json.dumps(values, ensure_ascii=False)


def _refuse_long(ids, labels):
    for what, values in (("id", ids), ("label", labels)):
        if values is None or values.dtype.kind != "U":
            continue
        for value in values:
            if len(value.encode("utf-8")) > _LONGEST:
                raise InputError(
                    f"{what} {value[:20]!r}… is longer than {_LONGEST} bytes; shorten it"
                )


def _temporary_file(engine):
    folder = tempfile.mkdtemp(prefix="milvus-")
    weakref.finalize(engine, _forget, folder)
    return str(Path(folder) / _FILE)


def _forget(folder):
    _stop_server(str(Path(folder) / _FILE))
    shutil.rmtree(folder, ignore_errors=True)


def _stop_server(uri):
    if "milvus_lite.server_manager" not in sys.modules:
        return
    manager = sys.modules["milvus_lite.server_manager"].server_manager_instance
    if str(Path(uri).absolute().resolve()) in manager._servers:
        manager.release_server(uri)


def _pymilvus(embedded):
    # gRPC and pymilvus write every failed attempt to standard error; we raise it instead.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    for logger in ("pymilvus", "grpc._server"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    pymilvus = needed("pymilvus", "milvus", "pip install pymilvus milvus-lite")
    if embedded and find_spec("milvus_lite") is None:
        raise InputError(
            "embedded Milvus needs milvus-lite (Linux and macOS), which is not installed here; "
            "give uri= of a Milvus server"
        )
    return pymilvus
