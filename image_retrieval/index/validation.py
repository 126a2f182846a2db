"""Turning what a person hands to an engine into arrays that every engine can trust."""

from __future__ import annotations

import numbers
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

METRICS = ("euclidean", "squared_euclidean", "cosine")
_BLOCK = 4096


def as_vectors(values: Any, d: int | None = None, what: str = "X", copy: bool = False) -> Array:
    """Return vectors as a C-contiguous float32 array of shape (n, d).

    Parameters
    ----------
    values : array-like of real numbers, shape (n, d), or (d,) for one vector
    d : int, optional
        The number of dimensions the vectors must have.
    what : str
        What to call the value in an error message.
    copy : bool
        Return an array that nobody else can change. One that is read-only and owns its memory
        need not be copied for that.

    Raises
    ------
    InputError
        When the values are not numbers, are ragged, have the wrong shape, or hold a NaN,
        an infinity or a number too large for float32.

    Examples
    --------
    >>> as_vectors([1, 2, 3]).shape
    (1, 3)
    """
    array = _as_numbers(values, what)
    if array.ndim == 1 and array.size:
        array = array[None, :]
    if array.ndim != 2 or array.shape[1] == 0:
        problem = f"{what} must have shape (n, d) with d at least 1, got {array.shape}"
        raise InputError(f"{problem}; give one row per vector")
    if d is not None and array.shape[1] != d:
        problem = f"{what} has {array.shape[1]} dimensions a row, the index has {d}"
        raise InputError(f"{problem}; use the features of the same backbone")
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(array, dtype=np.float32)
    shared = np.may_share_memory(vectors, array)
    if copy and shared and (vectors.flags.writeable or not vectors.flags.owndata):
        vectors = vectors.copy()
    _refuse_not_finite(vectors, what)
    return vectors


def _as_numbers(values, what):
    try:
        array = np.asarray(values)
    except ValueError:
        problem = f"{what} has rows of different lengths"
        raise InputError(f"{problem}; give every vector as many numbers") from None
    if isinstance(values, np.ma.MaskedArray) and values.mask.any():
        raise InputError(f"{what} has masked values; fill them in or leave those rows out")
    if array.dtype.kind not in "fiu":
        way_out = "convert it with .astype('float32')"
        raise InputError(f"{what} must hold real numbers, got {array.dtype}; {way_out}")
    return array


def _refuse_not_finite(vectors, what):
    for start in range(0, len(vectors), _BLOCK):
        finite = np.isfinite(vectors[start : start + _BLOCK]).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            problem = f"{what} row {row} holds a NaN, an infinity or a number too large for float32"
            raise InputError(f"{problem}; remove or repair that row")


def as_ids(ids: Any, n: int, first: int = 0) -> Array:
    """Return `n` ids as an array of int64 or str, by default `first`, `first` + 1, …

    Raises
    ------
    InputError
        When there are not `n` of them, they are neither integers nor strings, or one
        appears twice.
    """
    if ids is None:
        if first + n > np.iinfo(np.int64).max:
            raise InputError(f"there are no {n} integers left after id {first - 1}; give ids")
        return np.arange(first, first + n, dtype=np.int64)
    array = _as_integers_or_strings(ids)
    if len(array) != n:
        raise InputError(f"{len(array)} ids for {n} vectors; give one id per row")
    values, counts = np.unique(array, return_counts=True)
    for value, times in zip(values[counts > 1], counts[counts > 1]):
        often = "twice" if times == 2 else f"{times} times"
        raise InputError(f"id {value!s} appears {often}; ids must be unique")
    return array


def _as_integers_or_strings(values):
    if isinstance(values, np.ndarray) and values.dtype.kind in "iU" and values.ndim == 1:
        return values.astype(np.int64 if values.dtype.kind == "i" else values.dtype)
    values = list(values)
    if all(isinstance(value, str) for value in values) and values:
        return _as_strings(values, "ids")
    if all(_is_integer(value) for value in values):
        try:
            return np.array(values, dtype=np.int64)
        except OverflowError:
            raise InputError("ids must fit into 64 bits; use strings") from None
    odd = next(value for value in values if isinstance(value, str) or not _is_integer(value))
    raise InputError(f"ids must be all integers or all strings, got {odd!r} among them")


def _is_integer(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))


def as_labels(labels: Any, n: int) -> Any:
    """Return `n` labels as an array of str, or None when there are none."""
    if labels is None:
        return None
    labels = list(labels)
    if len(labels) != n:
        raise InputError(f"{len(labels)} labels for {n} vectors; give one label per row")
    return _as_strings(_strings(labels, "a label must be a string"), "labels")


def _strings(values, rule):
    for value in values:
        if not isinstance(value, str):
            raise InputError(f"{rule}, got {value!r}")
    return values


def _as_strings(values, what):
    for value in values:
        if value.endswith("\0"):
            raise InputError(f"{what} must not end in a NUL, which arrays drop, got {value!r}")
    return np.array(values, dtype=np.str_)


def as_k(k: Any) -> int | None:
    """Return the number of neighbors, None for all of them."""
    if k is None:
        return None
    if not _is_integer(k) or k < 0:
        raise InputError(f"k must be an integer of at least 0, or None for all, got {k!r}")
    return int(k)


def as_radius(radius: Any) -> float | None:
    """Return the largest distance to report, None for no limit."""
    if radius is None:
        return None
    number: Any = radius
    if isinstance(radius, bool) or not isinstance(radius, numbers.Real) or not number >= 0:
        raise InputError(f"radius must be a number of at least 0, or None, got {radius!r}")
    return float(min(radius, sys.float_info.max))


def as_where(where: Any) -> list[str] | None:
    """Return the labels to search among as a list of str, None for all."""
    if where is None:
        return None
    return _strings(listed(where), "where must be a label or a list of labels")


def listed(values: Any) -> list[Any]:
    """Return one value, or several, as a sequence.

    Examples
    --------
    >>> listed("cat"), listed(("cat", "dog"))
    (['cat'], ['cat', 'dog'])
    """
    return [values] if isinstance(values, str) or not np.iterable(values) else list(values)


def as_metric(metric: Any) -> str:
    """Return the name of a metric."""
    if metric not in METRICS:
        raise InputError(f"metric {metric!r} is not known here; use one of {', '.join(METRICS)}")
    return metric
