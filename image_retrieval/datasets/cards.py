"""What there is to know of a data set, on one card.

A further data set is a module with a reader and a `Card`, and a line in
`image_retrieval.datasets.registry`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping

import numpy as np

from image_retrieval.features import Extraction, JoinedExtraction

# The folders of the SFrames, and their columns.
FOLDERS = TRAIN, TEST = "image_train_data", "image_test_data"
COLUMNS = ("id", "image", "label", "deep_features", "image_array")


@dataclass(frozen=True)
class Picture:
    """A picture as a reader hands it out.

    Attributes
    ----------
    label : str
    data : bytes, Path or picture
        The bytes of a picture file are kept as they are; anything else that
        `image_retrieval.images.as_rgb` takes becomes pixels.
    name : str
        What it is called in the list of the pictures that cannot be read.
    id : int, optional
        Where there is none, the position of the name among all names in alphabetical order.
    part : {"train", "test"}, optional
        Where the data set has an official split.
    origin : str
        The photograph or drawing that it was made from, where others were made from it, too.
    """

    label: str
    data: bytes | Path | Any = field(repr=False)
    name: str = ""
    id: int | None = None
    part: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Listing:
    """All pictures that could be read, in the order of their parts and ids, for a split.

    Attributes
    ----------
    ids : ndarray of int, shape (n,)
    labels, parts, origins : ndarray of str, shape (n,)
        Origins are all empty where none is known.
    """

    ids: np.ndarray
    labels: np.ndarray
    parts: np.ndarray
    origins: np.ndarray


@dataclass(frozen=True)
class Split:
    """Which pictures of a listing to train and to test with.

    Attributes
    ----------
    train, test : sequence of int
        Positions in the listing, in the order wanted.
    note : str, optional
        A line on the choice, for the report.
    """

    train: Any
    test: Any
    note: str | None = None


@dataclass(frozen=True)
class Option:
    """An option of a builder: its value when not given, and one line of help."""

    default: Any
    help: str


@dataclass(frozen=True)
class Card:
    """A data set: what it is called, where it lies and how it is made.

    Attributes
    ----------
    name : str
        For `locate`, `load`, `build` and the command line.
    title : str
        What it is, in a few words.
    place : str, optional
        Its folder in the clone; `data/` and the name when not given.
    restore : str
        The command that brings it (back) into its folder.
    about : str
        The help of its command: a line, and more of them.
    read : callable
        `read(source, options)` yields a `Picture` for each picture of an archive or folder;
        `options` has the attributes `labels`, `seed`, and those of `options` below.
    split : callable
        `split(listing, options)` returns a `Split`.
    options : dict of str to Option
        What the reader and the split want to be told besides the seed.
    seed : int
        Of the split, when not given.
    source : {"archive", "folder"}
        What it is made of.
    url, md5 : str, optional
        Where the official archive is published, and its hash in hexadecimal.
    other_md5 : tuple of str
        Hashes of other official editions.
    effort : str
        How much is downloaded, and about how long it takes.
    variable : str
        The environment variable that chooses the data.
    sample : Card, optional
        What the clone holds in its place until it is built.
    labels : tuple of str
        Empty where they are whatever the source has.
    extraction : Extraction, JoinedExtraction or str, optional
        How its deep features are made, unless something else is wanted; in the default way
        when not given.
    former_folders : tuple of str
        Of builds of earlier versions, which may be replaced.
    """

    name: str
    title: str
    place: str | None = None
    restore: str = ""
    about: str = ""
    read: Callable | None = None
    split: Any = None
    options: Mapping[str, Option] = field(default_factory=dict)
    seed: int = 0
    source: str = "archive"
    url: str | None = None
    md5: str | None = None
    other_md5: tuple[str, ...] = ()
    effort: str = ""
    variable: str = "IMAGE_RETRIEVAL_DATA"
    sample: Card | None = None
    labels: tuple[str, ...] = ()
    extraction: Extraction | JoinedExtraction | str | None = None
    former_folders: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that builds it."""
        return self.restore or f"python -m image_retrieval {self.name}"
