"""Pictures from strangers: judged by their content before anything is decoded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import ImageOps

from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb, open_picture

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

# The widget shrinks larger files in the browser, so nobody who uses it meets this limit.
MAX_BYTES = 2 << 20
# Decoding takes up to 18 bytes a pixel, which comes to 300 MB.
MAX_PIXELS = 1 << 24
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def read_upload(data: bytes) -> Array:
    """Return an uploaded picture file as pixels, upright; nothing else of the file is kept.

    Parameters
    ----------
    data : bytes
        A PNG, JPEG, WebP or GIF, told by its content; of an animation the first frame counts.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)

    Raises
    ------
    InputError
        When it is something else, is damaged, or has more than `MAX_BYTES` or `MAX_PIXELS`.
    """
    name = "Your picture"
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} has more than {MAX_BYTES >> 20} MB; choose a smaller one")
    with open_picture(io.BytesIO(data), name, _FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise InputError(
                f"{image.width:,} x {image.height:,} pixels, more than {MAX_PIXELS >> 20} million; "
                "choose a smaller one"
            )
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return as_rgb(image)
