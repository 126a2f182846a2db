"""`image_analysis`: pictures from a folder, and other sizes of them."""

import sys
from pathlib import Path

import numpy as np

from ..elements import each
from ..image import Image, from_pixels
from ..missing import lacks
from ..sarray import SArray
from ..sframe import SFrame
from ._main import ToolkitError

_ENDINGS = (".jpg", ".jpeg", ".png")


def load_images(
    url, format="auto", with_path=True, recursive=True, ignore_failure=True, random_order=False
):
    """Return the JPEG and PNG pictures of a folder as an SFrame `path, image`.

    Pictures come in the order of their paths. One that cannot be read is named on standard
    output and left out, or raises a ToolkitError with `ignore_failure=False`.
    """
    if random_order:
        raise lacks("load_images(random_order=True)", "shuffle() the result")
    root = Path(url).expanduser().absolute()
    if not root.exists():
        raise ToolkitError(f"{url} not found. Err: file not exist in {url}")
    paths, images = [], []
    for path in _picture_paths(root, recursive):
        try:
            images.append(Image(str(path), format))
            paths.append(str(path))
        except ToolkitError as error:
            if not ignore_failure:
                raise
            print(f"{error}\t file: {path}", file=sys.stdout)
    columns = {"path": paths, "image": images} if with_path else {"image": images}
    kinds = {"path": str, "image": Image}
    result = SFrame()
    for name, values in columns.items():
        result[name] = SArray(values, kinds[name])
    return result


def _picture_paths(root, recursive):
    if root.is_file():
        return [root]
    found = root.rglob("*") if recursive else root.iterdir()
    return sorted(path for path in found if path.suffix.lower() in _ENDINGS and path.is_file())


def resize(image, width, height, channels=None, decode=False, resample="nearest"):
    """Return a picture, or an SArray of them, in another size.

    The first and the last pixel of a row stay where they are, those between are taken from
    the nearest place, or mixed from two with `resample='bilinear'`.

    Parameters
    ----------
    image : Image or SArray of Image
    width, height : int
    channels : {1, 3, 4}, optional
        Gray, RGB or RGBA; as before when it is left out.
    decode : bool
        Raw pixels instead of PNG.
    resample : {'nearest', 'bilinear'}
    """
    if resample not in ("nearest", "bilinear"):
        raise ValueError(f"Unknown resample option: '{resample}'")
    if channels not in (None, 1, 3, 4):
        raise ToolkitError(f"Unsupported channel size {channels}")
    if int(width) != width or int(height) != height:
        raise ToolkitError(f"Cannot resize to {width}x{height}: both must be integers")
    if min(width, height) < 1:
        raise ToolkitError(f"Cannot resize to {width}x{height}: both must be at least 1")
    if isinstance(image, SArray) and image.dtype is Image:
        shape = (width, height, channels, decode, resample)
        return SArray._of(each(image._column, lambda one: resize(one, *shape), Image))
    if not isinstance(image, Image):
        raise ValueError(
            "Cannot call 'resize' on objects that are not either an Image or SArray of Images"
        )
    pixels = _with_channels(image.pixel_data, channels or image.channels)
    pixels = _sampled(_sampled(pixels, height, 0, resample), width, 1, resample)
    # Cut off, not rounded, as Turi Create does; the sums are nudged past their rounding errors.
    result = from_pixels(np.floor(pixels + 1e-9).astype(np.uint8))
    return result if decode else _as_png(result)


def _sampled(pixels, size, axis, resample):
    old = pixels.shape[axis]
    places = np.arange(size) * ((old - 1) / (size - 1) if size > 1 else 0.0)
    if resample == "nearest":
        return np.take(pixels, np.floor(places + 0.5).astype(int), axis=axis)
    first = np.minimum(np.floor(places).astype(int), max(old - 2, 0))
    share = (places - first).reshape([-1 if at == axis else 1 for at in range(pixels.ndim)])
    after = np.take(pixels, np.minimum(first + 1, old - 1), axis=axis)
    return np.take(pixels, first, axis=axis) * (1 - share) + after * share


def _with_channels(pixels, channels):
    old = 1 if pixels.ndim == 2 else pixels.shape[2]
    if old == channels:
        return pixels
    if channels == 1:
        # Turi Create's weights of red, green and blue, in 16,384ths.
        weights = np.array([4915, 9667, 1802])
        return ((pixels[..., :3].astype(int) @ weights + 8192) >> 14).astype(np.uint8)
    if old == 1:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    if channels == 3:
        return pixels[..., :3]
    return np.dstack([pixels[..., :3], np.full(pixels.shape[:2], 255, np.uint8)])


def _as_png(image):
    import io

    buffer = io.BytesIO()
    image._to_pil_image().save(buffer, "png")
    data = buffer.getvalue()
    size = {"_height": image.height, "_width": image.width, "_channels": image.channels}
    return Image(_image_data=data, _image_data_size=len(data), _format_enum=1, **size)


def get_deep_features(*args, **kwargs):
    """Refused: Turi Create's networks are not part of this edition."""
    raise lacks("image_analysis.get_deep_features", "image_retrieval.features.extract")
