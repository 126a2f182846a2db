"""Building the course's SFrames from the official CIFAR-10 archive.

Citation: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
The data carries no license, so it is built on the user's machine and never shipped.
"""

from collections import Counter
from time import perf_counter

import numpy as np

from image_retrieval.datasets.build import Built, output_folder, write
from image_retrieval.datasets.cifar10_archive import read_archive
from image_retrieval.datasets.download import download
from image_retrieval.datasets.location import data_folder
from image_retrieval.errors import InputError
from image_retrieval.sframes import image_sframe

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
LABELS = ("automobile", "bird", "cat", "dog")
TRAIN_ROWS, TEST_ROWS = 2005, 4000
SEED = 0
FEATURE_SIZE = 128
# The course text queries with these rows of the training data.
FIXED_ROWS = {8: "automobile", 18: "cat"}


def fetch(progress=True):
    """Return the path of the official archive, downloaded if need be.

    Raises
    ------
    DownloadError
        When it cannot be downloaded; what was there stays.
    """
    path = data_folder() / "downloads" / URL.rsplit("/", 1)[-1]
    way_out = "download it elsewhere and run `make cifar10 ARCHIVE=path`"
    return download(URL, path, MD5, way_out, progress)


def build(archive=None, output=None, train=TRAIN_ROWS, test=TEST_ROWS, seed=SEED, progress=True):
    """Build `image_train_data/` and `image_test_data/` with deep features.

    Parameters
    ----------
    archive : str or Path, optional
        The official binary archive, or one of its layout; downloaded when not given.
    output : str or Path, optional
        Folder to make; `data/cifar10/` in the clone when not given.
    train, test : int
        Numbers of rows, spread over the four labels as evenly as can be.
    seed : int
        Of the choice of images.
    progress : bool
        Show progress bars on standard error.

    Returns
    -------
    Built

    Raises
    ------
    InputError
        When the archive cannot be used, or holds fewer images than wanted.
    DownloadError
        When it is to be downloaded and cannot be.
    """
    start = perf_counter()
    with output_folder(output or data_folder() / "cifar10") as folder:
        splits = read_archive(archive or fetch(progress), LABELS)
        rows = choose_rows(splits[0].labels, train, seed, "train", FIXED_ROWS)
        image_train = splits[0].take(rows)
        image_test = splits[1].take(choose_rows(splits[1].labels, test, seed, "test"))
        features, feature_seconds = _features(image_train, image_test, progress)
        write(
            folder,
            train=_sframe(image_train, features[: len(rows)]),
            test=_sframe(image_test, features[len(rows) :]),
        )
    counts = Counter(image_train.labels.tolist()), Counter(image_test.labels.tolist())
    return Built(folder, *counts, perf_counter() - start, feature_seconds)


def choose_rows(labels, count, seed, name="count", fixed=None):
    """Choose rows at random, the same number of each label as far as possible.

    The rows come in ascending order, which is CIFAR-10's own and mixes the labels. For each
    place in `fixed`, the row there changes places with the next one of the label wanted.

    Parameters
    ----------
    labels : sequence of str
    count : int
        Number of rows to choose.
    seed : int
    name : str
        How an error message calls `count`.
    fixed : dict of int to str, optional
        Labels that places in the result must have.

    Returns
    -------
    list of int

    Raises
    ------
    InputError
        When there are not so many rows, or too few for the fixed places.

    Examples
    --------
    >>> choose_rows(["cat", "dog", "cat", "cat"], 2, seed=0)
    [1, 3]
    """
    labels = np.asarray(labels)
    least = max(fixed) + 1 if fixed else 1
    if not least <= count <= len(labels):
        raise InputError(
            f"{name}={count} cannot be had: there are {len(labels):,} {name} images of "
            f"{', '.join(sorted(set(labels)))}; choose {least} to {len(labels):,}"
        )
    rows = sorted(_even_choice(labels, count, seed))
    for place, label in (fixed or {}).items():
        _put_label(rows, labels, place, label, set(fixed) - {place})
    return rows


def _even_choice(labels, count, seed):
    # RandomState's streams are frozen, those of default_rng may change with NumPy's version.
    random = np.random.RandomState(seed)
    shuffled = [random.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    ranked = [(rank, row) for rows in shuffled for rank, row in enumerate(rows.tolist())]
    # A stable sort by rank deals the labels out in turn; a label that runs out is passed over.
    return [row for _, row in sorted(ranked, key=lambda pair: pair[0])[:count]]


def _put_label(rows, labels, place, label, taken):
    later = [*range(place, len(rows)), *range(place)]
    found = next((i for i in later if labels[rows[i]] == label and i not in taken), None)
    if found is None:
        raise InputError(f"there is no image of {label!r} for row {place}; choose more rows")
    rows[place], rows[found] = rows[found], rows[place]


def _features(image_train, image_test, progress):
    from image_retrieval.features import extract

    start = perf_counter()
    images = np.concatenate([image_train.images, image_test.images])
    X = extract(images, "efficientnet_lite0", size=FEATURE_SIZE, progress=progress)
    return X, perf_counter() - start


def _sframe(split, features):
    return image_sframe(split.ids, split.images, split.labels, deep_features=features)
