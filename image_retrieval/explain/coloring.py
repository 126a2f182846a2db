"""Drawing shares over a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from image_retrieval.images import as_rgb, fit
from image_retrieval.palette import BLUE, VERMILION, as_rgb_values

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyPicture, Array, ArrayLike

ALIKE, UNLIKE = as_rgb_values(VERMILION), as_rgb_values(BLUE)
_STRONGEST = 0.8  # leaves a trace of the picture under the deepest color
# Shares differ in their last digits between machines; in steps, a picture does not.
_STEPS = 32


def overlay(
    picture: AnyPicture,
    shares: ArrayLike,
    limit: float | None = None,
    size: int = 128,
    colors: tuple[Any, Any] = (ALIKE, UNLIKE),
) -> Array:
    """Color the parts of a picture by their shares.

    Parameters
    ----------
    picture : picture
        Anything `image_retrieval.images.as_rgb` takes. It is shown in gray.
    shares : array of float, shape (h, w)
        Laid over the whole picture, smoothly enlarged.
    limit : float, optional
        The share from which on the color is the deepest; by default the largest here. Give the
        same for several pictures to compare them.
    size : int
        Length of the result's longer side.
    colors : pair of (red, green, blue)
        For positive shares and for negative ones.

    Returns
    -------
    ndarray of uint8, shape (h', w', 3)

    Examples
    --------
    >>> overlay(np.zeros((8, 4, 3), np.uint8), [[0.5, -0.5]], size=16).shape
    (16, 8, 3)
    """
    gray = Image.fromarray(as_rgb(picture)).convert("L")
    gray = gray.resize(fit(gray.width, gray.height, size), Image.Resampling.BICUBIC)
    shares = np.asarray(shares, dtype=np.float32)
    limit = float(np.abs(shares).max()) if limit is None else limit
    steps = np.rint(_STEPS * np.clip(shares / (limit or 1.0), -1, 1)) / np.float32(_STEPS)
    heat = np.asarray(Image.fromarray(steps).resize(gray.size, Image.Resampling.BICUBIC))[..., None]
    color = np.where(heat > 0, *(np.asarray(color, np.float32) for color in colors))
    opacity = _STRONGEST * np.clip(np.abs(heat), 0, 1)
    ground = np.asarray(gray, dtype=np.float32)[..., None]
    return np.rint(ground * (1 - opacity) + color * opacity).astype(np.uint8)


def key(
    low: float, high: float, size: int = 128, colors: tuple[Any, Any] = (ALIKE, UNLIKE)
) -> Array:
    """Return a strip of the colors of shares from `low` to `high`, for `overlay`'s pictures."""
    strip, gray = np.linspace(low, high, size)[None], np.full((size // 8, size, 3), 150, np.uint8)
    return overlay(gray, strip, size=size, colors=colors)
