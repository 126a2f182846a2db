"""From pictures to deep features, in batches and on all cores.

Each worker thread takes a batch through everything: reading, resizing, the network. Pillow
and ONNX Runtime both release Python's lock, so one batch is resized while another is in the
network. Only a few batches are under way at any time, whatever the number of pictures.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from math import prod
from numbers import Integral
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import get_backbone
from image_retrieval.features.graph_cache import cache_folder
from image_retrieval.features.preprocessing import resize_all
from image_retrieval.hardware import cores
from image_retrieval.images import as_rgb, is_one_picture

# Seconds after which the progress bar appears.
_PATIENCE = 1.0
# Each thread holds a batch's activations, up to some hundred MB at 224 px.
_MAX_THREADS = 8


def extract(
    images,
    backbone="efficientnet_lite0",
    size=None,
    batch_size=8,
    progress=True,
    flip=False,
    cache=None,
    weights=None,
    pooling="avg",
    layer=None,
):
    """Turn pictures into deep features.

    Parameters
    ----------
    images : iterable of pictures, array of shape (n, h, w, 3), SArray, or one picture
        Whatever `image_retrieval.images.as_rgb` takes, of any sizes. A generator is read a
        few batches ahead, so that not all pictures need to fit in memory.
    backbone : str
        One of `backbones()`.
    size : int, optional
        Side in pixels of the square each picture is stretched to; the backbone's own when
        not given. Features of different sizes should not be compared.
    batch_size : int
        Pictures a thread works on at a time. The features do not depend on it.
    progress : bool
        Show a bar on standard error, or as a widget in a notebook, once the work has taken
        a second. False never shows one, as a notebook whose outputs are compared needs it.
    flip : bool
        Average the features of each picture and of its mirror image.
    cache : str or Path, optional
        Folder for what is derived from the weights; `IMAGE_RETRIEVAL_CACHE` or the system's
        cache folder when not given.
    weights : str or Path, optional
        Weights file to use in place of the backbone's usual one.
    pooling : {"avg", None}
        The mean over the last feature map, or the whole of it in one long vector.
    layer : str, optional
        An earlier layer to take in place of the last, one of the backbone's `layers`; its
        features have a length of their own.

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
    options = _checked_options(backbone, size, batch_size, flip)
    X = _run(images, _network(backbone, pooling, weights, cache, layer), options, progress)
    return X.reshape(len(X), prod(X.shape[1:]))


def extract_map(
    images,
    backbone="efficientnet_lite0",
    size=None,
    batch_size=8,
    progress=True,
    flip=False,
    cache=None,
    weights=None,
    layer=None,
):
    """Turn pictures into their last feature maps.

    The mean of a map over its rows and columns is the vector that `extract` returns.

    Parameters
    ----------
    images, backbone, size, batch_size, progress, flip, cache, weights, layer
        As for `extract`. With `flip`, the mirror image's map is mirrored back before the two
        are averaged, so that each place still stands for the same part of the picture.

    Returns
    -------
    ndarray of float32, shape (n, h, w, d)
    """
    options = _checked_options(backbone, size, batch_size, flip)
    return _run(images, _network(backbone, None, weights, cache, layer), options, progress)


class _Options(NamedTuple):
    size: int
    batch_size: int
    flip: bool


def _checked_options(backbone, size, batch_size, flip):
    known = get_backbone(backbone)
    size = known.size if size is None else size
    if not isinstance(size, Integral) or size < known.min_size:
        raise InputError(
            f"size={size!r} cannot be used with {backbone}; give a whole number of pixels, "
            f"at least {known.min_size}"
        )
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise InputError(f"batch_size={batch_size!r} must be a whole number, at least 1")
    return _Options(int(size), int(batch_size), bool(flip))


def _network(backbone, pooling, weights, cache, layer):
    if pooling not in ("avg", None):
        raise InputError(f'pooling={pooling!r} is not known; give "avg" or None')
    layers = get_backbone(backbone).layers
    if layer is not None and layer not in layers:
        known = ", ".join(layers) or "none but the last, so leave it out"
        raise InputError(f"{backbone} has no layer={layer!r} to take; there are: {known}")
    weights = None if weights is None else Path(weights).resolve()
    return _loaded(backbone, pooling, weights, cache_folder(cache), layer)


@lru_cache(maxsize=4)
def _loaded(backbone, pooling, weights, cache, layer):
    chosen = {} if layer is None else {"layer": layer}
    load = get_backbone(backbone).load
    return load(pooling=pooling, weights=weights, cache=cache, **chosen)


def _run(images, network, options, progress):
    if is_one_picture(images):
        images = [images]
    elif not hasattr(images, "__iter__") and not hasattr(images, "__getitem__"):
        raise InputError(f"pictures must be a sequence, got {type(images).__name__}; give a list")
    total = len(images) if hasattr(images, "__len__") else None
    workers = available_cores()
    if total:
        # A short list is shared out among the threads instead of going to the first.
        options = options._replace(batch_size=min(options.batch_size, -(-total // workers)))
    # `disable` given at all would overrule the TQDM_DISABLE of the environment.
    shown = {} if progress else {"disable": True}
    with tqdm(total=total, unit="image", delay=_PATIENCE, **shown) as bar:
        parts = []
        for part in _in_order(_batches(images, options.batch_size), network, options, workers):
            parts.append(part)
            bar.update(len(part))
    if not parts:
        return network(np.zeros((1, options.size, options.size, 3), np.uint8))[:0]
    return np.concatenate(parts)


def _batches(images, batch_size):
    """Yield (position of the first, list of files and arrays)."""
    pictures, start = enumerate(images), 0
    while True:
        batch = [_taken(position, picture) for position, picture in islice(pictures, batch_size)]
        if not batch:
            return
        yield start, batch
        start += len(batch)


def _taken(position, picture):
    # Files are left for the threads to read. Other pictures might be changed by their owner in
    # the meantime, or be decoded by something that is not safe in several threads.
    return picture if isinstance(picture, (str, Path)) else _read(position, picture)


def _in_order(batches, network, options, workers):
    """Yield the result of each batch, a few of them being worked on at a time."""
    pending = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="extract")
    try:
        for start, batch in batches:
            pending.append(pool.submit(_features, start, batch, network, options))
            if len(pending) > workers + 1:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
        pool.shutdown()


def _features(start, batch, network, options):
    pictures = [_read(position, picture) for position, picture in enumerate(batch, start)]
    pixels = resize_all(pictures, options.size)
    features = network(pixels)
    if options.flip:
        mirrored = network(pixels[:, :, ::-1])
        # A map's third side is its columns; a vector has none to mirror back.
        mirrored = mirrored[:, :, ::-1] if mirrored.ndim == 4 else mirrored
        features = (features + mirrored) * np.float32(0.5)
    return features


def _read(position, picture):
    try:
        return as_rgb(picture)
    except InputError as error:
        raise InputError(f"picture {position}: {error}") from None


def available_cores():
    """Return how many cores this process may use, at most 8."""
    return min(cores(), _MAX_THREADS)
