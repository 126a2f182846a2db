import gzip
import tarfile

import numpy as np
import pytest
from cifar10_archives import BATCHES, make_archive, make_batches

from image_retrieval.datasets.cifar10_archive import LABELS, RECORD, TRAIN_BATCHES, read_archive
from image_retrieval.errors import InputError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cifar-10-binary.tar.gz"


def test_every_image_comes_out_exactly_and_in_order(path):
    batches = make_batches()
    train, test = read_archive(make_archive(path, batches))
    assert train.ids.tolist() == list(range(250))
    assert test.ids.tolist() == list(range(50))
    whole = b"".join(batches[name] for name in TRAIN_BATCHES)
    for split, data in ((train, whole), (test, batches["test_batch.bin"])):
        records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
        assert split.labels.tolist() == [LABELS[number] for number in records[:, 0]]
        # Pixel by pixel, as the format is described: red plane, green plane, blue plane.
        for row, y, x, channel in ((0, 0, 0, 0), (7, 3, 5, 1), (49, 31, 31, 2), (20, 0, 31, 0)):
            pixel = records[row, 1 + channel * 1024 + y * 32 + x]
            assert split.images[row, y, x, channel] == pixel
        assert split.images.sum(dtype=np.int64) == records[:, 1:].sum(dtype=np.int64)


def test_positions_count_the_images_of_other_labels_too(path):
    make_archive(path)
    everything, _ = read_archive(path)
    train, test = read_archive(path, ["dog", "cat"])
    wanted = np.flatnonzero(np.isin(everything.labels, ["cat", "dog"]))
    assert train.ids.tolist() == wanted.tolist()
    assert (train.images == everything.images[wanted]).all()
    assert set(test.labels) == {"cat", "dog"}


@pytest.mark.parametrize(
    "form",
    [
        {"folder": "./elsewhere/deeper"},
        {"order": BATCHES[::-1]},
        {"mode": "w"},
    ],
)
def test_the_archives_order_folder_and_compression_do_not_matter(path, tmp_path, form):
    expected, _ = read_archive(make_archive(path))
    found, _ = read_archive(make_archive(tmp_path / "other", **form))
    assert (found.images == expected.images).all()
    assert (found.labels == expected.labels).all()


def test_reading_in_pieces_changes_nothing(path, monkeypatch):
    expected, _ = read_archive(make_archive(path), ["cat"])
    monkeypatch.setattr("image_retrieval.datasets.cifar10_archive._RECORDS_PER_READ", 7)
    found, _ = read_archive(path, ["cat"])
    assert found.ids.tolist() == expected.ids.tolist()
    assert (found.images == expected.images).all()


def broken(name, change):
    batches = make_batches()
    batches[name] = change(batches[name])
    return batches


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("data_batch_3.bin", lambda b: b[:-1], "has 3,072 bytes after record 49"),
        ("data_batch_1.bin", lambda b: b + b"12", "has 2 bytes after record 50"),
        ("test_batch.bin", lambda b: b[: 5 * RECORD] + b"\xc8" + b[5 * RECORD + 1 :], "label 200"),
        ("data_batch_5.bin", lambda b: b"\x0a" + b[1:], "label 10 in record 0"),
        ("data_batch_2.bin", lambda b: b"", "holds no record"),
    ],
)
def test_a_batch_that_does_not_fit_is_named(path, name, change, message):
    make_archive(path, broken(name, change))
    with pytest.raises(InputError, match=message) as caught:
        read_archive(path)
    for part in (str(path), name, "give the official cifar-10-binary.tar.gz"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_batches_are_named(path):
    batches = make_batches()
    del batches["data_batch_2.bin"], batches["test_batch.bin"]
    make_archive(path, batches)
    with pytest.raises(InputError, match="data_batch_2.bin, test_batch.bin is missing"):
        read_archive(path)


def test_a_batch_that_is_there_twice_is_refused(path):
    make_archive(path, order=(*BATCHES, "data_batch_4.bin"))
    with pytest.raises(InputError, match="data_batch_4.bin appears twice"):
        read_archive(path)


def test_an_archive_that_is_cut_short_is_refused(path):
    make_archive(path)
    data = path.read_bytes()
    for length in (3, 100, len(data) // 2, len(data) - 9):
        path.write_bytes(data[:length])
        with pytest.raises(InputError) as caught:
            read_archive(path)
        assert str(path) in str(caught.value)


def test_what_is_no_tar_is_refused(path):
    path.write_bytes(gzip.compress(b"no tar at all" * 100))
    with pytest.raises(InputError, match="not a tar archive"):
        read_archive(path)


def test_the_real_subset(shared_data):
    train, test = read_archive(shared_data / "cifar-10-binary-subset.tar.gz")
    assert train.images.shape == (6000, 32, 32, 3)
    assert test.images.shape == (2000, 32, 32, 3)
    assert {label: (train.labels == label).sum() for label in LABELS} == dict.fromkeys(LABELS, 600)
    with tarfile.open(shared_data / "cifar-10-binary-subset.tar.gz") as tar:
        files = [tar.extractfile(f"cifar-10-batches-bin/{name}") for name in TRAIN_BATCHES]
        records = np.frombuffer(b"".join(file.read() for file in files), np.uint8)
    planes = records.reshape(-1, RECORD)[:, 1:].reshape(-1, 3, 32, 32)
    assert (train.images.transpose(0, 3, 1, 2) == planes).all()
