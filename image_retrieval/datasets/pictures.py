"""Making SFrames from a folder of pictures, with a sub-folder for each label."""

import os
import re
import warnings
from collections import Counter
from pathlib import Path
from time import perf_counter

from PIL import Image

from image_retrieval.datasets.build import Built, output_folder, take_rows, write
from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb
from image_retrieval.sframes import image_sframe, images_to_sarray, vectors_to_sarray

TEST_SIZE = 0.3
SEED = 42
# Stored uncompressed: a photograph of 12 megapixels would take 36 MB of an SFrame.
MAX_SIDE = 512
_LITTER = {"thumbs.db", "desktop.ini"}


def from_folder(folder, max_side=MAX_SIDE):
    """Return the pictures in a folder's sub-folders as a table.

    Parameters
    ----------
    folder : str or Path
        Each sub-folder is a label; its pictures may lie deeper in it. Files with a leading
        dot are left out, all others are taken for pictures.
    max_side : int, optional
        Larger pictures are shrunk so that their longest side has this many pixels; None
        keeps every size.

    Returns
    -------
    turicreate.SFrame
        `id` (position in natural order of the names), `image` and `label`.

    Warns
    -----
    UserWarning
        Lists the files that are no readable pictures, which are left out.

    Raises
    ------
    InputError
        When there is no such folder, or no readable picture in a sub-folder of it.
    """
    sframe, unreadable = read_folder(folder, max_side)
    if unreadable:
        warnings.warn(list_unreadable(unreadable), stacklevel=2)
    return sframe


def read_folder(folder, max_side=MAX_SIDE):
    """Return the pictures as `from_folder` does, and what could not be read.

    Returns
    -------
    sframe : turicreate.SFrame
    unreadable : list of str
        A line for each file, with its name and the reason.
    """
    if max_side is not None and max_side < 1:
        raise InputError(f"max_side={max_side} must be at least 1 pixel")
    folder = Path(folder).expanduser()
    reader = _Reader(find_files(folder), max_side)
    images = images_to_sarray(reader)
    if not reader.read:
        raise InputError(f"{folder}: none of the {len(reader.unreadable)} files is a picture")
    labels = [path.relative_to(folder).parts[0] for path in reader.read]
    return image_sframe(range(len(labels)), images, labels), reader.unreadable


def find_files(folder):
    """Return the files in a folder's sub-folders, in natural order: 2.jpg before 10.jpg.

    Raises
    ------
    InputError
        When there is no such folder, a file lies beside the sub-folders, or there is none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of pictures; check the path")
    files = [path for path in _walk(folder) if _is_candidate(path.relative_to(folder))]
    for path in files:
        if path.parent == folder:
            raise InputError(
                f"{path} lies in no sub-folder, so it has no label; "
                "move it into a sub-folder named after its label"
            )
    if not files:
        raise InputError(f"{folder} has no sub-folders with pictures; make one for each label")
    return sorted(files, key=lambda path: _natural(path.relative_to(folder)))


def build(folder, output, test_size=TEST_SIZE, max_side=MAX_SIDE, seed=SEED, progress=True):
    """Build `image_train_data/` and `image_test_data/` with deep features.

    Parameters
    ----------
    folder, max_side
        As for `from_folder`.
    output : str or Path
        Folder to make: new, empty, or an older build.
    test_size : float
        Share of each label's pictures that is kept for testing, between 0 and 1.
    seed : int
        Of the split.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    built : Built
    unreadable : list of str
        A line for each file that was left out.

    Raises
    ------
    InputError
        When there are no pictures, or too few for the split.
    """
    from image_retrieval.features import extract

    start = perf_counter()
    with output_folder(output) as target:
        sframe, unreadable = read_folder(folder, max_side)
        labels = list(sframe["label"])
        train, test = split_rows(labels, test_size, seed)
        before = perf_counter()
        features = extract(sframe["image"], "efficientnet_lite0", progress=progress)
        feature_seconds = perf_counter() - before
        sframe["deep_features"] = vectors_to_sarray(features)
        write(target, train=take_rows(sframe, train), test=take_rows(sframe, test))
    counts = [Counter(labels[row] for row in rows) for rows in (train, test)]
    return Built(target, *counts, perf_counter() - start, feature_seconds), unreadable


def split_rows(labels, test_size=TEST_SIZE, seed=SEED):
    """Split rows at random, each label in the same proportion.

    Parameters
    ----------
    labels : list of n str
    test_size : float
        Share of the rows for the second part, between 0 and 1.
    seed : int

    Returns
    -------
    train, test : list of int
        Row numbers, ascending.

    Raises
    ------
    InputError
        When a label has a single picture, or the share leaves a part without some label.

    Examples
    --------
    >>> train, test = split_rows(["cat"] * 10 + ["dog"] * 10)
    >>> len(train), len(test)
    (14, 6)
    """
    from sklearn.model_selection import train_test_split

    rows = list(range(len(labels)))
    try:
        train, test = train_test_split(
            rows, test_size=test_size, random_state=seed, stratify=labels
        )
    except ValueError as error:
        few, count = min(Counter(labels).items(), key=lambda item: item[1])
        raise InputError(
            f"{len(labels)} pictures cannot be split with test_size={test_size} ({error}); "
            f"{few!r} has {count}: add pictures, or choose another share between 0 and 1"
        ) from None
    return sorted(train), sorted(test)


def list_unreadable(unreadable):
    """Return the files that were left out as lines to print, with their number."""
    files = (
        "file is no readable picture and was"
        if len(unreadable) == 1
        else ("files are no readable pictures and were")
    )
    return "\n".join(
        [f"{len(unreadable)} {files} left out:", *(f"  {line}" for line in unreadable)]
    )


class _Reader:
    """Yields pictures one at a time, and keeps account of which files they came from."""

    def __init__(self, paths, max_side):
        self.paths, self.max_side = paths, max_side
        self.read, self.unreadable = [], []

    def __iter__(self):
        for path in self.paths:
            try:
                pixels = _shrink(as_rgb(path), self.max_side)
            except InputError as error:
                self.unreadable.append(str(error))
                continue
            self.read.append(path)
            yield pixels


def _shrink(pixels, max_side):
    longest = max(pixels.shape[:2])
    if max_side is None or longest <= max_side:
        return pixels
    height, width = (max(1, round(side * max_side / longest)) for side in pixels.shape[:2])
    return as_rgb(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _walk(folder):
    for parent, _, names in os.walk(str(folder), followlinks=True):
        yield from (Path(parent) / name for name in names)


def _is_candidate(path):
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and path.name.lower() not in _LITTER


def _natural(path):
    pieces = re.split(r"(\d+)", path.as_posix().casefold())
    # Split at digits, the odd pieces are numbers; the name itself settles what is equal.
    key = [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
    return key, path.as_posix()
