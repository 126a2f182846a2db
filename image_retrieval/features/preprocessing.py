"""Bringing pictures of any size to the square a backbone takes."""

import numpy as np
from PIL import Image


def resize(image, size):
    """Return a picture stretched to a square.

    The whole picture is kept and its proportions are not, so that nothing at its edges is
    lost to the search.

    Parameters
    ----------
    image : ndarray of uint8, shape (h, w, 3)
    size : int
        Side of the square in pixels.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
        Made with Pillow's bicubic filter, which widens when it shrinks (no aliasing).

    Examples
    --------
    >>> resize(np.zeros((2, 3, 3), np.uint8), 4).shape
    (4, 4, 3)
    """
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


def resize_all(images, size):
    """Return pictures as one array of uint8 (n, size, size, 3), see `resize`."""
    pixels = np.empty((len(images), size, size, 3), np.uint8)
    for row, image in zip(pixels, images):
        row[...] = resize(image, size)
    return pixels
