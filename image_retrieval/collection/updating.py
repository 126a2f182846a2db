"""Bringing what is known of a folder up to date: only what is new is read and extracted.

A file is looked at again when its size or time has changed, and extracted when nobody has its
content yet. Every batch is written down before the next one begins.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from tqdm.auto import tqdm

from image_retrieval.collection.opening import PLACE, build_index, find_collection, source_record
from image_retrieval.collection.reading import read_batch, stamp
from image_retrieval.collection.store import FILE, as_key, open_store
from image_retrieval.datasets.pictures import find_files
from image_retrieval.errors import InputError
from image_retrieval.features.extraction import settled
from image_retrieval.files import exclusive
from image_retrieval.hardware import cores

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
    read: Callable[..., Any] | None = None,
) -> Update:
    """Index a folder of pictures, or what has changed in it since the last time.

    It can be interrupted at any moment, even by `kill -9`: the next call goes on from the last
    batch of 32 pictures. Memory does not grow with the number of pictures, except for the
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
    read : callable, optional
        Who reads and extracts, such as `image_retrieval.cluster.reader`; this process when not
        given. Called with the folder, the files to read, the extraction and where the data set
        is kept; yields files and contents as `collection.reading.read_batch` returns them.

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
        chosen = partial(read, place=place) if read else partial(_from_here, knows=store.knows)
        counts = _bring_up_to_date(store, folder, files, how, progress, chosen)
        left = store.problems()
        pictures = build_index(store, place, engine, metric)
    facts: Any = (*counts, tuple(left), how)
    return Update(place, pictures, *facts)


def _settled(store, extraction, place):
    """Return the extraction to use, which the store remembers from now on."""
    how = settled(store.extraction, extraction, place)
    store.set_facts(extraction=how.as_record())
    return how


def _bring_up_to_date(store, folder, files, how, progress, read):
    known, waiting, there = store.stamps(), [], set()
    for path in files:
        name = path.relative_to(folder)
        there.add(as_key(name))
        if known.get(as_key(name)) != stamp(path):
            waiting.append(name)
    changed = sum(as_key(name) in known for name in waiting)
    gone = [path for path in known if path not in there]
    batches = read(folder, waiting, how)
    extracted = _keep_all(store, batches, len(waiting), progress)
    store.forget(gone)
    return len(waiting) - changed, changed, len(gone), extracted


def _from_here(folder, names, how, knows):
    """Yield what `read_batch` makes of batches of files, read by this process."""
    with ThreadPoolExecutor(min(cores(), _READERS)) as readers:
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            yield read_batch(folder, batch, how, knows, readers.map)


def _keep_all(store, batches, total, progress):
    """Write down batches of files; return how many contents were new."""
    extracted = 0
    disable = None if progress else True  # None: where standard error is no terminal
    with tqdm(total=total, unit="picture", disable=disable) as bar:
        for files, contents in batches:
            fresh = [content for content in contents if not store.knows(content[0])]
            store.keep(files, fresh)
            extracted += len(fresh)
            bar.update(len(files))
    return extracted
