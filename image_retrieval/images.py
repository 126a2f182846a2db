"""Turning whatever a person calls a picture into one kind of array.

Arrays, Pillow images, files and Turi Create images all become RGB arrays of uint8, so
that no other module needs to tell them apart. Turi Create is never imported: its images
are known by their `pixel_data`.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from image_retrieval.errors import InputError
from image_retrieval.files import refuse_special

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyPicture, Array, ArrayLike, Pictures, Values

# Pillow finds a file's format by its content, and some of the others start programs to read it.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
# Decoding takes up to 18 bytes a pixel, which comes to 1.2 GB; cameras of 48 megapixels fit.
MAX_PIXELS = 1 << 26

# What Pillow's decoders raise on damaged files, besides its own UnidentifiedImageError.
_DECODING_ERRORS: tuple[type[Exception], ...] = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError),
    *(OverflowError, MemoryError, struct.error, Image.DecompressionBombError),
)
# Turi Create's numbers for images that hold a whole JPEG or PNG file.
_TURI_FILES = (0, 1)
_opening = threading.Lock()


def as_rgb(image: ArrayLike) -> Array:
    """Return one picture as an RGB array.

    Parameters
    ----------
    image : array, PIL.Image.Image, turicreate.Image, str, Path or bytes
        An array is uint8 of shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4); a string or
        path names a picture file, and bytes are one: a JPEG, PNG, GIF, BMP, TIFF or WebP of
        at most `MAX_PIXELS`, turned upright by its EXIF orientation. Transparency is laid
        over white.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)
        A copy, to be changed freely.

    Raises
    ------
    InputError
        When the value is no picture, has no pixels or too many, holds numbers that are no
        shades of 8 or 16 bits, or the file cannot be read.

    Examples
    --------
    >>> as_rgb(np.zeros((4, 6), np.uint8)).shape
    (4, 6, 3)
    """
    if isinstance(image, (str, Path)):
        return _from_file(image, image)
    if isinstance(image, (bytes, bytearray)):
        return _from_file(io.BytesIO(image), f"{len(image):,} bytes")
    if isinstance(image, Image.Image):
        with _decoding("the picture"):
            return _from_pillow(image)
    if getattr(image, "_format_enum", None) in _TURI_FILES:
        # Turi Create decodes JPEG a little differently from Pillow. The same picture must
        # give the same pixels, whether it comes from a file or from an SFrame.
        return as_rgb(bytes(image._image_data))
    return _from_array(getattr(image, "pixel_data", image))


def as_rgb_list(images: Pictures) -> list[Array]:
    """Return pictures as a list of RGB arrays, see `as_rgb`.

    Parameters
    ----------
    images : iterable of pictures, array of shape (n, h, w, 3), or one picture

    Returns
    -------
    list of ndarray of uint8, shape (h, w, 3)

    Raises
    ------
    InputError
        Naming the first value that is no picture by its position.
    """
    return list(iterate_rgb(images))


def iterate_rgb(images: Pictures) -> Iterator[Array]:
    """Yield pictures as RGB arrays one at a time, see `as_rgb_list`."""
    for position, image in enumerate(as_sequence(images)):
        yield read(position, image)


def read(position: int, image: AnyPicture) -> Array:
    """Return one of several pictures as an RGB array; an error names it by its position."""
    try:
        return as_rgb(image)
    except InputError as error:
        raise InputError(f"picture {position}: {error}") from None


def as_sequence(images: Pictures) -> Any:
    """Return pictures as they are, and one alone in a list."""
    if is_one_picture(images):
        return [images]
    if not hasattr(images, "__iter__") and not hasattr(images, "__getitem__"):
        raise InputError(f"pictures must be a sequence, got {type(images).__name__}; give a list")
    return images


def is_one_picture(images: Any) -> bool:
    """Tell one picture from a sequence of them, by its type or an array's dimensions."""
    if isinstance(images, np.ndarray):
        return images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (1, 3, 4))
    kinds = (str, Path, bytes, bytearray, Image.Image)
    return isinstance(images, kinds) or hasattr(images, "pixel_data")


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """Return (width, height) scaled so that the longer side is `size`.

    Examples
    --------
    >>> fit(300, 200, 96)
    (96, 64)
    """
    longer = max(width, height)
    return max(1, round(width * size / longer)), max(1, round(height * size / longer))


