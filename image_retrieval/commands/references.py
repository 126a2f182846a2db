"""What a command searches in: the course's data, or a folder of pictures that was indexed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable

import numpy as np

from image_retrieval import collection, datasets, index
from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb

if TYPE_CHECKING:
    from image_retrieval.index.images import ImageIndex

DATA_HELP = (
    "a folder that was indexed, sample, the name of a data set that was built, or its folder "
    "(default: what the notebooks run on)"
)
_GRAY = np.full((32, 32, 3), 128, np.uint8)


@dataclass(frozen=True)
class References:
    """Pictures to search in.

    Attributes
    ----------
    title : str
    table : SFrame or pandas.DataFrame
        With `id` and `label`, and `image` or `path`.
    collection : Collection or None
        None for the course's data.
    """

    title: str
    table: Any
    collection: Any | None = None

    def index(self, engine: str | None = None, metric: str | None = None) -> ImageIndex:
        """Return an `ImageIndex` of them."""
        if self.collection:
            return self.collection.index(engine, metric)
        return index.create(self.table, engine or "exact", metric=metric or "cosine")

    def rows(self, ids: Iterable[Any]) -> dict[Any, Any]:
        """Return id, label, path and pixels of some of them, by id; the path None if unknown."""
        if self.collection:
            found = self.table[self.table["id"].isin(ids)]
            rows = zip(found["id"].tolist(), found["label"], found["path"])
            return {key: (key, label, path, self._pixels(path)) for key, label, path in rows}
        found = self.table.filter_by(list(ids), "id")
        rows = zip(found["id"], found["label"], found["image"])
        return {key: (key, label, None, as_rgb(image)) for key, label, image in rows}

    def _pixels(self, path):
        opened: Any = self.collection
        try:
            return as_rgb(opened.source / path)
        except InputError:
            return _GRAY  # it was removed since


def open_references(data: str | None) -> References:
    """Return the References that `--data` names.

    Raises
    ------
    InputError
        When there are none.
    """
    if data and collection.find_collection(data):
        opened = collection.open_collection(data)
        title = f"{len(opened.pictures):,} pictures in {opened.source.name}"
        return References(title, opened.pictures, opened)
    location = datasets.locate(data)
    train = datasets.load(data)[0]
    what = location.card.title if location.name == location.card.name else location.name
    return References(f"{len(train):,} training images of {what}", train)
