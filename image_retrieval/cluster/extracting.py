"""Extraction on all machines of a Ray cluster, shared out in parts of some hundred files.

Workers read the pictures and write the parts themselves, so every machine has to see both folders
under the same path. Through Ray go only names and counts, and no more memory is used than a part
takes on each core, whatever the number of pictures.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Callable, Sequence

from tqdm.auto import tqdm

from image_retrieval.cluster.parts import agreed_parts, part_name, write_part
from image_retrieval.cluster.session import connect, spread
from image_retrieval.collection.opening import PLACE
from image_retrieval.collection.reading import read_batch, stamp
from image_retrieval.collection.store import as_key
from image_retrieval.datasets.pictures import find_files
from image_retrieval.errors import InputError
from image_retrieval.features import extract as extract_here
from image_retrieval.files import exclusive

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyExtraction, How, StrPath

PARTS = "parts"
PART_SIZE = 256  # files: seconds to minutes of work, and a megabyte or two of features
_BATCH = 32


@dataclass(frozen=True)
class Extracted:
    """What `extract` did.

    Attributes
    ----------
    folder : Path
        Where the parts are; see `open_parts`.
    pictures : int
        Readable ones there are now.
    parts, made : int
        Parts there are now, and how many of them this call made.
    unreadable : tuple of (str, str)
        Path and problem of each file that is no readable picture.
    extraction : Extraction or JoinedExtraction
    """

    folder: Path
    pictures: int
    parts: int
    made: int
    unreadable: tuple[tuple[str, str], ...] = field(repr=False)
    extraction: AnyExtraction


def extract(
    pictures: StrPath | Sequence[StrPath],
    address: str | None = None,
    output: StrPath | None = None,
    extraction: How | None = None,
    workers: int | None = None,
    part_size: int = PART_SIZE,
    progress: bool = True,
) -> Extracted:
    """Extract deep features on the machines of a Ray cluster.

    The features are those of `image_retrieval.features.extract`. What is done is kept in
    Parquet files of some hundred pictures each: a call that was interrupted goes on from there,
    and a later one extracts only what is new. A worker that dies costs the part it was at.

    Parameters
    ----------
    pictures : str, Path, or sequence of them
        A folder, with or without subfolders, which become labels; or files, without labels.
    address : str, optional
        `host:port` of the cluster's head; see `image_retrieval.cluster.session.connect`.
    output : str or Path, optional
        Where to keep the parts. In the folder of pictures when not given. Like the pictures, it
        is on a disk that all machines see under the same path.
    extraction : Extraction, JoinedExtraction or str, optional
        How; as the last time, or the default, when not given.
    workers : int, optional
        Processes of one core each; one for each core of the cluster when not given.
    part_size : int
        Files a part.
    progress : bool
        Show a bar on standard error, where that is a terminal.

    Returns
    -------
    Extracted

    Raises
    ------
    InputError
        When there are no files, the parts were made with another extraction, or the cluster
        cannot be reached or gives up.
    """
    for name, value in (("workers", 1 if workers is None else workers), ("part_size", part_size)):
        if not isinstance(value, int) or value < 1:
            raise InputError(f"{name}={value!r} must be a whole number, at least 1")
    folder, names, output = _sources(pictures, output)
    with exclusive(output):
        parts, made = _extract(
            folder, names, output, extraction, address, workers, part_size, progress
        )
        return _summary(parts, made)


def reader(address: str | None = None) -> Callable[..., Any]:
    """Return what `image_retrieval.collection.update` takes as `read`, to extract on a cluster.

    Until the collection has taken the features in, they are kept beside it in parts, which a call
    that was interrupted goes on from.

    Parameters
    ----------
    address : str, optional
        As for `extract`.
    """

    def read(folder, names, how, place):
        output = place / PARTS
        if names:
            parts, _ = _extract(folder, names, output, how, address)
            yield from parts.batches()
        shutil.rmtree(str(output), ignore_errors=True)

    return read


class Worker:
    """What runs on a core of the cluster; it loads the network once.

    Parameters
    ----------
    folder, output : str
    extraction : Extraction or JoinedExtraction
    """

    def __init__(self, folder: str, output: str, extraction: AnyExtraction) -> None:
        self._folder, self._output, self._how = Path(folder), Path(output), extraction
        extract_here([], extraction, progress=False, threads=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make the part of a batch of one; return its name and number of files."""
        ((name, count),) = [self._make(list(keys)) for keys in batch["files"]]
        return {"part": [name], "files": [count]}

    def _make(self, keys):
        names = [PurePath(os.fsdecode(key)) for key in keys]
        name = part_name([(key, *stamp(self._folder / path)) for key, path in zip(keys, names)])
        files: list[Any] = []
        contents: dict[Any, Any] = {}
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            looked, new = read_batch(
                self._folder, batch, self._how, contents.__contains__, threads=1
            )
            files += looked
            contents.update((content[0], content) for content in new)
        write_part(self._output / name, files, contents.values())
        return name, len(files)


def _sources(pictures, output):
    """Return the folder, the files below it as keys, and where the parts go."""
    if isinstance(pictures, (str, Path)):
        folder = Path(pictures).expanduser().resolve()
        names = [path.relative_to(folder) for path in find_files(folder, labeled=False)]
    else:
        folder = Path(Path.cwd().anchor)
        names = [Path(path).expanduser().absolute().relative_to(folder) for path in pictures]
        if output is None:
            raise InputError("a list of files has no folder of its own; give output=")
    if not names:
        raise InputError(f"{folder} holds no files; name a folder of pictures")
    return folder, names, Path(output or folder / PLACE / PARTS).expanduser().resolve()


def _extract(folder, names, output, how, address, workers=None, size=PART_SIZE, progress=False):
    """Make the parts that are missing; return all, and how many were made."""
    parts = agreed_parts(output, how)
    stamps = {(as_key(name), *stamp(folder / name)): None for name in names}
    done = parts.prune(stamps)
    waiting = [each[0] for each in stamps if each not in done]
    items = [{"files": waiting[i : i + size]} for i in range(0, len(waiting), size)]
    arguments = str(folder), str(output), parts.extraction
    disable = None if progress else True  # None: where standard error is no terminal
    if items:
        ray = connect(address)
        with tqdm(total=len(waiting), unit="picture", disable=disable) as bar:
            for row in spread(ray, items, Worker, arguments, workers):
                bar.update(row["files"])
    return parts, len(items)


def _summary(parts, made):
    files = [file for some, _ in parts.batches() for file in some]
    problems = sorted((str(file.path), file.problem) for file in files if file.problem)
    readable = len(files) - len(problems)
    count = len(parts.paths())
    return Extracted(parts.folder, readable, count, made, tuple(problems), parts.extraction)
