"""CIFAR-10: four labels of its photographs, 32x32, from the official archive.

Citation: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
The data carries no license, so it is built on the user's machine and never shipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator

import numpy as np

from image_retrieval.datasets.cards import TEST, TRAIN, Card, Option, Picture, Split
from image_retrieval.datasets.cifar10_archive import read_archive
from image_retrieval.datasets.course_rows import choose_course_rows
from image_retrieval.datasets.rows import choose_rows

if TYPE_CHECKING:
    from image_retrieval.datasets.cards import Listing
    from image_retrieval.signatures import StrPath

LABELS = ("automobile", "bird", "cat", "dog")
# The course text queries with these rows of the training data.
FIXED_ROWS = {8: "automobile", 18: "cat"}
_ROWS = {"train": Option(2005, "training images"), "test": Option(4000, "test images")}


def read(archive: StrPath, options: Any) -> Iterator[Picture]:
    """Yield the pictures of some labels, see `read_archive`."""
    for part, found in zip(("train", "test"), read_archive(archive, options.labels)):
        for number, label, pixels in zip(found.ids, found.labels, found.images):
            yield Picture(str(label), pixels, id=int(number), part=part)


def split(listing: Listing, options: Any) -> Split:
    """Choose the original course's rows, or as many of each label as can be."""
    train, test = (np.flatnonzero(listing.parts == part) for part in ("train", "test"))
    rows, note = _train_rows(listing.ids[train], listing.labels[train], options)
    test_rows = choose_rows(listing.labels[test], options.test, options.seed, "test")
    return Split(train[rows], test[test_rows], note)


def _train_rows(ids, labels, options):
    rows, asked = None, {name: getattr(options, name) for name in _ROWS}
    why = "the original course had 2,005 and 4,000 images"
    if asked == {name: option.default for name, option in _ROWS.items()}:
        rows = choose_course_rows(ids, labels, options.seed)
        why = "in this archive the labels differ at the ids that are known of the original course"
    if rows is None:
        rows = choose_rows(labels, options.train, options.seed, "train", FIXED_ROWS)
        return rows, f"The rows were chosen by seed {options.seed}: {why}."
    known = "The training rows are the original course's as far as they are known: rows 0 to 33"
    rest = f"seed {options.seed} chose the rest. The test rows are its 4,000."
    return rows, f"{known}, 26 others and the counts; {rest}"


_RESTORE = f"git checkout -- {TRAIN} {TEST}"
SAMPLE = Card("sample", "the bundled sample", ".", _RESTORE, labels=LABELS)
CARD = Card(
    name="cifar10",
    title="real CIFAR-10",
    restore="make cifar10",
    about="Build the course's data from the real CIFAR-10.\n"
    "The official archive is downloaded once (170 MB), or taken from --archive.",
    read=read,
    split=split,
    options=_ROWS,
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    effort="a download of 170 MB and about a minute of work",
    sample=SAMPLE,
    labels=LABELS,
)
