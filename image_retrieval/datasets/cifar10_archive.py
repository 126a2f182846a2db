"""Reading the official binary edition of CIFAR-10, straight from its archive.

Layout: https://www.cs.toronto.edu/~kriz/cifar.html. Each record is one label byte and 3,072
pixel bytes: the red, the green and the blue plane of 32x32, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Sequence

import numpy as np

from image_retrieval.datasets.archives import open_tar
from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

LABELS = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
TRAIN_BATCHES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_BATCHES = ("test_batch.bin",)
RECORD = 1 + 3 * 32 * 32
_RECORDS_PER_READ = 1000
_FIX = "give the official cifar-10-binary.tar.gz"


@dataclass(frozen=True)
class Part:
    """Images of the training or of the test part, in the official order.

    Attributes
    ----------
    ids : ndarray of int, shape (n,)
        Position among all images of the part, those of other labels included.
    labels : ndarray of str, shape (n,)
    images : ndarray of uint8, shape (n, 32, 32, 3)
    """

    ids: np.ndarray
    labels: np.ndarray
    images: np.ndarray


def read_archive(path: StrPath, labels: Sequence[str] = LABELS) -> tuple[Part, Part]:
    """Read the images of some labels, wherever their batches lie in the archive.

    Parameters
    ----------
    path : str or Path
        `cifar-10-binary.tar.gz`, or an archive of the same layout with fewer records.
    labels : sequence of str
        Those to keep; 3 KB of memory are used for each of their images.

    Returns
    -------
    train, test : Part

    Raises
    ------
    InputError
        When the archive is not whole or not of this layout; every record is checked.
    """
    wanted = [LABELS.index(label) for label in labels]
    batches = {}
    with open_tar(path) as members:
        for name, file in members:
            if name.name not in TRAIN_BATCHES + TEST_BATCHES:
                continue
            where = f"{path}: {name.name}"
            if name.name in batches:
                raise InputError(f"{where} appears twice; {_FIX}")
            batches[name.name] = _read_batch(file, where, wanted)
    missing = [name for name in TRAIN_BATCHES + TEST_BATCHES if name not in batches]
    if missing:
        raise InputError(f"{path}: {', '.join(missing)} is missing; {_FIX}")
    return _join(batches, TRAIN_BATCHES), _join(batches, TEST_BATCHES)


def _read_batch(file, where, wanted):
    """Return the number of records, the positions of those wanted, and these records."""
    positions, kept, records = [], [], 0
    for data in iter(lambda: file.read(_RECORDS_PER_READ * RECORD), b""):
        chunk = _checked_records(data, where, records)
        rows = np.flatnonzero(np.isin(chunk[:, 0], wanted))
        positions.append(records + rows)
        kept.append(chunk[rows])
        records += len(chunk)
    if not records:
        raise InputError(f"{where} holds no record; {_FIX}")
    return records, np.concatenate(positions), np.concatenate(kept)


def _checked_records(data, where, first):
    whole, rest = divmod(len(data), RECORD)
    if rest:
        problem = f"{where} has {rest:,} bytes after record {first + whole:,}"
        raise InputError(f"{problem}, where a record has {RECORD:,}; {_FIX}")
    chunk = np.frombuffer(data, np.uint8).reshape(whole, RECORD)
    wrong = np.flatnonzero(chunk[:, 0] >= len(LABELS))
    if len(wrong):
        problem = f"{where} has the label {chunk[wrong[0], 0]} in record {first + wrong[0]:,}"
        raise InputError(f"{problem}, where labels are 0 to {len(LABELS) - 1}; {_FIX}")
    return chunk


def _join(batches, names):
    starts = np.cumsum([0, *(batches[name][0] for name in names)])
    ids = [start + batches[name][1] for start, name in zip(starts, names)]
    records = np.concatenate([batches[name][2] for name in names])
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Part(np.concatenate(ids), np.array(LABELS)[records[:, 0]], images)
