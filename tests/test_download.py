import hashlib
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from image_retrieval import download as module
from image_retrieval.download import download
from image_retrieval.errors import DownloadError

CONTENT = bytes(range(256)) * 2000
LENGTH = len(CONTENT)
MD5 = hashlib.md5(CONTENT).hexdigest()
WAY_OUT = "run it with ARCHIVE=path"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.ranges.append(self.headers.get("Range"))
        getattr(self, self.path.strip("/").replace(".", "_"))()

    def log_message(self, *_):
        pass

    def send(self, status=200, length=LENGTH, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def good_tar_gz(self):
        self.send()
        self.wfile.write(CONTENT)

    def moved(self):
        self.send(302, 0, Location="/good.tar.gz")

    def circle(self):
        self.send(302, 0, Location="/circle")

    def cut(self):
        self.send()
        self.wfile.write(CONTENT[:100_000])
        self.close_connection = True

    def in_parts(self):
        wanted = self.headers.get("Range")
        start = int(wanted[len("bytes=") : -1]) if wanted else 0
        if start >= LENGTH:
            self.send(416, 0)
            return
        end = min(start + 200_000, LENGTH)
        self.send(206 if wanted else 200, LENGTH - start)
        self.wfile.write(CONTENT[start:end])
        self.close_connection = True

    def gone(self):
        self.send(404, 0)

    def broken(self):
        self.send(503, 0)

    def silent(self):
        self.server.end.wait(10)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.ranges, server.end = [], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.end.set()
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def fails(path, message):
    """The block raises one helpful line and leaves the folder of `path` as it was."""
    before = {entry.name: entry.read_bytes() for entry in path.parent.iterdir()}
    with pytest.raises(DownloadError, match=message) as caught:
        yield
    assert "\n" not in str(caught.value)
    assert WAY_OUT in str(caught.value)
    after = {entry.name: entry.read_bytes() for entry in path.parent.iterdir()}
    for name in (f".{path.name}.lock", f".{path.name}.part"):
        before.pop(name, None)
        after.pop(name, None)
    assert after == before


def test_a_good_file_is_fetched_once(server, tmp_path):
    path = tmp_path / "new" / "file"
    for _ in range(2):
        assert download(f"{server.url}/good.tar.gz", path, MD5, WAY_OUT) == path
        assert path.read_bytes() == CONTENT
    assert server.asked == ["/good.tar.gz"]


def test_a_redirect_is_followed(server, tmp_path):
    download(f"{server.url}/moved", tmp_path / "file", MD5, WAY_OUT)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_damaged_file_that_was_there_is_fetched_again(server, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT[:-1])
    download(f"{server.url}/good.tar.gz", path, MD5, WAY_OUT)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("there", [None, b"what was there"])
@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("gone", "404 Not Found"),
        ("broken", "503 Service Unavailable"),
        ("cut", "the connection broke off"),
        ("circle", "redirects"),
    ],
)
def test_a_failed_download_changes_nothing(server, tmp_path, page, message, there):
    path, url = tmp_path / "file", f"{server.url}/{page}"
    if there:
        path.write_bytes(there)
    with fails(path, message):
        download(url, path, MD5, WAY_OUT)


def test_a_download_that_broke_off_goes_on_where_it_was(server, tmp_path):
    path, url = tmp_path / "file", f"{server.url}/in_parts"
    for _ in range(2):
        with fails(path, "the connection broke off"):
            download(url, path, MD5, WAY_OUT)
    download(url, path, MD5, WAY_OUT)
    assert path.read_bytes() == CONTENT
    first, *later = server.ranges
    starts = [int(wanted[len("bytes=") : -1]) for wanted in later]
    assert first is None and 0 < starts[0] < starts[1] < LENGTH
    assert not (tmp_path / ".file.part").exists()


@pytest.mark.parametrize("page", ["in_parts", "good.tar.gz"])
def test_a_whole_part_is_taken_and_a_foreign_one_is_not(server, tmp_path, page):
    path, part, url = tmp_path / "file", tmp_path / ".file.part", f"{server.url}/{page}"
    part.write_bytes(CONTENT)
    download(url, path, MD5, WAY_OUT)
    assert path.read_bytes() == CONTENT
    path.unlink()
    part.write_bytes(b"x" * LENGTH)
    if page == "in_parts":
        with fails(path, "came as 512,000 bytes"):
            download(url, path, MD5, WAY_OUT)
        assert not part.exists()
    else:
        # This server sends the whole file whatever part is asked for.
        download(url, path, MD5, WAY_OUT)


def test_another_hash_is_refused_with_both(server, tmp_path):
    with fails(tmp_path / "file", f"MD5 {MD5} where {'0' * 32} is right"):
        download(f"{server.url}/good.tar.gz", tmp_path / "file", "0" * 32, WAY_OUT)


def test_a_server_that_does_not_answer(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", (0.2, 0.2))
    with fails(tmp_path / "file", "does not answer in time"):
        download(f"{server.url}/silent", tmp_path / "file", MD5, WAY_OUT)


def test_a_refused_connection_names_the_address(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/file"
    with fails(tmp_path / "file", f"cannot download {url}: there is no connection to 127.0.0.1"):
        download(url, tmp_path / "file", MD5, WAY_OUT)


def test_what_a_killed_download_left_is_cleared_away(server, tmp_path):
    left = tmp_path / ".file.abcd1234.tmp"
    left.mkdir()
    (left / ".writer").write_bytes(b"")
    (left / "file").write_bytes(CONTENT[:10])
    download(f"{server.url}/good.tar.gz", tmp_path / "file", MD5, WAY_OUT)
    assert not left.exists()


def test_a_hash_is_checked_without_a_network(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    assert download("http://nowhere.invalid/", tmp_path / "file", MD5, WAY_OUT).exists()
