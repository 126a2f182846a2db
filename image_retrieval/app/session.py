"""What one visitor is doing: the query, the marks, the way here and the settings."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np

from image_retrieval.app.marks import rocchio
from image_retrieval.app.shelf import DEEP, PIXELS, available_engines
from image_retrieval.app.uploads import read_upload
from image_retrieval.errors import InputError
from image_retrieval.features import as_texts, extract_text
from image_retrieval.images import as_rgb, shrink
from image_retrieval.index.validation import METRICS

if TYPE_CHECKING:
    from image_retrieval.app.shelf import Shelf
    from image_retrieval.signatures import Array

MOST_NEIGHBORS = 60
_KEPT = 640  # pixels of an upload's longer side that are kept
_LONGEST_TRAIL = 30
_LONGEST_TEXT = 200
_EXAMPLES = 8


@dataclass(frozen=True, eq=False)
class Query:
    """What is searched for.

    Attributes
    ----------
    name : str
        What to call it.
    pixels : ndarray of uint8, shape (h, w, 3), or None
        None for words.
    label : str or None
        Where it is known.
    row : int or None
        Of a reference image.
    vectors : dict of str to ndarray, shape (d,)
        By the kind of features, as they become known.
    seconds : float
        That making the vector of an upload took.
    more, less : tuple of int
        Rows that were marked "more like this" and "not this one".
    """

    name: str
    pixels: Any = None
    label: str | None = None
    row: int | None = None
    vectors: dict = field(default_factory=dict)
    seconds: float = 0.0
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """A neighbor: its rank from 1, its row among the references, and its distance."""

    rank: int
    row: int
    distance: float


@dataclass(frozen=True)
class Settings:
    """How to search: neighbors, distance, the only label to look among, engine.

    `compare` shows what pixels find beside what deep features find.
    """

    k: int = 10
    metric: str = METRICS[0]
    where: str | None = None
    engine: str = "exact"
    compare: bool = False


class Session:
    """A visitor's search; nothing of it is shared with another's, or written anywhere.

    Parameters
    ----------
    shelf : Shelf
    settings : Settings, optional
    """

    def __init__(self, shelf: Shelf, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.open(shelf)

    def open(self, shelf: Shelf) -> None:
        """Search in another data set from now on; the way here is forgotten."""
        self.shelf, self.at = shelf, -1
        self.trail: list[Query] = []
        self.settings = replace(self.settings, where=None)
        self._shown = 0
        self.show_examples()

    @property
    def query(self) -> Any:
        """What is searched for at the moment, None before the first search."""
        return self.trail[self.at] if self.trail else None

    @property
    def takes_words(self) -> bool:
        """Whether the features can be searched with words."""
        extraction = self.shelf.extraction
        return extraction is not None and as_texts(["?"], extraction) is not None

    def show_examples(self) -> None:
        """Choose further images to try; all of them come in turn.

        They are found in `examples`, a list of `Query`.
        """
        n = self.shelf.n if self.shelf.tried is None else len(self.shelf.tried[1])
        order = np.random.RandomState(0).permutation(n).tolist()
        places = range(self._shown, self._shown + min(_EXAMPLES, n))
        self._shown = places.stop % n
        self.examples = [self._example(order[place % n]) for place in places]

    def upload(self, data: bytes) -> None:
        """Search with a picture file of a visitor's own; see `read_upload`."""
        pixels, began = read_upload(data), time.perf_counter()
        self._require_extraction()
        # From all its pixels, as on the command line; fewer are kept to be shown.
        vectors = {name: self.shelf.vector(pixels, name) for name in (DEEP, PIXELS)}
        seconds = time.perf_counter() - began
        self._go(Query("your picture", shrink(pixels, _KEPT), vectors=vectors, seconds=seconds))

    def warm_up(self) -> None:
        """Load the network, so that the first upload need not wait for it."""
        if self.shelf.extraction is not None:
            self.shelf.vector(np.zeros((8, 8, 3), np.uint8))

    def words(self, text: str) -> None:
        """Search with words, where the features allow it."""
        text = " ".join(str(text).split())[:_LONGEST_TEXT]
        if not self.takes_words or not text:
            raise InputError("type some words" if self.takes_words else "this data takes no words")
        vector = extract_text([text], self.shelf.extraction)[0]
        self._go(Query(f"“{text}”", vectors={DEEP: vector}))

    def example(self, place: int) -> None:
        """Search with one of `examples`."""
        self._go(self.examples[_place(place, len(self.examples), "example")])

    def row(self, row: int) -> None:
        """Search with a reference image."""
        self._go(self._of_row(_place(row, self.shelf.n, "image")))

    def require_row(self, row: int) -> None:
        """Refuse what is no row of the references."""
        _place(row, self.shelf.n, "image")

    def back(self, place: int) -> None:
        """Return to a query of the trail, its marks included."""
        self.at = _place(place, len(self.trail), "step")

    def mark(self, row: int, how: str | None) -> None:
        """Mark a neighbor as "more" or "less", or take its mark away with None."""
        row = _place(row, self.shelf.n, "image")
        query = self._require_query()
        more, less = (tuple(r for r in rows if r != row) for rows in (query.more, query.less))
        marked: dict[str | None, dict[str, Any]] = {
            "more": {"more": (*more, row)},
            "less": {"less": (*less, row)},
            None: {},
        }
        if how not in marked:
            raise InputError(f"a mark is 'more', 'less' or None, got {how!r}")
        self.trail[self.at] = replace(query, **{"more": more, "less": less, **marked[how]})

    def clear_marks(self) -> None:
        """Take all marks of the query away."""
        self.trail[self.at] = replace(self._require_query(), more=(), less=())

    def set(self, **changes: Any) -> None:
        """Change settings; see `Settings`.

        Raises
        ------
        InputError
            When a value is not allowed; nothing is changed then.
        """
        self.settings = _checked(replace(self.settings, **changes), self.choices)

    @property
    def choices(self) -> dict[str, Any]:
        """What a visitor can choose from: dict of the setting to its values."""
        labels = [None, *sorted(set(self.shelf.labels.tolist()))]
        return {"metric": METRICS, "where": labels, "engine": available_engines()}

    def find(self, features: str = DEEP) -> tuple[list[Found], float]:
        """Search for the query.

        Parameters
        ----------
        features : {"deep features", "pixels"}

        Returns
        -------
        list of Found
            Nearest first. Not among them: the query itself, and what was marked "less".
        seconds : float
            That the search took; `Query.seconds` is not part of it.
        """
        query, how = self._require_query(), self.settings
        index = self.shelf.index(features, how.engine, how.metric)
        began = time.perf_counter()
        hidden = {query.row, *query.less} - {None}
        k = how.k + len(hidden)
        rows, distances = index.search(self._moved(query, features), k=k, where=how.where)
        pairs = [p for p in zip(rows[0].tolist(), distances[0].tolist()) if p[0] not in hidden]
        found = [Found(rank, *pair) for rank, pair in enumerate(pairs[: how.k], 1)]
        return found, time.perf_counter() - began

    def map_places(self, found: Sequence[Found]) -> Array:
        """Return where the query, as its marks moved it, and its neighbors are on the map.

        Returns
        -------
        ndarray of float32, shape (1 + number found, 2)
        """
        neighbors = self.shelf.X[np.array([one.row for one in found], int)]
        return self.shelf.places(np.vstack([self._moved(self._require_query(), DEEP), neighbors]))

    def _moved(self, query, features):
        X = self.shelf.vectors(features)
        return rocchio(self._vector(query, features), X[list(query.more)], X[list(query.less)])

    def _vector(self, query, features):
        if features not in query.vectors:
            query.vectors[features] = self._make_vector(query, features)
        return query.vectors[features]

    def _make_vector(self, query, features):
        if query.row is not None:
            return self.shelf.vectors(features)[query.row]
        if features == DEEP:
            self._require_extraction()
        return self.shelf.vector(query.pixels, features)

    def _example(self, row):
        if self.shelf.tried is None:
            return self._of_row(row)
        picture, label, vector = (column[row] for column in self.shelf.tried)
        vectors = {DEEP: np.asarray(vector, np.float32)}
        return Query(f"a test image, {label}", as_rgb(picture), label, vectors=vectors)

    def _of_row(self, row):
        label = str(self.shelf.labels[row])
        name = f"{label}, id {self.shelf.ids[row]}"
        return Query(name, self.shelf.picture(row), label, row)

    def _go(self, query):
        # As in a browser, a new search forgets what was ahead.
        self.trail = [*self.trail[: self.at + 1], query][-_LONGEST_TRAIL:]
        self.at = len(self.trail) - 1

    def _require_query(self):
        if self.query is None:
            raise InputError("there is no query yet; give a picture first")
        return self.query

    def _require_extraction(self):
        if self.shelf.extraction is None:
            raise InputError(
                "it is not known how the features of this data were made, so only its own "
                "pictures can be searched with"
            )


def _place(value, n, what):
    if type(value) is not int or not 0 <= value < n:
        raise InputError(f"there is no {what} {value!r}; there are {n}, counted from 0")
    return value


def _checked(settings, choices):
    if type(settings.k) is not int or not 1 <= settings.k <= MOST_NEIGHBORS:
        raise InputError(f"k must be a whole number from 1 to {MOST_NEIGHBORS}, got {settings.k!r}")
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            known = ", ".join(map(str, allowed))
            raise InputError(
                f"{name} {getattr(settings, name)!r} is not there; choose from {known}"
            )
    if type(settings.compare) is not bool:
        raise InputError(f"compare must be true or false, got {settings.compare!r}")
    return settings
