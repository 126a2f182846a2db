"""Tables and pictures around an engine: what they are searched by travels with the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np

from image_retrieval import features as deep
from image_retrieval.errors import InputError
from image_retrieval.index.engine import Engine
from image_retrieval.index.registry import build, load_engine
from image_retrieval.index.storage import refusing_damage
from image_retrieval.index.validation import as_vectors
from image_retrieval.sframes import column_vectors
from image_retrieval.tables import NEIGHBOR_COLUMNS, column, column_names, extractions_of, is_table

if TYPE_CHECKING:
    from pandas import DataFrame

    from image_retrieval.signatures import Array, ArrayLike, How, StrPath, Table, Values

_PICTURES = "image"


@dataclass(frozen=True)
class ImageIndex:
    """An index of a table's rows, which is asked by rows, vectors and pictures.

    Made by `create`; opened by `load`.

    Attributes
    ----------
    engine : Engine
        Searches arrays.
    features : str
        The column of vectors.
    label : str or None
        The column that names a row in the results.
    where : str or None
        The column that `query(…, where=…)` filters by.
    extraction : Extraction, JoinedExtraction or None
        How the vectors were made; pictures are treated in the same way.
    """

    engine: Engine
    features: str = "deep_features"
    label: str | None = "id"
    where: str | None = "label"
    extraction: Any = None

    @property
    def n(self) -> int:
        """The number of reference images."""
        return self.engine.n

    @property
    def d(self) -> int | None:
        """The number of dimensions."""
        return self.engine.d

    def search(
        self,
        Q: ArrayLike,
        k: int = 5,
        radius: float | None = None,
        where: str | Sequence[str] | None = None,
    ) -> tuple[Array, Array]:
        """Find the nearest references of vectors, as arrays; see `Engine.search`."""
        return self.engine.search(Q, k, radius, where)

    def query(
        self,
        queries: Any,
        k: int = 5,
        radius: float | None = None,
        where: str | Sequence[str] | None = None,
        label: str | Sequence[str] | None = None,
        progress: bool = True,
        weights: StrPath | None = None,
    ) -> Table:
        """Find the nearest references of a table's rows, of vectors, of pictures or of words.

        Parameters
        ----------
        queries : table, array of shape (q, d), picture or sequence of pictures
            Of a table, the column `features`, or `image` where it has no such column.
            Pictures are anything that `image_retrieval.images.as_rgb` takes. A string that
            names no file, or several, are words where the backbone takes them.
        k, radius, where
            See `Engine.search`.
        label : str or sequence, optional
            What names a query in the result: a table's column, or one value per query. Row
            numbers by default, as in Turi Create.
        progress, weights
            See `image_retrieval.features.extract`, for pictures.

        Returns
        -------
        turicreate.SFrame
            Columns `query_label`, `reference_label`, `distance` and `rank`, from 1.

        Raises
        ------
        InputError
            When the queries cannot be compared with the references, or a value cannot be used.
        """
        Q = self._vectors(queries, progress, weights)
        labels = _query_labels(queries, label, len(Q))
        return _to_sframe(labels, *self.search(Q, k=k, radius=radius, where=where))

    def add(
        self,
        data: bytes,
        ids: Values | None = None,
        labels: Values | None = None,
        progress: bool = True,
        weights: StrPath | None = None,
    ) -> ImageIndex:
        """Index further rows of a table, or vectors or pictures with `ids` and `labels`.

        Returns
        -------
        ImageIndex
            Itself.
        """
        self.engine.add(*self._rows(data, ids, labels, progress, weights))
        return self

    def update(
        self,
        data: bytes,
        ids: Values | None = None,
        labels: Values | None = None,
        progress: bool = True,
        weights: StrPath | None = None,
    ) -> ImageIndex:
        """Give the rows of these ids new vectors and labels, and add those that are new.

        See `Engine.update`, and `add` for the parameters: pictures of a file that changed, for one.

        Returns
        -------
        ImageIndex
            Itself.
        """
        self.engine.update(*self._rows(data, ids, labels, progress, weights))
        return self

    def remove(self, ids: int | Values) -> ImageIndex:
        """Forget the rows of these ids; see `Engine.remove`.

        Returns
        -------
        ImageIndex
            Itself.
        """
        self.engine.remove(ids)
        return self

    def save(self, path: StrPath) -> None:
        """Write the index as a folder, see `Engine.save`; `load` opens it."""
        record = {name: getattr(self, name) for name in ("features", "label", "where")}
        extraction = self.extraction and self.extraction.as_record()
        self.engine.save(path, images={**record, "extraction": extraction})

    def _rows(self, data, ids, labels, progress, weights):
        if is_table(data):
            ids, labels = _names(data, self.label, self.where)
        return self._vectors(data, progress, weights), ids, labels

    def _vectors(self, data, progress, weights):
        if is_table(data):
            if self.features in column_names(data) or _PICTURES not in column_names(data):
                self._refuse_other(extractions_of(data).get(self.features))
                return column_vectors(data, self.features)
            data = data[_PICTURES]
        elif _is_matrix(data):
            return as_vectors(data, what="the query array")
        if self.extraction is None:
            problem = f"it is not known how {self.features!r} was made from pictures"
            raise InputError(f"{problem}; give index.create(…, extraction=…), or ask for vectors")
        texts = deep.as_texts(data, self.extraction)
        if texts is not None:
            return deep.extract_text(texts, self.extraction)
        return deep.extract(data, self.extraction, progress=progress, weights=weights)

    def _refuse_other(self, extraction):
        if None not in (extraction, self.extraction) and extraction != self.extraction:
            problem = f"{self.features!r} of the queries is {extraction}"
            way_out = "extract the queries' pictures in that way"
            raise InputError(f"{problem}, the index holds {self.extraction}; {way_out}")


def create(
    data: Table,
    engine: str = "exact",
    features: str = "deep_features",
    label: str | None = "id",
    where: str | None = "label",
    extraction: How | None = None,
    **options: Any,
) -> ImageIndex:
    """Index the rows of a table, as `turicreate.nearest_neighbors.create` does.

    Parameters
    ----------
    data : SFrame, pandas.DataFrame or dict of columns
    engine : str
        One of `engines()`.
    features : str
        The column of vectors.
    label : str or None
        The column that names a row in the results; row numbers for None.
    where : str or None
        The column of strings that `query(…, where=…)` filters by, if there is one.
    extraction : Extraction, JoinedExtraction or str, optional
        How the vectors were made, so that pictures can be asked for too. Not needed for a
        table that knows, as `image_retrieval.datasets.load` returns it.
    **options
        `metric` and the engine's own options.

    Returns
    -------
    ImageIndex

    Raises
    ------
    InputError
        When a column is missing or cannot be indexed, or the table says otherwise than
        `extraction` how it was made.

    Examples
    --------
    >>> data = {"id": [18, 8], "label": ["cat", "automobile"], "deep_features": [[0, 1], [1, 0]]}
    >>> create(data).search([0, 1], k=1)[0]
    array([[18]])
    """
    known = extractions_of(data).get(features)
    if extraction is not None:
        extraction = deep.as_extraction(extraction)
        if known not in (None, extraction):
            problem = f"column {features!r} is {known}, not {extraction}"
            raise InputError(f"{problem}; leave extraction out")
    X = column_vectors(data, features)
    X.flags.writeable = False  # nobody else has it, so the engine need not copy it
    ids, labels = _names(data, label, where)
    built = build(X, ids, labels, engine=engine, **options)
    return ImageIndex(built, features, label, where, extraction or known)


def load(path: StrPath, **options: Any) -> ImageIndex | Engine:
    """Open an index that `ImageIndex.save` or `Engine.save` wrote.

    Parameters
    ----------
    path : str or Path
    **options
        Of the engine, in place of those that were saved. A collection on a Milvus server needs
        `uri=`: an address that only the file names is not called.

    Returns
    -------
    ImageIndex or Engine

    Raises
    ------
    InputError
        When there is none, or it is damaged.
    """
    engine, images = load_engine(path, **options)
    if images is None:
        return engine
    with refusing_damage(path):
        record = images["extraction"]
        extraction = record and deep.extraction_from_record(record)
        return ImageIndex(engine, **{**images, "extraction": extraction})


def neighbors(ids: Array, distances: Array, query_labels: Values | None = None) -> DataFrame:
    """Return search results as a table in Turi Create's schema.

    Parameters
    ----------
    ids, distances : ndarray, shape (q, m)
        As `Engine.search` returns them; places without a neighbor are left out.
    query_labels : sequence of q values, optional
        Row numbers by default.

    Returns
    -------
    pandas.DataFrame
        Columns `query_label`, `reference_label`, `distance` and `rank`, from 1.

    Examples
    --------
    >>> neighbors(np.array([[5, 7]]), np.array([[0.0, 5.0]]))
       query_label  reference_label  distance  rank
    0            0                5       0.0     1
    1            0                7       5.0     2
    """
    import pandas as pd

    queries, ranks = np.nonzero(np.isfinite(distances))
    labels = range(len(ids)) if query_labels is None else list(query_labels)
    names = [labels[query] for query in queries.tolist()]
    values = (names, ids[queries, ranks], distances[queries, ranks], ranks + 1)
    return pd.DataFrame(dict(zip(NEIGHBOR_COLUMNS, values)))


def _to_sframe(query_labels, ids, distances):
    import turicreate as tc

    named = str if len(query_labels) and isinstance(query_labels[0], str) else int
    kinds = named, str if ids.dtype.kind == "U" else int, float, int
    found, table = neighbors(ids, distances, query_labels), tc.SFrame()
    for name, kind in zip(NEIGHBOR_COLUMNS, kinds):
        table[name] = tc.SArray(found[name].tolist(), dtype=kind)
    return table


def _is_matrix(value):
    # Pixels are uint8; a matrix of features never is.
    if isinstance(value, np.ndarray):
        return value.dtype != np.uint8 and value.dtype != object
    row = value[0] if isinstance(value, (list, tuple)) and value else None
    return isinstance(row, (int, float, list, tuple)) or getattr(row, "ndim", 0) == 1


def _names(data, label, where):
    """Return the ids and the labels of a table's rows, None for what it has not."""
    ids = None if label is None else list(column(data, label))
    return ids, list(data[where]) if where in column_names(data) else None


def _query_labels(queries, label, q):
    if label is None:
        return range(q)
    if isinstance(label, str):
        if not is_table(queries):
            raise InputError(f"label {label!r} names a column, but the queries are not a table")
        return list(column(queries, label))
    if len(label) != q:
        raise InputError(f"{len(label)} query labels for {q} queries; give one per query")
    return list(label)
