"""The interface of every search engine, and what they share: arrays in, arrays out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, Mapping, Sequence

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.index import storage
from image_retrieval.index.validation import (
    as_ids,
    as_k,
    as_labels,
    as_metric,
    as_radius,
    as_vectors,
    as_where,
    listed,
)

if TYPE_CHECKING:
    from pathlib import Path

    from image_retrieval.signatures import Array, ArrayLike, StrPath, Values


class Engine(ABC):
    """A set of reference vectors that can be searched for nearest neighbors.

    Parameters
    ----------
    metric : {"euclidean", "squared_euclidean", "cosine"}
        Turi Create's names and definitions.
    **options
        The engine's own, see its class.

    Attributes
    ----------
    n : int
        The number of reference vectors.
    d : int or None
        The number of dimensions, None before `build`.
    """

    name = ""
    n: int = 0
    d: Any = None
    _has_labels: Any
    _in_memory = False

    def __init__(self, metric: str = "euclidean") -> None:
        self.metric = as_metric(metric)

    def build(
        self, X: ArrayLike, ids: Values | None = None, labels: Values | None = None
    ) -> Engine:
        """Index reference vectors, in place of what was indexed before.

        Parameters
        ----------
        X : array of numbers, shape (n, d)
            Stored as float32, copied; n may be 0.
        ids : sequence of n int or n str, optional
            Unique; 0, 1, … by default. They need not be sorted.
        labels : sequence of n str, optional
            Needed to search with `where`.

        Returns
        -------
        Engine
            Itself.

        Raises
        ------
        InputError
            When a value cannot be used; nothing is indexed then.
        """
        X = as_vectors(X, copy=self._in_memory)
        self._replace(X, as_ids(ids, len(X)), as_labels(labels, len(X)))
        return self

    def add(self, X: ArrayLike, ids: Values | None = None, labels: Values | None = None) -> Engine:
        """Index further vectors; see `build`. They come last in the reference order.

        Vectors without ids are numbered on from the largest id, and at least from n.
        """
        self._require_built()
        X = as_vectors(X, self.d)
        ids = as_ids(ids, len(X), self._next_id() if ids is None else 0)
        return self._take(self._append, X, ids, labels)

    def update(self, X: ArrayLike, ids: Values, labels: Values | None = None) -> Engine:
        """Give ids new vectors and labels; add the ids that are not there yet.

        Like `dict.update`, and what vector databases call *upsert*: to repeat it changes nothing.
        What was updated comes last in the reference order, as if it had been removed and added.

        Parameters
        ----------
        X, ids, labels
            See `build`; ids must be given.

        Returns
        -------
        Engine
            Itself.

        Raises
        ------
        InputError
            When a value cannot be used; nothing has changed then.
        """
        self._require_built()
        X = as_vectors(X, self.d)
        if ids is None:
            raise InputError("update needs the ids whose vectors are new; give ids, or use add")
        return self._take(self._upsert, X, as_ids(ids, len(X)), labels)

    def remove(self, ids: int | Values) -> Engine:
        """Forget the vectors of these ids.

        Searches then find what they would find in an index that was built without them.

        Parameters
        ----------
        ids : int, str or sequence of them

        Returns
        -------
        Engine
            Itself.

        Raises
        ------
        InputError
            When one of the ids is not there or appears twice; nothing is removed then.
        """
        self._require_built()
        ids = listed(ids)
        ids = as_ids(ids, len(ids))
        if len(ids):
            self._refuse_unknown(ids)
            self._remove(ids)
        return self

    def search(
        self,
        Q: ArrayLike,
        k: int | None = 5,
        radius: float | None = None,
        where: str | Sequence[str] | None = None,
    ) -> tuple[Array, Array]:
        """Find the nearest reference vectors of each query.

        Parameters
        ----------
        Q : array of numbers, shape (q, d), or (d,) for one query
        k : int or None
            At most so many neighbors a query; None for all.
        radius : float, optional
            Only neighbors at most so far away.
        where : str or sequence of str, optional
            Only references with one of these labels.

        Returns
        -------
        ids : ndarray of int64 or str, shape (q, m)
            Nearest first; equal distances in reference order. m is the longest row found:
            k, or less when fewer references qualify.
        distances : ndarray of float64, shape (q, m)
            Infinite where a row has fewer than m neighbors; the id there is -1 or "".

        Raises
        ------
        InputError
            When a value cannot be used, or there are no labels for `where`.
        """
        self._require_built()
        Q = as_vectors(Q, self.d, "Q")
        k, radius, where = as_k(k), as_radius(radius), as_where(where)
        k = self._at_most(k)
        if k == 0 or len(Q) == 0:
            return self._no_neighbors(len(Q))
        if where is not None and not self._has_labels:
            raise InputError("this index has no labels; give labels to build, or leave out where")
        ids, distances = self._search(Q, k, radius, where)
        return _within(ids, distances, radius)

    def save(self, path: StrPath, images: Mapping[str, Any] | None = None) -> None:
        """Write the index as a folder, whole or not at all; `load` opens it.

        An index that is already there is replaced; any other folder that is not empty is
        refused.

        Parameters
        ----------
        path : str or Path
        images : dict, optional
            What an `ImageIndex` keeps beside its engine.
        """
        self._require_built()
        storage.save(path, self.name, self._settings(), self._write, images)

    @classmethod
    def restore(cls, folder: Path, settings: dict[str, Any], **options: Any) -> Engine:
        """Open what `save` wrote; `image_retrieval.index.load` calls it."""
        engine = cls(**{**settings["options"], **options})
        engine._read(folder, settings)
        return engine

    def _require_built(self):
        if self.d is None:
            raise InputError(f"the {self.name} index holds nothing yet; call build(X, ids) first")

    def _settings(self):
        return {"options": self._options(), "n": self.n, "d": self.d}

    def _options(self):
        return {name: getattr(self, name) for name in signature(type(self)).parameters}

    def _at_most(self, k):
        return self.n if k is None else min(k, self.n)

    def _take(self, into, X, ids, labels):
        labels = as_labels(labels, len(X))
        fits = self._of_our_kind(ids) and (labels is not None) == self._has_labels
        if not len(X):
            return self
        if not fits and not self.n:
            return self.build(X, ids, labels)
        self._refuse_mixed(ids, labels)
        into(X, ids, labels)
        return self

    def _of_our_kind(self, ids):
        return ids.dtype.kind == self._id_dtype().kind

    def _refuse_mixed(self, ids, labels):
        if not self._of_our_kind(ids):
            ours, theirs = _kind(self._id_dtype()), _kind(ids.dtype)
            raise InputError(f"the index has {ours} as ids, the new ones are {theirs}; use one")
        if (labels is not None) != self._has_labels:
            raise InputError("labels must be given for all vectors or for none; rebuild the index")

    def _refuse_known(self, ids):
        known = ids[self._known(ids)]
        if len(known):
            problem = f"id {known[0]!s} is in the index already"
            raise InputError(f"{problem}; ids must be unique, and update gives one a new vector")

    def _refuse_unknown(self, ids):
        unknown = ids if not self._of_our_kind(ids) else ids[~self._known(ids)]
        if len(unknown):
            more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
            problem = f"id {unknown[0]!s}{more} is not in the index"
            raise InputError(f"{problem}; nothing was removed, leave it out")

    def _no_neighbors(self, q):
        return np.empty((q, 0), dtype=self._id_dtype()), np.empty((q, 0))

    @abstractmethod
    def _id_dtype(self):
        """The dtype of ids."""

    @abstractmethod
    def _replace(self, X, ids, labels):
        """Forget everything and index these."""

    @abstractmethod
    def _known(self, ids):
        """Tell which of the ids, of the kind that is there, are in the index: bool (n,)."""

    @abstractmethod
    def _next_id(self):
        """Return the first integer that no id reaches, at least n; anything where ids are str."""

    @abstractmethod
    def _append(self, X, ids, labels):
        """Index these too, of the kinds that are there; refuse ids that are."""

    @abstractmethod
    def _upsert(self, X, ids, labels):
        """Index these, of the kinds that are there, in place of those of the same ids."""

    @abstractmethod
    def _remove(self, ids):
        """Forget these, all of which are there."""

    @abstractmethod
    def _search(self, Q, k, radius, where):
        """Return ids and distances as `search` does; `radius` may be left to the caller."""

    @abstractmethod
    def _write(self, folder):
        """Write the index's files into an empty folder."""

    @abstractmethod
    def _read(self, folder, settings):
        """Read them."""


