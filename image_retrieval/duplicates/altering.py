"""Copies of pictures with small changes, to try with what a search for duplicates finds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageEnhance

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Array


def _resized(image):
    return image.resize([max(1, side * 3 // 4) for side in image.size], Image.Resampling.LANCZOS)


def _reencoded(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return Image.open(file).convert("RGB")


def _cropped(image):
    width, height = image.size
    box = (0.025 * width, 0.025 * height, 0.975 * width, 0.975 * height)
    return image.resize(image.size, Image.Resampling.BICUBIC, box)


def _mirrored(image):
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _brightened(image):
    return ImageEnhance.Brightness(image).enhance(1.2)


_CHANGES = {
    "resized": _resized,
    "re-encoded": _reencoded,
    "cropped": _cropped,
    "mirrored": _mirrored,
    "brightened": _brightened,
}


def kinds() -> list[str]:
    """Return the names of the changes that `altered` makes.

    Examples
    --------
    >>> kinds()
    ['resized', 're-encoded', 'cropped', 'mirrored', 'brightened']
    """
    return list(_CHANGES)


def altered(pixels: Array, kind: str) -> Array:
    """Return a copy of a picture with a small change.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    kind : str
        One of `kinds()`: "resized" to three quarters of its sides, "re-encoded" as a JPEG of
        quality 75, "cropped" by 5% of each side and brought back to its size, "mirrored", or
        "brightened" by 20%.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3); of the new sides where it was resized

    Examples
    --------
    >>> altered(np.zeros((8, 12, 3), np.uint8), "resized").shape
    (6, 9, 3)
    """
    if kind not in _CHANGES:
        raise InputError(
            f"kind={kind!r} is no change that is known; use one of {', '.join(_CHANGES)}"
        )
    return np.asarray(_CHANGES[kind](Image.fromarray(pixels)))
