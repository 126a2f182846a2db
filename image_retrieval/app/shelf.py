"""A data set made ready to be searched in: vectors, pictures, engines and a map."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pooch

from image_retrieval.datasets import locate
from image_retrieval.datasets.location import open_sframe
from image_retrieval.features import extract
from image_retrieval.files import atomic_file
from image_retrieval.images import as_rgb, iterate_rgb
from image_retrieval.index import build
from image_retrieval.sframes import sframe_vectors
from image_retrieval.tables import column, extractions_of

if TYPE_CHECKING:
    from image_retrieval.index.engine import Engine
    from image_retrieval.signatures import Array

DEEP, PIXELS = "deep features", "pixels"
# t-SNE of more takes longer than anybody waits, and so many points can still be told apart.
_MAP_ROWS = 1000
_NEEDS = {
    "exact": (),
    "hnsw": ("hnswlib",),
    "turicreate": ("turicreate",),
    "milvus": ("milvus_lite",),
}


def available_engines() -> list[str]:
    """Return the names of the engines whose packages are installed."""
    return [name for name, needed in _NEEDS.items() if all(map(find_spec, needed))]


@dataclass(frozen=True, eq=False)
class Shelf:
    """A data set that is searched; made by `open_shelf`.

    Attributes
    ----------
    title : str
    ids : list of n int or str
    pictures : sequence of n pictures
        The reference images, read one by one.
    labels : ndarray of str, shape (n,)
    X : ndarray of float32, shape (n, d)
        Deep features.
    extraction : Extraction, JoinedExtraction or None
        How they were made.
    tried : tuple of pictures, labels and vectors, or None
        Images to try that are not among the references; None where there are no others.
    """

    title: str
    ids: list
    pictures: Any
    labels: np.ndarray
    X: np.ndarray
    extraction: Any
    tried: tuple[Any, list, Any] | None = None
    _made: dict[Any, Any] = field(default_factory=dict)
    _mapping: Any = field(default_factory=Lock)

    @property
    def n(self) -> int:
        """The number of reference images."""
        return len(self.ids)

    def picture(self, row: int) -> Array:
        """Return the pixels of a reference image, uint8 (h, w, 3)."""
        return as_rgb(self.pictures[row])

    def vectors(self, features: str = DEEP) -> Array:
        """Return the references' vectors, float32 (n, d), of deep features or of pixels."""
        if features == DEEP:
            return self.X
        pictures = iterate_rgb(self.pictures)
        return self._once(PIXELS, lambda: extract(pictures, PIXELS, progress=False))

    def vector(self, pixels: Array, features: str = DEEP) -> Array:
        """Return the vector of a picture, float32 (d,), made as the references' were."""
        how = self.extraction if features == DEEP else PIXELS
        return extract([pixels], how, progress=False)[0]

    def index(
        self, features: str = DEEP, engine: str = "exact", metric: str = "euclidean"
    ) -> Engine:
        """Return the engine that searches the references; its ids are their rows."""
        return self._once(
            (features, engine, metric),
            lambda: build(
                self.vectors(features), labels=self.labels.tolist(), engine=engine, metric=metric
            ),
        )

    def points(self) -> tuple[Array, Array]:
        """Return a map of at most 1,000 of the references, chosen at random.

        Returns
        -------
        rows : ndarray of int, shape (m,)
        points : ndarray of float32, shape (m, 2)
            From 0 to 1, by t-SNE; see `image_retrieval.projection.tsne`.
        """
        with self._mapping:
            return self._once("map", self._points)

    def places(self, Q: Array) -> Array:
        """Return where vectors belong on the map, float32 (q, 2).

        t-SNE has no place for what was not there when it was made. Each vector is given the
        place of one of its five nearest on the map: the one in the middle of the five, because
        the mean of two clusters would lie where nothing is like it.
        """
        rows, points = self.points()
        index = self._once("places", lambda: build(self.X[rows]))
        near, distances = index.search(Q, k=5)
        return np.array([_middle(points[each], far) for each, far in zip(near, distances)])

    def _points(self):
        rows = np.sort(np.random.RandomState(0).permutation(self.n)[:_MAP_ROWS])
        X = np.ascontiguousarray(self.X[rows])
        name = f"map-{hashlib.sha256(X.tobytes()).hexdigest()[:32]}.npy"
        return rows, _kept(Path(pooch.os_cache("image-retrieval")) / name, lambda: _map(X))

    def _once(self, key, make):
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def _middle(points, distances):
    if distances[0] == 0:
        return points[0]  # it is on the map itself
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    return points[apart.sum(axis=1).argmin()]


def open_shelf(data: Any, title: str | None = None) -> Shelf:
    """Make a data set ready to be searched in.

    Parameters
    ----------
    data : DataLocation, str, Path or table
        A name or a folder as `image_retrieval.datasets.locate` takes it; or a table with the
        columns `id`, `image`, `label` and `deep_features`.
    title : str, optional

    Returns
    -------
    Shelf

    Raises
    ------
    InputError
        When there is no such data, or it cannot be opened.
    """
    if isinstance(data, (str, Path)):
        data = locate(str(data))
    if not hasattr(data, "train"):
        return _shelf(title or "Your table", data)
    tests = open_sframe(data.test)
    tried = (*_images(tests), column(tests, "deep_features"))
    return _shelf(title or data.description, open_sframe(data.train), tried)


def _images(table):
    pictures, labels = (column(table, name) for name in ("image", "label"))
    # The rows of a DataFrame may have any names.
    pictures = pictures.tolist() if hasattr(pictures, "iloc") else pictures
    return pictures, [str(label) for label in labels]


def _shelf(title, table, tried=None):
    ids, X = sframe_vectors(table, "deep_features")
    X.flags.writeable = False  # so that engines need not copy it
    pictures, labels = _images(table)
    extraction = extractions_of(table).get("deep_features")
    return Shelf(title, ids, pictures, np.array(labels), X, extraction, tried)


def _kept(path, make):
    """Return an array from a file; where that is not there, or damaged, make and write it."""
    with suppress(OSError, ValueError, EOFError):
        return np.load(str(path), allow_pickle=False)
    array = make()
    # Without a folder for it, the array is made each time.
    with suppress(OSError), atomic_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    return array


def _map(X):
    from image_retrieval.projection import tsne

    points = tsne(X, perplexity=min(30, (len(X) - 1) / 3)) if len(X) > 3 else np.zeros((len(X), 2))
    low = points.min(axis=0, initial=np.inf)
    span = np.maximum(points.max(axis=0, initial=-np.inf) - low, 1e-9)
    return ((points - low) / span).astype(np.float32)
