"""Bringing what is known of a folder up to date: only what is new is read and extracted.

A file is looked at again when its size or time has changed, and extracted when nobody has its
content yet. Every batch is written down before the next one begins.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from image_retrieval.collection.opening import PLACE, build_index, find_collection, source_record
from image_retrieval.collection.store import FILE, File, as_key, open_store
from image_retrieval.datasets.pictures import find_files, label_of
from image_retrieval.duplicates import picture_print
from image_retrieval.errors import InputError
from image_retrieval.features import as_extraction, extract, get_backbone, identified
from image_retrieval.features.preprocessing import resize
from image_retrieval.files import exclusive, file_hash
from image_retrieval.hardware import cores
from image_retrieval.images import as_rgb

if TYPE_CHECKING:
    from image_retrieval.signatures import How, StrPath

_BATCH = 32
# Decoding a picture of the largest size takes 1.2 GB.
_READERS = 2


@dataclass(frozen=True)
class Update:
    """What `update` did.

    Attributes
    ----------
    folder : Path
        Where the data set is kept.
    pictures : int
        Readable ones there are now.
    added, changed, removed : int
        Files, readable or not, since the last time.
    extracted : int
        Pictures that went through the network; a copy of one that is known does not.
    unreadable : tuple of (str, str)
        Path and problem of each file that is no readable picture.
    extraction : Extraction or JoinedExtraction
    """

    folder: Path
    pictures: int
    added: int
    changed: int
    removed: int
    extracted: int
    unreadable: tuple[tuple[str, str], ...]
    extraction: Any


def update(
    folder: StrPath,
    output: StrPath | None = None,
    extraction: How | None = None,
    engine: str | None = None,
    metric: str | None = None,
    progress: bool = True,
) -> Update:
    """Index a folder of pictures, or what has changed in it since the last time.

    It can be interrupted at any moment, even by `kill -9`: the next call goes on from the last
    batch of 32 pictures. Memory does not grow with the number of pictures, but for the
    features themselves when the index is built.

    Parameters
    ----------
    folder : str or Path
        Pictures, with or without subfolders, which become labels.
    output : str or Path, optional
        Where to keep what is made; in `.image-retrieval` in the folder when not given.
    extraction : Extraction, JoinedExtraction or str, optional
        How features are made; as the last time, or the default, when not given.
    engine, metric : str, optional
        Of the saved index, see `image_retrieval.index`; as the last time, or "exact" and
        "cosine", when not given.
    progress : bool
        Show a bar on standard error, where that is a terminal.

    Returns
    -------
    Update

    Raises
    ------
    InputError
        When there is no such folder or no readable picture in it, another process is indexing
        it, or it was indexed with another extraction.
    """
    folder = Path(folder).expanduser().resolve()
    files = find_files(folder, labeled=False)
    place = Path(output).expanduser().resolve() if output else folder / PLACE
    if not files and not find_collection(place):
        raise InputError(f"{folder} holds no files; name a folder of pictures")
    with exclusive(place / FILE), open_store(place, new=True) as store:
        how = _settled(store, extraction, place)
        store.set_facts(format=1, source=source_record(folder, place))
        counts = _bring_up_to_date(store, folder, files, how, progress)
        left = store.problems()
        pictures = build_index(store, place, engine, metric)
    facts: Any = (*counts, tuple(left), how)
    return Update(place, pictures, *facts)


def _settled(store, extraction, place):
    """Return the extraction to use, which the store remembers from now on."""
    known = store.extraction
    how = known if extraction is None and known else identified(as_extraction(extraction))
    if known not in (None, how):
        raise InputError(
            f"{place} holds features by {known}, not {how}; leave the extraction out, or name "
            "another output"
        )
    store.set_facts(extraction=how.as_record())
    return how


def _bring_up_to_date(store, folder, files, how, progress):
    known, waiting, there = store.stamps(), [], set()
    for path in files:
        name = path.relative_to(folder)
        there.add(as_key(name))
        if known.get(as_key(name)) != _stamp(path):
            waiting.append(name)
    changed = sum(as_key(name) in known for name in waiting)
    gone = [path for path in known if path not in there]
    extracted = _look_at(store, folder, waiting, how, progress)
    store.forget(gone)
    return len(waiting) - changed, changed, len(gone), extracted


def _stamp(path):
    try:
        status = path.stat()
    except OSError:
        return [-1, -1]  # its reader will tell why
    return [status.st_size, status.st_mtime_ns]


def _look_at(store, folder, names, how, progress):
    """Read, extract and write down files in batches; return how many were extracted."""
    extracted = 0
    disable = None if progress else True  # None: where standard error is no terminal
    with ThreadPoolExecutor(min(cores(), _READERS)) as readers, tqdm(
        total=len(names), unit="picture", disable=disable
    ) as bar:
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            files = list(readers.map(lambda name: _looked(folder, name), batch))
            extracted += _keep(store, folder, files, how, readers)
            bar.update(len(batch))
    return extracted


def _looked(folder, name):
    size, modified = _stamp(folder / name)
    file = File(name, label_of(name), size, modified)
    try:
        return file, file_hash(folder / name)
    except InputError as error:
        return _refused(file, folder, error), None


def _refused(file, folder, error):
    """Return a file with its problem; the folder, which the caller knows, is left out of it."""
    return replace(file, problem=str(error).replace(f"{folder / file.path}: ", ""))


def _keep(store, folder, files, how, readers):
    fresh: dict[Any, Any] = {}
    for file, key in files:
        if key is not None and not store.knows(key):
            fresh.setdefault(key, file)
    read = dict(zip(fresh, readers.map(lambda file: _read(folder, file, how), fresh.values())))
    pictures = {key: value for key, value in read.items() if not isinstance(value, File)}
    X = _features([squares for _, squares in pictures.values()], how)
    contents = [(key, *made, row) for (key, (made, _)), row in zip(pictures.items(), X)]
    store.keep([_described(file, key, read) for file, key in files], contents)
    return len(contents)


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


def _features(squares, how):
    """Return the features of pictures that were brought to the sizes of the parts."""
    X = [
        extract([each[place] for each in squares], part, progress=False)
        for place, part in enumerate(how.parts)
    ]
    return np.concatenate(X, axis=1).astype(np.float32)


def _described(file, key, read):
    refused = read.get(key)
    problem = refused.problem if isinstance(refused, File) else file.problem
    return replace(file, hash=None if problem else key, problem=problem)