def shrink(pixels: Array, size: int) -> Array:
    """Return the picture with its longer side at most `size`; a smaller one unchanged."""
    height, width = pixels.shape[:2]
    if max(width, height) <= size:
        return pixels
    resized = Image.fromarray(pixels).resize(fit(width, height, size), Image.LANCZOS)
    return np.asarray(resized)


@contextmanager
def open_picture(file: Any, name: object, formats: Values = _FORMATS) -> Iterator[Any]:
    """Yield a picture file as a Pillow image, of which only the size and format are read.

    Parameters
    ----------
    file : str, Path or file object
    name : str or Path
        What messages call it.
    formats : sequence of str
        The names, as Pillow gives them, of the formats that are read.

    Raises
    ------
    InputError
        When it is none of these, has too many pixels, or cannot be decoded inside the block.
    """
    with _decoding(name, formats):
        if isinstance(file, (str, Path)):
            refuse_special(file)
        with _opened(file, formats) as image:
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width:,} x {image.height:,} pixels, more than {MAX_PIXELS:,}"
                raise InputError(f"a picture of {size}; make it smaller")
            yield image


def _opened(file, formats):
    # Pillow only warns of pictures that are up to three times too large. Filters of warnings
    # belong to all threads.
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(file, formats=formats)


@contextmanager
def _decoding(name, formats=_FORMATS):
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    except FileNotFoundError:
        raise InputError(f"{name}: no such picture file; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{name}: a folder, not a picture; give the files in it") from None
    except UnidentifiedImageError:
        named = f"{', '.join(formats[:-1])} or {formats[-1]}".replace("WEBP", "WebP")
        problem = f"{name}: not a picture of a format that is read"
        raise InputError(f"{problem}; give a {named}") from None
    except _DECODING_ERRORS as error:
        problem = f"{name}: the picture cannot be read ({' '.join(str(error).split())})"
        raise InputError(f"{problem}; give a whole file of at most {MAX_PIXELS:,} pixels") from None


def _from_file(file, name):
    with open_picture(file, name) as image:
        ImageOps.exif_transpose(image, in_place=True)
        return _from_pillow(image)


def _from_pillow(image):
    if image.mode.startswith("I") or image.mode == "F":
        image = _from_deep(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return _from_array(np.asarray(image if image.mode == "RGB" else image.convert("RGB")))


def _from_deep(image):
    """Return gray of 16 bits as gray of 8; Pillow would clip it, which turns it white."""
    deep = np.asarray(image)
    # PNG has no more than 16 bits, but some versions of Pillow open those as 32.
    if not image.mode.startswith("I;16") and (image.mode, image.format) != ("I", "PNG"):
        problem = "holds numbers that are not shades of 8 or 16 bits, black and white are unknown"
        raise InputError(f"{problem}; scale it to 0..255 and save it with 8 bits")
    if 0 < deep.max(initial=0) < 256:
        problem = "16 bits per pixel, of which only the lowest 8 are used, so it would be black"
        raise InputError(f"{problem}; save it with 8 bits")
    return Image.fromarray((deep >> 8).astype(np.uint8))


def _from_array(value):
    array = np.asarray(value)
    if array.dtype != np.uint8:
        kind = f"an array of {array.dtype}"
        found = type(value).__name__ if array.dtype == object else kind
        problem = f"a picture must be an array of uint8, got {found}"
        raise InputError(f"{problem}; scale it to 0..255 and call .astype('uint8')")
    if array.ndim == 3 and array.shape[2] == 4:
        return _from_pillow(Image.fromarray(array))
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3) or array.size == 0:
        shapes = "(h, w), (h, w, 1), (h, w, 3) or (h, w, 4) with h and w at least 1"
        raise InputError(f"a picture must have shape {shapes}, got {array.shape}")
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else np.array(array, order="C")
