"""A Ray cluster of two machines of one core each, both of them this one, on loopback."""

import os
import shutil
import tempfile
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from image_retrieval import datasets
from image_retrieval.images import as_rgb

# A busy machine does not always start Ray's processes within the time Ray gives them.
ATTEMPTS = 3
NODE = {"num_cpus": 1, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
SURROUNDINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray takes 127.0.0.1 for the machine's outer address unless it believes it is alone.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}


@pytest.fixture(scope="session")
def address():
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: see requirements-cluster.in")
    # Short, because the paths of sockets below it may have no more than 107 bytes.
    folder = tempfile.mkdtemp(prefix="ray-")
    before = dict(os.environ)
    os.environ.update(SURROUNDINGS, RAY_TMPDIR=folder)
    cluster = started(ATTEMPTS)
    try:
        yield cluster.address
    finally:
        cluster.shutdown()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def started(attempts):
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(object_store_memory=100 << 20, **NODE)
        return cluster
    except Exception:
        cluster.shutdown()
        if attempts == 1:
            raise
        return started(attempts - 1)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """2,000 pictures of the sample by label, a copy of one, and two files that are none."""
    folder = tmp_path_factory.mktemp("cluster") / "pictures"
    train = datasets.load("sample")[0]
    for number, (image, label) in enumerate(zip(train["image"][:1999], train["label"][:1999])):
        path = folder / label / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(as_rgb(image)).save(str(path))
    shutil.copy(str(folder / train["label"][0] / "0.png"), str(folder / "copy.png"))
    (folder / "cat" / "torn.png").write_bytes(path.read_bytes()[:200])
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def few(tmp_path):
    """A dozen pictures of noise, each with a label."""
    for number in range(12):
        path = tmp_path / "few" / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.RandomState(number).randint(0, 256, (16, 16, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(str(path))
    return tmp_path / "few"
