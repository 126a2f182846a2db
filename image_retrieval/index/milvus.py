"""Search by Milvus: a file on this machine, or a cluster for billions of vectors."""

from __future__ import annotations

import importlib
import json
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
import weakref
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np
from tqdm.auto import tqdm

from image_retrieval.errors import InputError
from image_retrieval.index.engine import Engine, needed

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

_FILE = "milvus.db"
_BATCH = 100  # one large batch takes Milvus Lite ten times as long
_CLUSTER_BATCH = 1000
_QUERIES = 500
_MOST = 16_384  # neighbors a query that Milvus returns
_LONGEST = 512  # bytes of an id or a label
_SPARE = 8  # beyond k, to see ties at the end
# Seconds. As a float, so that pymilvus counts its attempts instead of repeating failed calls until
# then: those to a server that is gone take five seconds.
_TIMEOUT, _ATTEMPTS = 120.0, 6
_REACHING = 8  # seconds to wait for a server to answer,
_STARTING = 60  # and for Milvus Lite to start, which takes long the first time it is read
# A server that comes back is found within a second, with pymilvus 3; before, gRPC waits longer
# and longer, for up to two minutes.
_RECONNECT = {"grpc.max_reconnect_backoff_ms": 1000}
_TOKEN = "MILVUS_TOKEN"
_LARGEST_ID = 2**63 - 1
_LARGEST = 1e17  # beyond it, distances in float32 may overflow
# What may take as long as the server needs; everything else is answered at once.
_LONG = ("create_collection", "create_index", "drop_collection", "flush", "load_collection")


