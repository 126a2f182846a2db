"""What every builder of a pair of SFrames does: take the folder, write it whole, report."""

from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import NamedTuple

from image_retrieval.datasets.location import TEST, TRAIN, VARIABLE, data_folder, repository_root
from image_retrieval.errors import InputError
from image_retrieval.files import exclusive
from image_retrieval.sframes import write_sframes


class Built(NamedTuple):
    """What a builder made.

    Attributes
    ----------
    folder : Path
    train, test : collections.Counter
        Rows by label.
    seconds, feature_seconds : float
        For everything, and for the deep features alone.
    """

    folder: Path
    train: Counter
    test: Counter
    seconds: float
    feature_seconds: float

    def report(self):
        """Return what was made as lines to print.

        Examples
        --------
        >>> made = Built(Path("data/mine"), Counter(cat=2), Counter(cat=1, dog=1), 3.0, 2.0)
        >>> print(made.report())
        data/mine: 2 training and 2 test images in 3.0 s (2.0 images a second for the features)
          label    train    test
          cat          2       1
          dog          0       1
        """
        train, test = sum(self.train.values()), sum(self.test.values())
        rate = (train + test) / self.feature_seconds
        labels = sorted({*self.train, *self.test})
        width = max(map(len, ["label", *labels]))
        rows = [
            f"  {label:<{width}}  {self.train[label]:>7,} {self.test[label]:>7,}"
            for label in labels
        ]
        return "\n".join(
            [
                f"{_short(self.folder)}: {train:,} training and {test:,} test images in "
                f"{self.seconds:.1f} s ({rate:,.1f} images a second for the features)",
                f"  {'label':<{width}}  {'train':>7} {'test':>7}",
                *rows,
            ]
        )


@contextmanager
def output_folder(folder, ours=(TRAIN, TEST)):
    """Yield the folder to build, kept from other builders until the block ends.

    Parameters
    ----------
    folder : str or Path
        New, empty, or an older build, which stays as it is until `write` replaces it.
    ours : tuple of str
        The names in an older build.

    Raises
    ------
    InputError
        When the folder holds anything else, which would be lost.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder that is new or an older build")
    _check_replaceable(folder, ours)
    with exclusive(folder):
        yield folder


def write(folder, train, test):
    """Write the two SFrames so that the folder always holds either the old or the new pair."""
    write_sframes(folder, **{TRAIN: train, TEST: test})


def how_to_use(folder, variable=VARIABLE, named="cifar10"):
    """Return the command that runs the notebooks on a folder that was built.

    Parameters
    ----------
    folder : str or Path
    variable : str
        The environment variable that the notebooks look at.
    named : str
        The folder in `data/` that has a name of its own.

    Examples
    --------
    >>> how_to_use(data_folder() / "cifar10")
    'IMAGE_RETRIEVAL_DATA=cifar10 make run'
    """
    folder = Path(folder).resolve()
    root = repository_root()
    if folder == (data_folder() / named).resolve():
        name = named
    elif root in folder.parents:
        name = folder.relative_to(root).as_posix()
    else:
        name = str(folder)
    return f"{variable}={quote(name)} make run"


def take_rows(sframe, rows):
    """Return these rows of an SFrame, in its own order.

    Parameters
    ----------
    sframe : turicreate.SFrame
    rows : iterable of int
    """
    import turicreate as tc

    chosen = set(rows)
    return sframe[tc.SArray([int(row in chosen) for row in range(len(sframe))])]


def _check_replaceable(folder, ours):
    # macOS leaves .DS_Store in every folder that was looked at.
    ours = (*ours, ".DS_Store")
    others = [entry.name for entry in folder.glob("*") if entry.name not in ours]
    if others:
        raise InputError(
            f"{folder} holds {sorted(others)[0]!r}, which would be lost; "
            "name a folder that is new, empty, or an older build"
        )


def _short(folder):
    try:
        return folder.resolve().relative_to(Path.cwd())
    except ValueError:
        return folder
