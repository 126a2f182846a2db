"""A batch of a folder's files, looked at: which are pictures, and what is kept of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Callable, Iterable

import numpy as np

from image_retrieval.collection.store import File
from image_retrieval.datasets.pictures import label_of
from image_retrieval.duplicates import picture_print
from image_retrieval.errors import InputError
from image_retrieval.features import extract, get_backbone
from image_retrieval.features.preprocessing import resize
from image_retrieval.files import file_hash
from image_retrieval.images import as_rgb

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyExtraction


def stamp(path: Path) -> list[int]:
    """Return the size and the time of a file, by which a change is noticed."""
    try:
        status = path.stat()
    except OSError:
        return [-1, -1]  # its reader will tell why
    return [status.st_size, status.st_mtime_ns]


def read_batch(
    folder: Path,
    names: Iterable[PurePath],
    how: AnyExtraction,
    knows: Callable[[str], bool],
    mapping: Callable[..., Iterable[Any]] = map,
    threads: int | None = None,
) -> tuple[list[File], list[tuple[Any, ...]]]:
    """Read files, and extract the features of those contents that are not known yet.

    Parameters
    ----------
    folder : Path
    names : list of PurePath
        Below the folder.
    how : Extraction or JoinedExtraction
    knows : callable
        Tells whether the content of this hash needs no extraction.
    mapping : callable
        `map`, or that of a pool of readers.
    threads : int, optional
        See `image_retrieval.features.extract`.

    Returns
    -------
    files : list of File
        Each with its hash, or with the problem of one that is no readable picture.
    contents : list of (str, str, ndarray, ndarray)
        Hash, print, thumbnail and features (float32) of each new content.
    """
    files = list(mapping(lambda name: _looked(folder, name), names))
    fresh: dict[str, File] = {}
    for file, key in files:
        if key is not None and not knows(key):
            fresh.setdefault(key, file)
    read = dict(zip(fresh, mapping(lambda file: _read(folder, file, how), fresh.values())))
    pictures = {key: value for key, value in read.items() if not isinstance(value, File)}
    X = _features([squares for _, squares in pictures.values()], how, threads)
    contents = [(key, *made, row) for (key, (made, _)), row in zip(pictures.items(), X)]
    return [_described(file, key, read) for file, key in files], contents


def _looked(folder, name):
    size, modified = stamp(folder / name)
    file = File(name, label_of(name), size, modified)
    try:
        return file, file_hash(folder / name)
    except InputError as error:
        return _refused(file, folder, error), None


def _refused(file, folder, error):
    """Return a file with its problem; the folder, which the caller knows, is left out of it."""
    return replace(file, problem=str(error).replace(f"{folder / file.path}: ", ""))


def _read(folder, file, how):
    """Return print and squares of a picture, or the file with its problem."""
    try:
        pixels = as_rgb(folder / file.path)
    except InputError as error:
        return _refused(file, folder, error)
    squares = [
        resize(pixels, part.size, get_backbone(part.source or part.backbone).interpolation)
        for part in how.parts
    ]
    return picture_print(pixels), squares


def _features(squares, how, threads):
    """Return the features of pictures that were brought to the sizes of the parts."""
    X = [
        extract([each[place] for each in squares], part, progress=False, threads=threads)
        for place, part in enumerate(how.parts)
    ]
    return np.concatenate(X, axis=1).astype(np.float32)


def _described(file, key, read):
    refused = read.get(key)
    problem = refused.problem if isinstance(refused, File) else file.problem
    return replace(file, hash=None if problem else key, problem=problem)
