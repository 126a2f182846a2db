"""Raw pixels as features: the baseline that deep features are measured against."""

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.features.preprocessing import resize_all
from image_retrieval.images import as_rgb_list


def pixel_vectors(images, size=None):
    """Turn pictures into vectors of their pixels.

    Parameters
    ----------
    images : iterable of pictures, array of shape (n, h, w, 3), SArray, or one picture
        Whatever `image_retrieval.images.as_rgb` takes.
    size : int, optional
        Side in pixels of the square each picture is stretched to first. Without it all
        pictures must have one size already.

    Returns
    -------
    ndarray of float32, shape (n, h * w * 3)
        Values from 0 to 255, row by row; float, because differences of unsigned integers
        wrap around.

    Raises
    ------
    InputError
        When there are no pictures, or their sizes differ and no `size` is given.

    Examples
    --------
    >>> pixel_vectors(np.full((2, 4, 4, 3), 7, np.uint8)).shape
    (2, 48)
    """
    images = as_rgb_list(images)
    if not images:
        raise InputError("no pictures were given; give at least one")
    if size is not None:
        return resize_all(images, size).reshape(len(images), -1).astype(np.float32)
    shapes = sorted({image.shape[:2] for image in images})
    if len(shapes) > 1:
        raise InputError(
            f"pictures of {len(shapes)} sizes, {shapes[0]} and {shapes[1]} among them, cannot be "
            "compared pixel by pixel; give size=32 to stretch all to one"
        )
    return np.stack(images).reshape(len(images), -1).astype(np.float32)
