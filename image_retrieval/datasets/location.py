"""Finding the data that the notebooks run on.

The choice is made by name, by the data set's environment variable, or by what there is.
Folders are found from this file's place, so that it does not matter whether a notebook, a
test or a shell asks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from image_retrieval.datasets.cards import FOLDERS, TEST, TRAIN, Card
from image_retrieval.datasets.registry import CARDS, get_card
from image_retrieval.errors import InputError
from image_retrieval.features import read_extractions
from image_retrieval.files import restore_folder
from image_retrieval.tables import column_names

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyExtraction, StrPath, Table

# Older builds have no `image_array`.
_NEEDED = ("id", "image", "label", "deep_features")


@dataclass(frozen=True)
class DataLocation:
    """Where a pair of SFrames lies.

    Attributes
    ----------
    name : str
        `"sample"`, the name of a data set, or of a folder.
    folder : Path
    card : Card
        Of the data set; for a folder, of the one it stands in for.
    """

    name: str
    folder: Path
    card: Card = field(repr=False)

    @property
    def train(self) -> Path:
        """The SFrame folder of the training images."""
        return self.folder / TRAIN

    @property
    def test(self) -> Path:
        """The SFrame folder of the test images."""
        return self.folder / TEST

    @property
    def is_there(self) -> bool:
        """Whether both SFrames' folders are there."""
        return self.train.is_dir() and self.test.is_dir()

    @property
    def extractions(self) -> dict[str, AnyExtraction]:
        """How the columns of features were made, by column; empty for an older build."""
        return read_extractions(self.train)

    @property
    def extraction(self) -> AnyExtraction | None:
        """How `deep_features` was made; None for an older build."""
        return self.extractions.get("deep_features")

    @property
    def description(self) -> str:
        """One line that says which data this is and how much, with no path of the machine."""
        title = self.card.title if self.name == self.card.name else f"the folder {self.name}"
        train, test = (len(open_sframe(folder)) for folder in (self.train, self.test))
        return f"Data: {title}, {train:,} training and {test:,} test images"


def locate(name: StrPath | None = None, dataset: str = "cifar10") -> DataLocation:
    """Return where the data lies.

    Parameters
    ----------
    name : str or Path, optional
        `"sample"`, the name of a data set that was built, or a folder that holds
        `image_train_data/` and `image_test_data/`; a relative one is looked for in the
        working folder, then in the repository. When not given, the environment variable
        (`IMAGE_RETRIEVAL_DATA`; for Caltech-101 `IMAGE_RETRIEVAL_CALTECH101`); when that is
        not set either, the data set if it has been built, else its sample.
    dataset : str
        `"cifar10"`, which the course runs on, or `"caltech101"`, for its second system.

    Returns
    -------
    DataLocation

    Raises
    ------
    InputError
        When there is no such data.
    """
    card = get_card(dataset)
    # Only what has a sample is a system of its own, with notebooks that look at a variable.
    asked = str(name or (card.sample and os.environ.get(card.variable)) or "")
    known = {"sample": card.sample, **CARDS} if card.sample else CARDS
    if asked in known:
        return _checked(known[asked])
    if asked:
        return _folder(asked, "data" if name else card.variable, card, known)
    built = _place(card)
    return built if built.is_there or not card.sample else _checked(card.sample)


def load(name: StrPath | None = None, dataset: str = "cifar10") -> tuple[Table, Table]:
    """Return the training and the test images.

    Parameters
    ----------
    name, dataset
        As for `locate`.

    Returns
    -------
    image_train, image_test : turicreate.SFrame
        With the columns `id`, `image`, `label`, `deep_features` and `image_array`. Each knows
        how its features were made, see `image_retrieval.tables.extractions_of`.

    Raises
    ------
    InputError
        When there is no such data, or it cannot be opened.
    """
    location = locate(name, dataset)
    return open_sframe(location.train), open_sframe(location.test)


def repository_root() -> Path:
    """Return the folder of the clone that this package lies in.

    Raises
    ------
    InputError
        When the package was installed somewhere else.
    """
    root = Path(__file__).resolve().parent.parent.parent
    # In a browser the sample is unpacked beside the package, as it lies in a clone.
    if not ((root / "pyproject.toml").is_file() or (root / TRAIN).is_dir()):
        problem = (
            f"the package image_retrieval runs from {root}, which is not a clone of the course"
        )
        raise InputError(f"{problem}; run it from a clone, or give a folder that holds data")
    return root


def data_folder() -> Path:
    """Return the folder of the clone for data that is built or downloaded."""
    return repository_root() / "data"


def place_of(card: Card) -> Path:
    """Return the folder of the clone for a data set."""
    return data_folder() / card.name if card.place is None else repository_root() / card.place


def _place(card):
    location = DataLocation(card.name, place_of(card), card)
    restore_folder(location.folder)
    return location


def _checked(card):
    location = _place(card)
    if not location.is_there:
        way_out = f"get it with `{card.command}`"
        if card.sample:
            way_out += f", or choose the bundled sample with {card.variable}=sample"
        raise InputError(f"{card.title} is not in {location.folder}; {way_out}")
    return location


def _folder(asked, source, card, known):
    folder = Path(asked).expanduser()
    if not folder.is_absolute():
        here = Path.cwd() / folder
        restore_folder(here)
        folder = here if here.exists() else repository_root() / folder
    restore_folder(folder)
    location = DataLocation(folder.resolve().name, folder.resolve(), card)
    if not location.is_there:
        missing = FOLDERS[location.train.is_dir()]
        problem = f"has no {missing}/ in it" if folder.is_dir() else "does not name a data set"
        allowed = f"{', '.join(map(repr, known))}, or a folder that holds {'/ and '.join(FOLDERS)}/"
        raise InputError(f"{source}={asked!r} {problem}; give {allowed}")
    return location


def open_sframe(folder: Path) -> Table:
    """Return the SFrame in a folder, which knows how its features were made.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    InputError
        When it cannot be opened, or lacks a column that the course needs.
    """
    import turicreate as tc

    from image_retrieval.sframes import with_extractions

    try:
        sframe = tc.SFrame(str(folder))
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"cannot be opened as an SFrame ({' '.join(str(error).split())})"
        raise InputError(f"{folder} {problem}; build or restore it again") from None
    missing = [name for name in _NEEDED if name not in column_names(sframe)]
    if missing:
        problem = f"{folder} has no column {' and no column '.join(map(repr, missing))}"
        raise InputError(f"{problem}; the course needs {', '.join(_NEEDED)}")
    return with_extractions(sframe, read_extractions(folder))
