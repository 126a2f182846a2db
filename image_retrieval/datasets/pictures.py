"""A folder of one's own pictures, with a subfolder for each label."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Iterator

from image_retrieval.datasets.cards import Card, Option, Picture
from image_retrieval.datasets.splits import SHARE, shuffled
from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

_LITTER = {"thumbs.db", "desktop.ini"}


def read(folder: StrPath, options: Any) -> Iterator[Picture]:
    """Yield the pictures in a folder's subfolders, each of which is a label.

    Parameters
    ----------
    folder : str or Path
        Pictures may lie deeper in a subfolder. Files with a leading dot are left out, all
        others are taken for pictures. Links are followed, but nothing is taken twice: where
        several names lead to a file or folder, the one that is no link counts.
    options : object
        Not used.

    Yields
    ------
    Picture
        Its id is the position in natural order of the names.

    Raises
    ------
    InputError
        When there is no such folder, a file lies beside the subfolders, or there is none.
    """
    folder = Path(folder).expanduser()
    for number, path in enumerate(find_files(folder)):
        yield Picture(label_of(path.relative_to(folder)), path, id=number)


def label_of(path: PurePath) -> str:
    """Return the label of a file by its path below the folder; empty beside the subfolders."""
    # In UTF-8, whatever encoding the terminal is set to; what is none stays legible.
    first = path.parts[0] if len(path.parts) > 1 else ""
    return os.fsencode(first).decode("utf-8", "backslashreplace")


def find_files(folder: Path, labeled: bool = True) -> list[Path]:
    """Return the files in a folder's subfolders, in natural order: 2.jpg before 10.jpg.

    Where they need no labels, those beside the subfolders are returned, too.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of pictures; check the path")
    files = [path for path in _walk(folder) if not _is_litter(path.relative_to(folder))]
    for path in files if labeled else ():
        if path.parent == folder:
            problem = f"{path} is not in a subfolder, so it has no label"
            raise InputError(f"{problem}; move it into a subfolder named after its label")
    if not files and labeled:
        raise InputError(f"{folder} has no subfolders with pictures; make one for each label")
    return sorted(files, key=lambda path: _natural(path.relative_to(folder)))


def _walk(folder):
    """Yield the files in a folder, each once, those that only links lead to last."""
    waiting: list[Any] = [folder]
    links: list[Any] = []
    seen: set[Any] = set()
    while waiting or links:
        path = waiting.pop() if waiting else links.pop(0)
        try:
            status = path.stat()
        except OSError:
            yield path  # leads nowhere, which its reader will tell
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if not path.is_dir():
            yield path
            continue
        for entry in sorted(path.iterdir(), reverse=True):
            (links if entry.is_symlink() else waiting).append(entry)


def _is_litter(path):
    return path.name.lower() in _LITTER or any(part.startswith(".") for part in path.parts)


def _natural(path):
    pieces = re.split(r"(\d+)", path.as_posix().casefold())
    # Split at digits, the odd pieces are numbers; the name itself settles what is equal.
    key = [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]
    return key, path.as_posix()


CARD = Card(
    name="folder",
    title="a folder of pictures",
    about="Build the course's data from a folder of your own pictures.\n"
    "Each subfolder is a label, and holds its pictures: cats/…, dogs/…. Pictures that cannot "
    "be read are listed by name.",
    read=read,
    split=shuffled,
    options={
        **SHARE,
        # Stored uncompressed: a photograph of 12 megapixels would take 36 MB of an SFrame.
        "max_side": Option(512, "longest side in pixels; larger pictures are shrunk to it"),
    },
    seed=42,
    source="folder",
)
