import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from image_retrieval.features.efficientnet_lite import LITE0
from image_retrieval.features.graph_cache import cache_folder, cached_bytes


class Maker:
    """Makes the same bytes each time and counts how often."""

    def __init__(self, data=b"graph"):
        self.data, self.calls = data, 0

    def __call__(self):
        self.calls += 1
        return self.data


def test_made_once_then_read(tmp_path):
    make = Maker()
    assert cached_bytes("a.onnx", make, tmp_path) == b"graph"
    assert cached_bytes("a.onnx", make, tmp_path) == b"graph"
    assert make.calls == 1
    line = (tmp_path / "a.onnx.sha256").read_text()
    assert line == f"{hashlib.sha256(b'graph').hexdigest()}  a.onnx\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "a.onnx.sha256"]


@pytest.mark.parametrize("name", ["a.onnx", "a.onnx.sha256"])
@pytest.mark.parametrize("damage", [b"", b"grapX", b"\xff\xfe\x00", None])
def test_damaged_is_made_again(tmp_path, name, damage):
    make = Maker()
    cached_bytes("a.onnx", make, tmp_path)
    if damage is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(damage)
    assert cached_bytes("a.onnx", make, tmp_path) == b"graph"
    assert make.calls == 2
    assert (tmp_path / "a.onnx").read_bytes() == b"graph"
    cached_bytes("a.onnx", make, tmp_path)
    assert make.calls == 2


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    make = Maker()
    assert cached_bytes("a.onnx", make, tmp_path / "file" / "cache") == b"graph"
    assert make.calls == 1


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, reason):
    def refuse(self, data):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert cached_bytes("a.onnx", Maker(), tmp_path) == b"graph"
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_the_argument_or_the_variable_or_the_systems(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_RETRIEVAL_CACHE", str(tmp_path / "variable"))
    assert cache_folder(tmp_path / "argument") == tmp_path / "argument"
    assert cache_folder() == tmp_path / "variable"
    monkeypatch.delenv("IMAGE_RETRIEVAL_CACHE")
    assert cache_folder().name == "image-retrieval"


def test_the_network_is_made_again_from_a_damaged_graph(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    first = LITE0.load(cache=tmp_path)(pixels)
    (graph,) = tmp_path.glob("*.onnx")
    whole = graph.read_bytes()
    graph.write_bytes(whole[: len(whole) // 2])
    np.testing.assert_array_equal(LITE0.load(cache=tmp_path)(pixels), first)
    assert graph.read_bytes() == whole


def test_an_old_graph_is_not_used_for_other_weights(tmp_path):
    LITE0.load(cache=tmp_path)
    LITE0.load(pooling=None, cache=tmp_path)
    names = [path.name for path in tmp_path.glob("*.onnx")]
    assert len(names) == 2
    digest = hashlib.sha256(LITE0.weights_file().read_bytes()).hexdigest()
    assert all(digest[:16] in name for name in names)
