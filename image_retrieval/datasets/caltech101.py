"""Finding the photographs of the second system: nine classes of Caltech-101.

Citation: L. Fei-Fei, R. Fergus, P. Perona, "Learning Generative Visual Models from Few
Training Examples: An Incremental Bayesian Approach Tested on 101 Object Categories",
CVPR Workshop on Generative-Model Based Vision, 2004.

The choice is made by name, by the environment variable `IMAGE_RETRIEVAL_CALTECH101`, or by
what there is.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from image_retrieval.datasets.build import take_rows
from image_retrieval.datasets.location import (
    data_folder,
    describe,
    find_folder,
    open_sframe,
    repository_root,
)
from image_retrieval.datasets.pictures import split_rows
from image_retrieval.errors import InputError
from image_retrieval.files import restore_folder

LABELS = (
    "Faces",
    "Faces_easy",
    "Leopards",
    "Motorbikes",
    "airplanes",
    "brain",
    "butterfly",
    "car_side",
    "grand_piano",
)
VARIABLE = "IMAGE_RETRIEVAL_CALTECH101"
TRAIN, TEST = "train", "test"
SAMPLE = "caltech101_data"
COLUMNS = ("id", "image", "label")
_CHOICES = (
    f"give 'sample', 'caltech101', or a folder that is an SFrame or holds {TRAIN}/ and {TEST}/"
)


@dataclass(frozen=True)
class Caltech101Location:
    """Where the photographs lie.

    Attributes
    ----------
    name : str
        `"sample"`, `"caltech101"`, or the name of a folder.
    folder : Path
        One SFrame, which `load` splits, or a folder with two, `train` and `test`.
    """

    name: str
    folder: Path

    @property
    def is_split(self):
        """Whether the folder holds two SFrames."""
        return (self.folder / TRAIN).is_dir() and (self.folder / TEST).is_dir()

    @property
    def description(self):
        """One line that says which data this is and how much, with no path of the machine."""
        known = {"sample": "the bundled nine-class sample", "caltech101": "real Caltech-101"}
        return describe(self.name, known, *_load(self))


def locate(name=None):
    """Return where the photographs lie.

    Parameters
    ----------
    name : str or Path, optional
        `"sample"`, `"caltech101"`, or a folder that is an SFrame or holds `train/` and
        `test/`; a relative one is looked for in the working folder, then in the repository.
        When not given, the environment variable `IMAGE_RETRIEVAL_CALTECH101`; when that is
        not set either, the real data if `make caltech101` has built it, else the sample.

    Returns
    -------
    Caltech101Location

    Raises
    ------
    InputError
        When there is no such data.
    """
    asked = str(name or os.environ.get(VARIABLE) or "")
    if not asked:
        built = _built()
        return built if built.is_split else _sample()
    if asked == "sample":
        return _sample()
    if asked == "caltech101":
        return _checked_built()
    folder = find_folder(asked, "data" if name else VARIABLE, _CHOICES)
    return Caltech101Location(folder.name, folder)


def load(name=None):
    """Return the training and the test images.

    Parameters
    ----------
    name : str or Path, optional
        As for `locate`.

    Returns
    -------
    train, test : turicreate.SFrame
        With the columns `id`, `image` and `label`, and one column of features for each
        backbone, by its name. Data that is one SFrame is split as
        `image_retrieval.datasets.pictures.split_rows` does by default.

    Raises
    ------
    InputError
        When there is no such data, or it cannot be opened.
    """
    return _load(locate(name))


def _load(location):
    folder = location.folder
    if location.is_split:
        return open_sframe(folder / TRAIN, COLUMNS), open_sframe(folder / TEST, COLUMNS)
    sframe = open_sframe(folder, COLUMNS)
    return tuple(take_rows(sframe, rows) for rows in split_rows(list(sframe["label"])))


def _sample():
    location = Caltech101Location("sample", repository_root() / SAMPLE)
    if not location.folder.is_dir():
        raise InputError(
            f"the bundled sample is not in {location.folder}; restore it with: "
            f"git checkout -- {SAMPLE}"
        )
    return location


def _built():
    folder = data_folder() / "caltech101"
    restore_folder(folder)
    return Caltech101Location("caltech101", folder)


def _checked_built():
    location = _built()
    if not location.is_split:
        raise InputError(
            f"the real Caltech-101 data is not in {location.folder}; build it with "
            f"`make caltech101`, or choose the bundled sample with {VARIABLE}=sample"
        )
    return location
