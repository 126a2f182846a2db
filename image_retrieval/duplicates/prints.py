"""What the pixels of a picture say: a hash for exact copies, a thumbnail for near ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from image_retrieval.images import iterate_rgb

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, Pictures

SIDE = 12


@dataclass(frozen=True, eq=False)
class Prints:
    """The prints of n pictures.

    Attributes
    ----------
    hashes : tuple of n str
        Of size and pixels: equal for exact copies, whatever file format held them.
    thumbnails : ndarray of uint8, shape (n, 12, 12, 3)
    """

    hashes: tuple[str, ...]
    thumbnails: np.ndarray

    def __len__(self) -> int:
        return len(self.hashes)

    def take(self, rows: Array) -> Prints:
        """Return the prints of some rows."""
        return Prints(tuple(self.hashes[row] for row in rows), self.thumbnails[rows])

    def vectors(self, mirrored: bool = False) -> Array:
        """Return thumbnails as vectors whose product is a correlation.

        Each color's mean is taken away and the length made 1, so that brightness and contrast
        do not count. A picture of one color becomes all zeros.

        Returns
        -------
        ndarray of float32, shape (n, 432)
        """
        shown = self.thumbnails[:, :, ::-1] if mirrored else self.thumbnails
        centered = shown - shown.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
        X = centered.reshape(len(shown), SIDE * SIDE * 3)
        lengths = np.linalg.norm(X, axis=1, keepdims=True)
        return (X / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def picture_print(pixels: Array) -> tuple[str, Array]:
    """Return the hash and the thumbnail of one picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)

    Returns
    -------
    hash : str
    thumbnail : ndarray of uint8, shape (12, 12, 3)
    """
    total = hashlib.sha256(str(pixels.shape).encode())
    total.update(np.ascontiguousarray(pixels))
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    return total.hexdigest(), np.asarray(small)


def picture_prints(images: Pictures) -> Prints:
    """Return the prints of pictures.

    Parameters
    ----------
    images : iterable of pictures, or array of shape (n, h, w, 3)
        Anything `image_retrieval.images.as_rgb` takes.

    Returns
    -------
    Prints

    Examples
    --------
    >>> black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    >>> prints = picture_prints([black, white, black])
    >>> prints.hashes[0] == prints.hashes[2], prints.hashes[0] == prints.hashes[1]
    (True, False)
    """
    found = [picture_print(pixels) for pixels in iterate_rgb(images)]
    thumbnails = np.array([thumbnail for _, thumbnail in found], np.uint8)
    return Prints(tuple(key for key, _ in found), thumbnails.reshape(-1, SIDE, SIDE, 3))
