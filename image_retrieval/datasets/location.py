"""Finding the data that the notebooks run on.

The choice is made by name, by the environment variable `IMAGE_RETRIEVAL_DATA`, or by what
there is. Folders are found from this file's place, so that it does not matter whether a
notebook, a test or a shell asks.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from image_retrieval.errors import InputError
from image_retrieval.files import restore_folder
from image_retrieval.sframes import column_names

VARIABLE = "IMAGE_RETRIEVAL_DATA"
TRAIN, TEST = "image_train_data", "image_test_data"
_COLUMNS = ("id", "image", "label", "deep_features")
_CHOICES = f"give 'sample', 'cifar10', or a folder that holds {TRAIN}/ and {TEST}/"


@dataclass(frozen=True)
class DataLocation:
    """Where a pair of SFrames lies.

    Attributes
    ----------
    name : str
        `"sample"`, `"cifar10"`, or the name of a folder.
    folder : Path
    """

    name: str
    folder: Path

    @property
    def train(self):
        """The SFrame folder of the training images."""
        return self.folder / TRAIN

    @property
    def test(self):
        """The SFrame folder of the test images."""
        return self.folder / TEST

    @property
    def description(self):
        """One line that says which data this is and how much, with no path of the machine."""
        known = {"sample": "the bundled sample", "cifar10": "real CIFAR-10"}
        return describe(self.name, known, open_sframe(self.train), open_sframe(self.test))


def describe(name, known, train, test):
    """Return one line on two SFrames of images: what they are, by a name, and how many."""
    named = known.get(name, f"the folder {name}")
    return f"Data: {named}, {len(train):,} training and {len(test):,} test images"


def locate(name=None):
    """Return where the data lies.

    Parameters
    ----------
    name : str or Path, optional
        `"sample"`, `"cifar10"`, or a folder that holds `image_train_data/` and
        `image_test_data/`; a relative one is looked for in the working folder, then in the
        repository. When not given, the environment variable `IMAGE_RETRIEVAL_DATA`; when
        that is not set either, the real CIFAR-10 if `make cifar10` has built it, else
        the sample.

    Returns
    -------
    DataLocation

    Raises
    ------
    InputError
        When there is no such data.
    """
    asked = str(name or os.environ.get(VARIABLE) or "")
    if not asked:
        return _default()
    if asked == "sample":
        return _sample()
    if asked == "cifar10":
        return _cifar10()
    return _folder(asked, "data" if name else VARIABLE)


def load(name=None):
    """Return the training and the test images.

    Parameters
    ----------
    name : str or Path, optional
        As for `locate`.

    Returns
    -------
    image_train, image_test : turicreate.SFrame
        With the columns `id`, `image`, `label` and `deep_features`.

    Raises
    ------
    InputError
        When there is no such data, or it cannot be opened.
    """
    location = locate(name)
    return open_sframe(location.train), open_sframe(location.test)


def repository_root():
    """Return the folder of the clone that this package lies in.

    Raises
    ------
    InputError
        When the package was installed somewhere else.
    """
    root = Path(__file__).resolve().parent.parent.parent
    if not (root / "pyproject.toml").is_file():
        raise InputError(
            f"the package image_retrieval runs from {root}, which is no clone of the course; "
            f"run it from a clone, or set {VARIABLE} to a folder that holds {TRAIN}/ and {TEST}/"
        )
    return root


def data_folder():
    """Return the folder of the clone for data that is built or downloaded."""
    return repository_root() / "data"


def _default():
    folder = data_folder() / "cifar10"
    restore_folder(folder)
    return _cifar10() if folder.is_dir() else _sample()


def _sample():
    location = DataLocation("sample", repository_root())
    if not (location.train.is_dir() and location.test.is_dir()):
        raise InputError(
            f"the bundled sample is not in {location.folder}; restore it with: "
            f"git checkout -- {TRAIN} {TEST}"
        )
    return location


def _cifar10():
    location = DataLocation("cifar10", data_folder() / "cifar10")
    restore_folder(location.folder)
    if not (location.train.is_dir() and location.test.is_dir()):
        raise InputError(
            f"the real CIFAR-10 data is not in {location.folder}; build it with `make cifar10`, "
            f"or choose the bundled sample with {VARIABLE}=sample"
        )
    return location


def find_folder(asked, source, choices):
    """Return the folder that a person named, as an absolute path.

    Parameters
    ----------
    asked : str
        A relative one is looked for in the working folder, then in the repository.
    source : str
        Where the name comes from, for the error message.
    choices : str
        What is allowed, for the error message.

    Raises
    ------
    InputError
        When there is no such folder.
    """
    folder = Path(asked).expanduser()
    if not folder.is_absolute():
        here = Path.cwd() / folder
        restore_folder(here)
        folder = here if here.exists() else repository_root() / folder
    restore_folder(folder)
    if not folder.is_dir():
        raise InputError(f"{source}={asked!r} names no data; {choices}")
    return folder.resolve()


def _folder(asked, source):
    folder = find_folder(asked, source, _CHOICES)
    location = DataLocation(folder.name, folder)
    for needed in (location.train, location.test):
        if not needed.is_dir():
            raise InputError(f"{source}={asked!r} has no {needed.name}/ in it; {_CHOICES}")
    return location


def open_sframe(folder, columns=_COLUMNS):
    """Return the SFrame in a folder.

    Parameters
    ----------
    folder : Path
    columns : tuple of str
        The columns it must have.

    Raises
    ------
    InputError
        When it cannot be opened, or has no such column.
    """
    import turicreate as tc

    try:
        sframe = tc.SFrame(str(folder))
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{folder} cannot be opened as an SFrame ({reason}); build or restore it again"
        ) from None
    missing = [name for name in columns if name not in column_names(sframe)]
    if missing:
        raise InputError(
            f"{folder} has no column {' and no column '.join(map(repr, missing))}; "
            f"the course needs {', '.join(columns)}"
        )
    return sframe
