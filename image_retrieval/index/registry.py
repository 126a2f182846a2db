"""The search engines by name; a new one is a new module and a line here."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from image_retrieval.errors import InputError
from image_retrieval.index import storage

if TYPE_CHECKING:
    from image_retrieval.index.engine import Engine
    from image_retrieval.signatures import ArrayLike, StrPath, Values

_ENGINES = {
    "turicreate": ("turi", "TuriCreateEngine"),
    "exact": ("exact", "ExactEngine"),
    "hnsw": ("hnsw", "HnswEngine"),
    "codes": ("codes", "CodesEngine"),
    "faiss": ("faiss", "FaissEngine"),
    "milvus": ("milvus", "MilvusEngine"),
}


def engines() -> list[str]:
    """Return the names of the engines.

    Examples
    --------
    >>> engines()
    ['turicreate', 'exact', 'hnsw', 'codes', 'faiss', 'milvus']
    """
    return list(_ENGINES)


def build(
    X: ArrayLike,
    ids: Values | None = None,
    labels: Values | None = None,
    engine: str = "exact",
    **options: Any,
) -> Engine:
    """Index reference vectors with the engine of this name.

    Parameters
    ----------
    X : array of numbers, shape (n, d)
    ids, labels
        See `Engine.build`.
    engine : str
        One of `engines()`.
    **options
        `metric` and the engine's own options, see its class.

    Returns
    -------
    Engine

    Examples
    --------
    >>> index = build([[0, 0], [3, 4], [6, 8]], ids=[7, 5, 9])
    >>> index.search([3, 4], k=2)
    (array([[5, 7]]), array([[0., 5.]]))
    """
    return _class_of(engine, options)(**options).build(X, ids, labels)


def load_engine(path: StrPath, **options: Any) -> tuple[Engine, Any]:
    """Open an index that `Engine.save` wrote.

    Parameters
    ----------
    path : str or Path
    **options
        Of the engine, in place of those that were saved.

    Returns
    -------
    Engine
    dict or None
        What an `ImageIndex` kept beside it.

    Raises
    ------
    InputError
        When there is none, or it is damaged.
    """
    with storage.refusing_damage(path):
        folder, engine, settings, images = storage.read(path)
        return _class_of(engine, options).restore(folder, settings, **options), images


def _class_of(engine, options):
    """Return the class of an engine, which must have these options."""
    if engine not in _ENGINES:
        raise InputError(f"engine {engine!r} is not known; use one of {', '.join(_ENGINES)}")
    module, name = _ENGINES[engine]
    found = getattr(import_module(f"image_retrieval.index.{module}"), name)
    there = signature(found).parameters
    for name in options:
        if name not in there:
            raise InputError(f"engine {engine!r} has no option {name!r}; it has {', '.join(there)}")
    return found
