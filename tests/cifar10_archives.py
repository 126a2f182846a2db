"""Small archives of CIFAR-10's layout, with random pixels and any fault one wants."""

import io
import tarfile

import numpy as np

from image_retrieval.datasets.cifar10_archive import LABELS, TEST_BATCHES, TRAIN_BATCHES
from image_retrieval.images import as_rgb

BATCHES = TRAIN_BATCHES + TEST_BATCHES


def make_batches(records=50, seed=0):
    """Return the bytes of each batch; labels take turns in a shuffled order."""
    random = np.random.default_rng(seed)
    batches = {}
    for name in BATCHES:
        data = random.integers(0, 256, (records, 3073), dtype=np.uint8)
        data[:, 0] = random.permutation(np.arange(records) % len(LABELS))
        batches[name] = data.tobytes()
    return batches


def make_archive(path, batches=None, folder="cifar-10-batches-bin", mode="w:gz", order=BATCHES):
    """Write an archive of these batches, in this order, and return its path."""
    batches = make_batches() if batches is None else batches
    with tarfile.open(path, mode) as tar:
        for name in [name for name in order if name in batches]:
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(batches[name])
            tar.addfile(info, io.BytesIO(batches[name]))
    return path


def stub_features(images, *_, **__):
    """Stand in for the network where a test is about something else: the mean colors."""
    means = [as_rgb(image).mean(axis=(0, 1)) for image in images]
    return np.array(means, dtype=np.float32).reshape(-1, 3)
