"""A folder of pictures that was indexed, opened to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_retrieval.collection.store import FILE, open_store
from image_retrieval.errors import InputError
from image_retrieval.index import ImageIndex, build, load

if TYPE_CHECKING:
    from image_retrieval.collection.store import Store
    from image_retrieval.duplicates.prints import Prints
    from image_retrieval.signatures import Array, StrPath

# Files and folders with a leading dot are no pictures, see `datasets.pictures`.
PLACE = ".image-retrieval"
_INDEX = "index"


@dataclass(frozen=True, eq=False)
class Collection:
    """A folder of pictures with its features and its index.

    Attributes
    ----------
    place : Path
        Where the data set is kept.
    source : Path
        The folder of pictures.
    pictures : pandas.DataFrame
        `id`, `path` (below `source`) and `label` of the readable ones, in the order of ids.
    extraction : Extraction or JoinedExtraction
    unreadable : tuple of (str, str)
        Path and problem.
    is_current : bool
        False where an update was cut short: the index lacks what has been read since.
    """

    place: Path
    source: Path
    pictures: Any = field(repr=False)
    extraction: Any
    unreadable: tuple[tuple[str, str], ...] = field(repr=False)
    is_current: bool

    def index(self, engine: str | None = None, metric: str | None = None) -> ImageIndex:
        """Return the `ImageIndex`: the saved one, or another by its engine or metric."""
        if engine is None and metric is None:
            saved: Any = load(self.place / _INDEX)
            return saved
        ids, labels = list(self.pictures["id"]), list(self.pictures["label"])
        options = {} if metric is None else {"metric": metric}
        made = build(self.vectors(), ids, labels, engine=engine or "exact", **options)
        return ImageIndex(made, extraction=self.extraction)

    def vectors(self) -> Array:
        """Return the features of `pictures`, float32 (n, d)."""
        with open_store(self.place) as store:
            return store.vectors()

    def prints(self) -> Prints:
        """Return the `duplicates.Prints` of `pictures`."""
        with open_store(self.place) as store:
            return store.prints()


def find_collection(path: StrPath) -> Path | None:
    """Return where the collection of a folder is kept, or None where there is none.

    Parameters
    ----------
    path : str or Path
        The folder of pictures, or the folder where its data set is kept.
    """
    path = Path(path).expanduser()
    places = (path, path / PLACE)
    return next((place for place in places if (place / FILE).is_file()), None)


def open_collection(path: StrPath) -> Collection:
    """Open a folder of pictures that `update` has indexed.

    Parameters
    ----------
    path : str or Path
        As for `find_collection`.

    Returns
    -------
    Collection

    Raises
    ------
    InputError
        When it has not been indexed, or that was not finished.
    """
    import pandas as pd

    place = find_collection(path)
    if place is None:
        raise InputError(f"{path} has not been indexed; do so first: image-retrieval index {path}")
    with open_store(place) as store:
        rows = [(key, name, label) for key, name, label, _ in store.pictures()]
        if not (place / _INDEX).is_dir():
            raise InputError(f"{path} was not indexed to the end; run the same command again")
        return Collection(
            place,
            (place / store.fact("source", "..")).resolve(),
            pd.DataFrame(rows, columns=["id", "path", "label"]),
            store.extraction,
            tuple(store.problems()),
            store.fact("indexed") is not None,
        )


def source_record(folder: Path, place: Path) -> str:
    """Return how a collection remembers its pictures: it can be moved together with them."""
    return ".." if place.parent == folder else str(folder)


def build_index(store: Store, place: Path, engine: str | None, metric: str | None) -> int:
    """Build and save the index unless it is up to date; return the number of pictures."""
    last = store.fact("index", ["exact", "cosine"])
    wanted = [asked or before for asked, before in zip((engine, metric), last)]
    rows = list(store.pictures())
    if not rows:
        raise InputError(f"{place.parent if place.name == PLACE else place}: no readable picture")
    if store.fact("indexed") != wanted or not (place / _INDEX).is_dir():
        ids, labels = [row[0] for row in rows], [row[2] for row in rows]
        made = build(store.vectors(), ids, labels, engine=wanted[0], metric=wanted[1])
        ImageIndex(made, extraction=store.extraction).save(place / _INDEX)
        store.set_facts(index=wanted, indexed=wanted)
    return len(rows)