class MemoryEngine(Engine):
    """An engine that keeps the reference vectors in memory as one float32 array."""

    _in_memory = True
    _X: Any
    _ids: Any
    _labels: Any
    _mapped = False  # whether the vectors of a saved index stay in their file

    def __init__(self, metric: str = "euclidean") -> None:
        super().__init__(metric)
        self._X = self._ids = self._labels = None

    @property
    def n(self) -> int:  # type: ignore[override]  # it follows the vectors
        """The number of reference vectors."""
        return 0 if self._X is None else len(self._X)

    @property
    def d(self) -> Any:
        """The number of dimensions, None before `build`."""
        return None if self._X is None else self._X.shape[1]

    @property
    def _has_labels(self):
        return self._labels is not None

    def _id_dtype(self):
        return self._ids.dtype

    def _replace(self, X, ids, labels):
        self._X, self._ids, self._labels = X, ids, labels
        self._prepare()

    def _append(self, X, ids, labels):
        self._refuse_known(ids)
        self._change(np.ones(self.n, dtype=bool), X, ids, labels)

    def _upsert(self, X, ids, labels):
        self._change(~np.isin(self._ids, ids), X, ids, labels)

    def _remove(self, ids):
        self._change(~np.isin(self._ids, ids))

    def _known(self, ids):
        return np.isin(ids, self._ids)

    def _next_id(self):
        integers = self.n and self._ids.dtype.kind == "i"
        return max(self.n, int(self._ids.max()) + 1) if integers else self.n

    def _change(self, kept, X=(), ids=(), labels=()):
        """Keep these rows only, bool (n,), and put the new ones behind them."""
        ours, new = (self._X, self._ids, self._labels), (X, ids, labels)
        # Together, so that an interruption leaves all as they were.
        self._X, self._ids, self._labels = (_changed(a, kept, b) for a, b in zip(ours, new))
        self._follow(kept)

    def _search(self, Q, k, radius, where):
        rows = None if where is None else np.flatnonzero(np.isin(self._labels, where))
        available = self.n if rows is None else len(rows)
        if not available:
            return self._no_neighbors(len(Q))
        places, distances = self._nearest(Q, min(k, available), radius, rows)
        ids = self._ids[np.maximum(places, 0)]
        ids[places < 0] = _missing(ids.dtype)
        return ids, distances

    def _write(self, folder):
        arrays = {"vectors": self._X, "ids": self._ids, "labels": self._labels}
        for name, array in arrays.items():
            if array is not None:
                np.save(str(folder / f"{name}.npy"), array, allow_pickle=False)

    def _read(self, folder, settings):
        shape = (settings["n"], settings["d"])
        self._X = as_vectors(storage.read_array(folder, "vectors", "f", shape, self._mapped))
        self._ids = as_ids(storage.read_array(folder, "ids", "iU", shape[:1]), shape[0])
        has_labels = (folder / "labels.npy").exists()
        self._labels = storage.read_array(folder, "labels", "U", shape[:1]) if has_labels else None
        self._reopen(folder)

    def _follow(self, kept):
        """Make ready to search after only these rows stayed, and new ones came behind them."""
        self._prepare()

    def _reopen(self, folder):
        """Make ready to search after the arrays have been read from `folder`."""
        self._prepare()

    @abstractmethod
    def _prepare(self):
        """Make ready to search `self._X`."""

    @abstractmethod
    def _nearest(self, Q, k, radius, rows):
        """Return rows (-1 for none) and distances, (q, k), among `rows` or all for None."""


def needed(module: str, engine: str, way_out: str) -> Any:
    """Return the module of this name that an engine needs, if it is installed."""
    try:
        return import_module(module)
    except ImportError:
        what = f"the engine {engine!r} needs {module}, which is not installed here"
        raise InputError(f"{what}; {way_out}") from None


def _changed(array, kept, new):
    if array is None:
        return None
    rest = array if kept.all() else array[kept]
    return np.concatenate([rest, new]) if len(new) else rest


def _kind(dtype):
    return "strings" if dtype.kind == "U" else "integers"


def _missing(dtype):
    return "" if dtype.kind == "U" else -1


def _within(ids, distances, radius):
    if radius is not None:
        outside = ~(distances <= radius)
        distances = np.where(outside, np.inf, distances)
        ids = np.where(outside, _missing(ids.dtype), ids)
    longest = int(np.isfinite(distances).sum(axis=1).max(initial=0))
    return ids[:, :longest], distances[:, :longest]
