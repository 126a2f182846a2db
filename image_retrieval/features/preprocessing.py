"""Bringing pictures of any size to the square a backbone takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

INTERPOLATIONS = ("bicubic", "bilinear", "lanczos", "nearest")


def resize(image: Array, size: int, interpolation: str = "bicubic") -> Array:
    """Return a picture stretched to a square.

    The whole picture is kept and its proportions are not, so that nothing at its edges is
    lost to the search.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w, 3)
    size : int
        Side of the square in pixels.
    interpolation : str
        One of `INTERPOLATIONS`, the names of Pillow's filters.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
        Pillow's filters widen when they shrink a picture (no aliasing), but for "nearest".

    Examples
    --------
    >>> resize(np.zeros((2, 3, 3), np.uint8), 4).shape
    (4, 4, 3)
    """
    if image.shape[:2] == (size, size):
        return image
    chosen = Image.Resampling[interpolation.upper()]
    return np.asarray(Image.fromarray(image).resize((size, size), chosen))


def resize_all(images: Sequence[Array], size: int, interpolation: str = "bicubic") -> Array:
    """Return pictures as one array of uint8 (n, size, size, 3), see `resize`."""
    pixels = np.empty((len(images), size, size, 3), np.uint8)
    for row, image in zip(pixels, images):
        row[...] = resize(image, size, interpolation)
    return pixels
