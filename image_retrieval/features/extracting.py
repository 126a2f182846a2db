"""From pictures to deep features, in batches and on all cores.

Each worker thread takes a batch through everything: reading, resizing, the network. Pillow
and ONNX Runtime both release Python's lock, so one batch is resized while another is in the
network. Only a few batches are under way at any time, whatever the number of pictures.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from itertools import count, islice
from math import prod
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm.auto import tqdm

from image_retrieval.errors import InputError
from image_retrieval.features.extraction import as_extraction, backbone_of, weights_file
from image_retrieval.features.preprocessing import resize_all
from image_retrieval.files import file_hash
from image_retrieval.hardware import cores
from image_retrieval.images import as_sequence, read

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, How, Pictures, StrPath

# Seconds after which the progress bar appears.
_PATIENCE = 1.0
# Each thread holds a batch's activations, up to some hundred MB at 224 px.
_MAX_THREADS = 8


def extract(
    images: Pictures,
    extraction: How | None = None,
    batch_size: int = 8,
    progress: bool = True,
    weights: StrPath | None = None,
    threads: int | None = None,
    **changes: Any,
) -> Array:
    """Turn pictures into deep features.

    Parameters
    ----------
    images : iterable of pictures, array of shape (n, h, w, 3), SArray, or one picture
        Whatever `image_retrieval.images.as_rgb` takes, of any sizes. A generator is read a
        few batches ahead, so that not all pictures need to fit in memory.
    extraction : Extraction, JoinedExtraction or str, optional
        How: for features that are to be compared with others, the extraction of those. A
        string is the name of a backbone, or the TOML file of one's own; the default extraction
        when not given.
    batch_size : int
        Pictures a thread works on at a time. The features do not depend on it.
    progress : bool
        Show a bar on standard error, or as a widget in a notebook, once the work has taken
        a second. False never shows one, as a notebook whose outputs are compared needs it.
    weights : str or Path, optional
        File of weights, where they are not the backbone's usual ones.
    threads : int, optional
        Batches to work on at a time; as many as there are cores, at most 8, when not given.
    **changes
        Fields of `Extraction` to be otherwise, such as `size=128` or `flip=True`.

    Returns
    -------
    ndarray of float32, shape (n, d)
        In the order of `images`; (0, d) when there are none.

    Raises
    ------
    InputError
        When a picture cannot be read (its position is named), or an option is not valid.

    Examples
    --------
    >>> extract(np.zeros((2, 32, 32, 3), np.uint8), size=32).shape
    (2, 1280)
    """
    extraction = as_extraction(extraction, weights, **changes)
    if len(extraction.parts) > 1 and not hasattr(images, "__len__") and hasattr(images, "__iter__"):
        images = list(images)
    parts = []
    for part in extraction.parts:
        X = _run(images, part, _network(part, weights), batch_size, progress, threads)
        parts.append(part.finished(X.reshape(len(X), prod(X.shape[1:]))))
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def extract_map(
    images: Pictures,
    extraction: How | None = None,
    batch_size: int = 8,
    progress: bool = True,
    weights: StrPath | None = None,
    **changes: Any,
) -> Array:
    """Turn pictures into their last feature maps.

    The mean of a map over its rows and columns is the vector that `extract` returns, before
    a recipe.

    Parameters
    ----------
    images, extraction, batch_size, progress, weights, **changes
        As for `extract`. With `flip`, the mirror image's map is mirrored back before the two
        are averaged, so each position still shows the same part of the picture.

    Returns
    -------
    ndarray of float32, shape (n, h, w, d)
    """
    extraction = as_extraction(extraction, weights, **changes)
    if len(extraction.parts) > 1:
        raise InputError(f"{extraction} has no map of its own; give one of its parts")
    part = replace(extraction.parts[0], pooling=None)
    return _run(images, part, _network(part, weights), batch_size, progress)


def _network(extraction, weights):
    known = backbone_of(extraction)
    layer = None if extraction.layer in known.layers[-1:] else extraction.layer
    path, identity = weights_file(extraction, weights), None
    if path is not None:
        path, identity = path.resolve(), _checked_hash(extraction, path)
    return _loaded(known, extraction.pooling, path, identity, layer)


def _checked_hash(extraction, path):
    found = file_hash(path)
    if extraction.weights not in (None, found):
        wanted = f"these features need weights with {extraction.weights[:16]}…"
        raise InputError(f"{path} has SHA-256 {found[:16]}…, and {wanted}; give that as weights=")
    return found


@lru_cache(maxsize=8)
def _loaded(backbone, pooling, path, identity, layer):
    # By its hash, too: a file that has changed is another network.
    chosen = {} if layer is None else {"layer": layer}
    return backbone.load(pooling=pooling, weights=path, **chosen)


def _run(images, extraction, network, batch_size, progress, threads=None):
    workers = available_cores() if threads is None else threads
    for name, value in (("batch_size", batch_size), ("threads", workers)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise InputError(f"{name}={value!r} must be a whole number, at least 1")
    images = as_sequence(images)
    total = len(images) if hasattr(images, "__len__") else None
    if total:
        # A short list is shared out among the threads instead of going to the first.
        batch_size = min(batch_size, -(-total // workers))
    # `disable` given at all would overrule the TQDM_DISABLE of the environment.
    shown = {} if progress else {"disable": True}
    parts = []
    with tqdm(total=total, unit="image", delay=_PATIENCE, **shown) as bar:
        for part in _in_order(_batches(images, batch_size), network, extraction, workers):
            parts.append(part)
            bar.update(len(part))
    if not parts:
        return network(np.zeros((1, extraction.size, extraction.size, 3), np.uint8))[:0]
    return np.concatenate(parts)


def _batches(images, batch_size):
    """Return an iterator over (position of the first, list of files and arrays)."""
    taken = (_taken(*numbered) for numbered in enumerate(images))
    batches = iter(lambda: list(islice(taken, batch_size)), [])
    return zip(count(0, batch_size), batches)


def _taken(position, picture):
    # Files are left for the threads to read. Other pictures might be changed by their owner in
    # the meantime, or be decoded by something that is not safe in several threads.
    return picture if isinstance(picture, (str, Path)) else read(position, picture)


def _in_order(batches, network, extraction, workers):
    """Yield the result of each batch, a few of them being worked on at a time."""
    if workers == 1:  # a browser's Python cannot start even one thread
        for start, batch in batches:
            yield _features(start, batch, network, extraction)
        return
    pending: deque[Any] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="extract")
    try:
        for start, batch in batches:
            pending.append(pool.submit(_features, start, batch, network, extraction))
            if len(pending) > workers + 1:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
        pool.shutdown()


def _features(start, batch, network, extraction):
    pictures = [read(position, picture) for position, picture in enumerate(batch, start)]
    pixels = resize_all(pictures, extraction.size, backbone_of(extraction).interpolation)
    features = network(pixels)
    if extraction.flip:
        mirrored = network(pixels[:, :, ::-1])
        # A map's third side is its columns; a vector has none to mirror back.
        mirrored = mirrored[:, :, ::-1] if mirrored.ndim == 4 else mirrored
        features = (features + mirrored) * np.float32(0.5)
    return features


def available_cores() -> int:
    """Return how many cores this process may use, at most 8."""
    return min(cores(), _MAX_THREADS)