class MilvusEngine(Engine):
    """A Milvus collection: vectors, ids and labels live in the database, not in memory.

    Without `uri`, or with a file name, Milvus Lite runs embedded and searches exactly; with
    `http://host:19530` the same code works on a Milvus server or cluster. Distances are
    Milvus's own, in float32. At most 16,384 neighbors a query.

    Several programs may add, update, remove and search on a server at once, each with an engine of
    its own: what one was told is done is in the next search of all. They should give ids, which
    are the collection's primary key. `add` leaves nothing when it fails; an `update` or a `remove`
    that fails has changed some ids and not the others, and an update can simply be repeated.

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
    consistency : {"Strong", "Session", "Bounded", "Eventually"}
        What a search sees of what was just written. By default everything, for which it waits a
        fifth of a second on a server as it is set up; "Bounded", Milvus's own default, does not
        wait and may miss the last seconds. Embedded, it is always everything.
        (https://milvus.io/docs/consistency.md)
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
        metric: str = "euclidean",
        uri: StrPath | None = None,
        collection: str = "images",
        token: str | None = None,
        index: Mapping[str, Any] | None = None,
        search_params: Mapping[str, Any] | None = None,
        consistency: str = "Strong",
        shards: int = 1,
        overwrite: bool = False,
        progress: bool = True,
    ) -> None:
        super().__init__(metric)
        self.uri = str(uri) if uri is not None else _temporary_file(self)
        self.embedded = "://" not in self.uri
        self.index = index or {"index_type": "FLAT" if self.embedded else "AUTOINDEX"}
        self.collection, self.token, self.shards = collection, token, shards
        self.search_params, self.overwrite = search_params or {}, overwrite
        self.consistency, self.progress = consistency, progress
        self._client: Any = None
        self._has_labels, self._string_ids = False, False

    def exists(self) -> bool:
        """Tell whether a collection of that name is in the database."""
        return self._ask("has_collection")

    def drop(self) -> None:
        """Remove the collection, with all that is in it, from the database."""
        self._ask("drop_collection")
        self._disconnect()  # a client remembers the fields of a collection by its name
        self.d = None

    def open(self) -> MilvusEngine:
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
        if not self.exists():
            problem = f"{self.uri}: no collection {self.collection!r} there"
            raise InputError(f"{problem}; build it first, or give another collection=")
        self._take_schema(self._ask("describe_collection"))
        cosine = self._ask("describe_index", "vector")["metric_type"] == "COSINE"
        if cosine != (self.metric == "cosine"):
            self.metric = "cosine" if cosine else "euclidean"
        self._ask("load_collection")
        return self

    @property
    def n(self) -> int:  # type: ignore[override]  # the database counts
        """The number of reference vectors, as the database counts them now."""
        return 0 if self.d is None else self._count()

    def close(self) -> None:
        """Let go of the connection, and of the embedded server with it."""
        if self._client is not None:
            self._disconnect()
            if self.embedded:
                _stop_server(self.uri)

    def _disconnect(self):
        self._client.close()
        self._client = None

    def _take_schema(self, description):
        fields = {field["name"]: field for field in description["fields"]}
        if not {"row", "id", "vector"} <= set(fields) or not fields["id"].get("is_primary"):
            problem = f"{self.uri}: collection {self.collection!r} was not built by this package"
            way_out = "give another collection=, or build it again if an older version built it"
            raise InputError(f"{problem}; {way_out}")
        self.d = int(fields["vector"]["params"]["dim"])
        self._has_labels = "label" in fields
        self._string_ids = fields["id"]["type"] == _pymilvus(self.embedded).DataType.VARCHAR

    def _connected(self):
        if self._client is None:
            token = self.token or os.environ.get(_TOKEN, "")
            seconds = _STARTING if self.embedded else _REACHING
            with self._telling("cannot open it"), _plain_libraries():
                if self.embedded:
                    Path(self.uri).absolute().parent.mkdir(parents=True, exist_ok=True)
                    _check_file(self.uri)
                client = _pymilvus(self.embedded).MilvusClient
                # Its own, or what closes one engine would close all at this address; pymilvus says
                # so with an alias up to 2.5 and with another word since.
                own = {"alias": uuid.uuid4().hex, "dedicated": True, "grpc_options": _RECONNECT}
                self._client = client(self.uri, token=token, timeout=seconds, **own)
        return self._client

    def _ask(self, call, *arguments, **options):
        """Call the client about the collection, and do not wait long for what is gone."""
        client = self._connected()
        seconds = _TIMEOUT if self.embedded or call in _LONG else float(_REACHING)
        options.update(timeout=seconds, retry_times=_ATTEMPTS)
        if call == "query":
            options["consistency_level"] = "Strong"  # which ids are there decides what is refused
        with self._telling(f"did not answer {call!r}"):
            return getattr(client, call)(self.collection, *arguments, **options)

    @contextmanager
    def _telling(self, what):
        """Turn the errors of Milvus, which take many lines, into one."""
        try:
            yield
        except (*_their_errors(self.embedded), OSError, sqlite3.Error) as error:
            problem = f"{self.uri}: Milvus {what} ({_reason(error)})"
            suspect = "the file" if self.embedded else f"the address and the token ({_TOKEN})"
            raise InputError(f"{problem}; check {suspect}, then open() it again") from None

    def _id_dtype(self):
        return np.dtype(np.str_ if self._string_ids else np.int64)

    def _options(self):
        kept = super()._options()
        return {name: kept[name] for name in kept if name not in ("token", "overwrite")}

    def _replace(self, X, ids, labels):
        _refuse(X, ids, labels)
        if self.exists():
            if self.d is None and not self.overwrite:
                problem = f"{self.uri}: collection {self.collection!r} is there already"
                way_out = "open() it, give another collection=, or overwrite=True to replace it"
                raise InputError(f"{problem}; {way_out}")
            self.drop()
        self.d = X.shape[1]
        self._has_labels, self._string_ids = labels is not None, ids.dtype.kind == "U"
        self._create()
        self._send("insert", X, ids, labels)

    def _create(self):
        client, kind = self._connected(), _pymilvus(self.embedded).DataType
        text = {"datatype": kind.VARCHAR, "max_length": _LONGEST}
        schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
        ids = text if self._string_ids else {"datatype": kind.INT64}
        schema.add_field("id", is_primary=True, **ids)
        schema.add_field("row", kind.INT64)  # what breaks ties
        if self._has_labels:
            schema.add_field("label", **text)
        schema.add_field("vector", kind.FLOAT_VECTOR, dim=self.d)
        index = client.prepare_index_params()
        measure = "COSINE" if self.metric == "cosine" else "L2"
        index.add_index("vector", metric_type=measure, **self.index)
        how = {"num_shards": self.shards, "consistency_level": self.consistency}
        self._ask("create_collection", schema=schema, **how)
        # There is nothing to index yet; to wait for it would take half a second.
        self._ask("create_index", index, sync=False)
        self._ask("load_collection")

    def _append(self, X, ids, labels):
        _refuse(X, ids, labels)
        self._refuse_known(ids)
        try:
            # What is asked twice, because an answer was lost, must not be there twice.
            self._send("insert" if self.embedded else "upsert", X, ids, labels)
        except BaseException:
            # Where the server is gone, there is more to say of that than of this.
            with suppress(InputError):
                self._remove(ids)
            raise

    def _upsert(self, X, ids, labels):
        _refuse(X, ids, labels)
        self._send("upsert", X, ids, labels)

    def _send(self, call, X, ids, labels):
        # A later call gets later rows, whichever program makes it.
        first, size = time.time_ns(), _BATCH if self.embedded else _CLUSTER_BATCH
        columns = {"row": range(first, first + len(X)), "vector": X, "id": ids.tolist()}
        if labels is not None:
            columns["label"] = labels.tolist()
        with tqdm(total=len(X), unit="vector", disable=not self.progress) as bar:
            for start in range(0, len(X), size):
                some = zip(*(values[start : start + size] for values in columns.values()))
                rows = [dict(zip(columns, values)) for values in some]
                self._ask(call, rows)
                bar.update(len(rows))

    def _known(self, ids):
        there: set[Any] = set()
        for some in _batches(ids):
            found = self._ask("query", filter=f"id in {_literal(some)}", output_fields=["id"])
            there.update(entity["id"] for entity in found)
        return np.array([each in there for each in ids.tolist()], dtype=bool)

    def _remove(self, ids):
        for some in _batches(ids):
            self._ask("delete", filter=f"id in {_literal(some)}")

    def _next_id(self):
        first = self.n
        while not self._string_ids and first <= _LARGEST_ID:
            beyond = {"filter": f"id >= {first}", "output_fields": ["id"], "limit": _MOST}
            found = self._ask("query", **beyond)
            if not found:
                break
            first = 1 + max(entity["id"] for entity in found)
        return first

    def _count(self):
        found = self._ask("query", filter="", output_fields=["count(*)"])
        return int(found[0]["count(*)"])

    def _at_most(self, k):
        # To count takes as long as to search.
        return k if k is not None and k <= _MOST else super()._at_most(k)

    def _search(self, Q, k, radius, where):
        if k > _MOST:
            raise InputError(f"Milvus returns at most {_MOST} neighbors a query, not {k}; lower k")
        if where is not None and not where:
            return self._no_neighbors(len(Q))
        _refuse_large(Q)
        wanted = "" if where is None else f"label in {_literal(where)}"
        hits = []
        for start in range(0, len(Q), _QUERIES):
            hits += self._hits(Q[start : start + _QUERIES], k, k + _SPARE, wanted)
        return self._as_arrays(hits)

    def _hits(self, Q, k, limit, wanted):
        """Return (distance, row, id) of the k nearest of each query, ties in row order."""
        limit = min(limit, _MOST)
        options = {"output_fields": ["row"], "search_params": {"params": self._effort(limit)}}
        answers = self._ask("search", data=list(Q), limit=limit, filter=wanted, **options)
        hits = [sorted(map(self._hit, answer)) for answer in answers]
        more = [i for i, found in enumerate(hits) if _cut_in_a_tie(found, k, limit)]
        if more and limit < _MOST:
            for i, found in zip(more, self._hits(Q[more], k, 4 * limit, wanted)):
                hits[i] = found
        return [found[:k] for found in hits]

    def _effort(self, limit):
        # A graph's list of candidates must hold as many as are asked for.
        given = self.search_params
        return {**given, "ef": max(given["ef"], limit)} if "ef" in given else given

    def _hit(self, answer):
        distance = float(answer["distance"])
        if self.metric == "cosine":
            # Milvus gives the similarity, in float32 a little above 1 at times.
            distance = min(max(1 - distance, 0.0), 2.0)
        elif self.metric == "euclidean":
            distance = max(distance, 0.0) ** 0.5
        return distance, answer["entity"]["row"], answer["id"]

    def _as_arrays(self, hits):
        none = (np.inf, 0, "" if self._string_ids else -1)
        ranks = list(zip_longest(*hits, fillvalue=none))
        if not ranks:
            return self._no_neighbors(len(hits))
        distances, ids = ([[hit[part] for hit in rank] for rank in ranks] for part in (0, 2))
        return np.array(ids, dtype=self._id_dtype()).T, np.array(distances).T

    def _write(self, folder):
        if not self.embedded:
            return
        if Path(self.uri).is_dir():
            # Milvus Lite 3 keeps a folder, which is whole only when nobody has it open.
            self._ask("flush")
            self.close()
            shutil.copytree(self.uri, str(folder / _FILE))
            self.open()
        else:
            # SQLite's own copy: whole even while the server has the file open.
            with self._telling("cannot be saved"), closing(
                sqlite3.connect(self.uri)
            ) as source, closing(sqlite3.connect(str(folder / _FILE))) as target:
                source.backup(target)

    @classmethod
    def restore(cls, folder: Path, settings: dict[str, Any], **options: Any) -> MilvusEngine:
        """Open a saved index: a copy of an embedded one, the collection on a server.

        A server that only the file names gets no connection, and no token.
        """
        saved = dict(settings["options"])
        uri = str(saved.pop("uri"))
        if "://" in uri and "uri" not in options:
            problem = f"{folder}: its vectors are on the server {uri}"
            raise InputError(f"{problem}; where you trust that, give index.load(path, uri={uri!r})")
        restored: Any = super().restore(folder, {**settings, "options": saved}, **options)
        return restored

    def _read(self, folder, settings):
        if self.embedded:
            copy: Any = shutil.copytree if (folder / _FILE).is_dir() else shutil.copyfile
            copy(str(folder / _FILE), self.uri)
        self.open()


def _check_file(path):
    """Refuse a damaged database, which Milvus Lite takes for an empty one."""
    if Path(path).is_file():
        with closing(sqlite3.connect(str(path))) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"the file is damaged: {found}")


@contextmanager
def _plain_libraries():
    """Let Milvus Lite find its libraries in a folder whose name holds what separates folders."""
    spec = find_spec("milvus_lite")
    libraries = Path(str(spec.origin)).with_name("lib") if spec else Path()
    if not {":", ";"} & set(str(libraries)):
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lib").symlink_to(libraries)
        os.environ["BIN_PATH"] = str(Path(folder) / "lib")
        try:
            yield
        finally:
            del os.environ["BIN_PATH"]


def _batches(ids):
    return (ids[i : i + _CLUSTER_BATCH].tolist() for i in range(0, len(ids), _CLUSTER_BATCH))


def _refuse_large(X):
    if np.abs(X).max(initial=0) > _LARGEST:
        problem = f"numbers beyond {_LARGEST:g} overflow float32, in which Milvus measures"
        raise InputError(f"{problem}; scale the vectors, or use the engine 'exact'")


def _cut_in_a_tie(found, k, limit):
    return len(found) == limit > k and found[-1][0] == found[k - 1][0]


def _literal(values):
    # Milvus reads JSON's escapes, but not those of characters beyond ASCII.
    return json.dumps(values, ensure_ascii=False)


def _refuse(X, ids, labels):
    _refuse_large(X)
    if ids.dtype.kind == "i" and ids.max(initial=0) == _LARGEST_ID:
        raise InputError(f"Milvus does not find the id {_LARGEST_ID} again; use another")
    for what, values in (("id", ids), ("label", labels)):
        texts = values if values is not None and values.dtype.kind == "U" else ()
        for value in texts:
            # Milvus takes what UTF-8 can write.
            if value.encode("utf-8", "ignore").decode("utf-8") != value:
                raise InputError(f"{what} {value!r} is no Unicode text; use another")
            if len(value.encode("utf-8")) > _LONGEST:
                problem = f"is longer than {_LONGEST} bytes; shorten it"
                raise InputError(f"{what} {value[:20]!r}… {problem}")


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


def _their_errors(embedded):
    pymilvus, grpc = _pymilvus(embedded), importlib.import_module("grpc")
    return pymilvus.MilvusException, grpc.RpcError  # the latter while it connects, up to 2.5


def _reason(error):
    # pymilvus 3 says that it cannot connect, and gRPC why.
    by_grpc = next((each for each in (error.__cause__, error) if hasattr(each, "details")), None)
    said = by_grpc.details() if by_grpc else getattr(error, "message", error)
    return " ".join(str(said).split())[:200]


def _pymilvus(embedded):
    # gRPC and pymilvus write every failed attempt to standard error; we raise it instead.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    pymilvus = needed("pymilvus", "milvus", "pip install pymilvus milvus-lite")
    # Afterwards, because pymilvus sets these levels when it is imported.
    for logger in ("pymilvus", "pymilvus.milvus_client", "grpc._server"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    if embedded and find_spec("milvus_lite") is None:
        problem = "embedded Milvus needs milvus-lite (Linux and macOS), which is not installed here"
        raise InputError(f"{problem}; give uri= of a Milvus server")
    return pymilvus
