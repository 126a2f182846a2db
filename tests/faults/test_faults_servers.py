"""Milvus servers that go away, that only a file names, and databases that are damaged."""

import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import zlib
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from fault_tools import python

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index.milvus import MilvusEngine

pytest.importorskip("milvus_lite")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Milvus Lite does not run on Windows")

X = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
SERVER = """
import sys, time
try:
    from milvus_lite.server import Server
    # As the engine does it, for a clone in a folder of any name.
    from image_retrieval.index.milvus import _plain_libraries
    with _plain_libraries():
        server = Server(sys.argv[1], f"127.0.0.1:{sys.argv[2]}")
        assert server.init() and server.start()
        time.sleep(2)
    print(server._p.pid, flush=True)
    time.sleep(600)
except ImportError:
    import os
    from milvus_lite.adapter.grpc.server import run_server
    print(os.getpid(), flush=True)
    run_server(sys.argv[1], "127.0.0.1", int(sys.argv[2]))
"""


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def server(folder):
    """Yield the address of a server, and what kills it."""
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(folder / "m.db"), str(port)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    pid = int(program.stdout.readline())
    for _ in range(300):
        with socket.socket() as trial:
            if not trial.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{port}", lambda: os.kill(pid, signal.SIGKILL)
    finally:
        for number in (pid, program.pid):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        program.communicate()


def test_a_server_that_goes_away_is_one_line_soon(tmp_path):
    with server(tmp_path) as (uri, kill):
        engine = MilvusEngine(uri=uri, progress=False, index={"index_type": "FLAT"}).build(X)
        assert engine.search(X, k=1)[0][:, 0].tolist() == list(range(50))
        kill()
        for use in (lambda: engine.search(X, k=2), lambda: engine.add(X, ids=range(50, 100))):
            # No timing is asserted: pymilvus is given few attempts, and would else take minutes.
            with pytest.raises(InputError, match="did not answer") as caught:
                use()
            assert str(caught.value).startswith(uri)
        engine.close()


class Listener(socketserver.ThreadingTCPServer):
    """Keeps what is sent to it."""

    def __init__(self):
        self.heard = []
        super().__init__(("127.0.0.1", 0), self.hear)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def hear(self, request, address, server):
        self.heard.append(address)


def saved_by_a_stranger(folder, uri):
    MilvusEngine(uri=folder / "m.db", progress=False).build(X).save(folder / "index")
    path = folder / "index" / "index.json"
    content = json.loads(path.read_text())
    del content["checksum"]
    content["settings"]["options"]["uri"] = uri
    content["checksum"] = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    path.write_text(json.dumps(content))
    return folder / "index"


def test_a_server_that_only_the_file_names_is_not_called(tmp_path, monkeypatch):
    monkeypatch.setenv("MILVUS_TOKEN", "root:SECRET")
    with Listener() as listener:
        uri = f"http://127.0.0.1:{listener.server_address[1]}"
        path = saved_by_a_stranger(tmp_path, uri)
        with pytest.raises(InputError, match="index.load.path, uri="):
            index.load(path)
        assert not listener.heard
        listener.shutdown()


def test_a_server_that_the_user_names_is_called(tmp_path):
    with server(tmp_path) as (uri, _):
        options = {"uri": uri, "progress": False, "index": {"index_type": "FLAT"}}
        MilvusEngine(**options).build(X).save(tmp_path / "index")
        assert index.load(tmp_path / "index", uri=uri).search(X, k=1)[0][7, 0] == 7


def test_a_damaged_database_is_not_an_empty_one(tmp_path):
    path = tmp_path / "m.db"
    engine = MilvusEngine(uri=path, progress=False).build(np.tile(X, (8, 8)), ids=range(400))
    engine.close()
    if path.is_dir():
        pytest.skip("this version of Milvus Lite keeps a folder, and reads it again itself")
    data = bytearray(path.read_bytes())
    middle = slice(len(data) // 2 - 20_000, len(data) // 2 + 20_000)
    data[middle] = bytes(255 - byte for byte in data[middle])
    path.write_bytes(data)
    with pytest.raises(InputError, match="m.db: Milvus cannot open it"):
        MilvusEngine(uri=path).open()


def test_a_place_where_no_database_can_be_is_named():
    code = (
        "from image_retrieval.index.milvus import MilvusEngine\n"
        "MilvusEngine(uri='/proc/x.db').build([[1.0]])"
    )
    line = python(code).stderr.splitlines()[-1]
    assert line.startswith("image_retrieval.errors.InputError: /proc/x.db: Milvus cannot open it")


def test_numbers_that_overflow_its_distances_are_refused(tmp_path):
    engine = MilvusEngine(uri=tmp_path / "m.db", progress=False).build(X)
    for use in (engine.search, engine.add, MilvusEngine(uri=tmp_path / "n.db").build):
        with pytest.raises(InputError, match="scale the vectors"):
            use(np.full((1, 8), 3e38, np.float32))


def test_ids_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="no Unicode text"):
        MilvusEngine(uri=tmp_path / "m.db", progress=False).build(X[:1], ids=["a\udcff"])
