"""`Image`: one picture, either a whole JPEG or PNG file or raw pixels."""

import io
from pathlib import Path

import numpy as np
import PIL.Image

from .errors import ToolkitError

JPEG, PNG, RAW, UNDEFINED = range(4)
_FORMATS = {"JPEG": JPEG, "PNG": PNG}
_HINTS = {"JPG": JPEG, "PNG": PNG}
_WRONG = {"JPG": "Unexpected JPEG decode failure", "PNG": "Invalid PNG file"}
_INTERNAL = (
    "_image_data",
    "_height",
    "_width",
    "_channels",
    "_image_data_size",
    "_version",
    "_format_enum",
)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class Image:
    """One picture, read from a JPEG or PNG file.

    Parameters
    ----------
    path : str, optional
        The file. Without one, the image is empty.
    format : {'auto', 'JPG', 'PNG'}, optional
        What the file must be; by 'auto' and any other text, its own header decides.
    """

    def __init__(self, path=None, format="auto", **internal):
        self._image_data = b""
        self._height = self._width = self._channels = self._image_data_size = 0
        self._version = 0
        self._format_enum = UNDEFINED
        for name, value in internal.items():
            if name not in _INTERNAL:
                raise TypeError(f"{name} is an invalid keyword argument of Image")
            setattr(self, name, value)
        if path is not None:
            self._read(path, format)

    def _read(self, path, hint):
        if not isinstance(hint, str):
            raise ToolkitError(f"Expecting string. But we got a {_title(hint)}")
        if str(path).startswith(("http://", "https://", "s3://", "hdfs://")):
            raise ToolkitError(f"{path}: the portable edition reads local files only")
        try:
            data = Path(path).read_bytes()
        except OSError:
            raise ToolkitError(
                f"Cannot open {path} for read. Cannot open {path} for reading"
            ) from None
        size, channels, form = _inspect(data)
        if form != _HINTS.get(hint, form):
            raise ToolkitError(_WRONG[hint])
        self._image_data, self._image_data_size = data, len(data)
        self._width, self._height = size
        self._channels, self._format_enum = channels, form

    @property
    def height(self):
        """The height in pixels."""
        return self._height

    @property
    def width(self):
        """The width in pixels."""
        return self._width

    @property
    def channels(self):
        """1 for gray, 3 for RGB, 4 for RGBA."""
        return self._channels

    @property
    def pixel_data(self):
        """The pixels as a uint8 array (h, w) of gray or (h, w, channels)."""
        if self._format_enum == RAW:
            pixels = np.frombuffer(bytes(self._image_data), np.uint8)
            shape = (self._height, self._width, self._channels)
            pixels = pixels.reshape(shape if self._channels > 1 else shape[:2])
            return pixels.copy()
        return np.array(self._to_pil_image())

    def _to_pil_image(self):
        if self._format_enum == RAW:
            pixels = self.pixel_data
            return PIL.Image.fromarray(pixels)
        if self._format_enum == UNDEFINED:
            raise ToolkitError("Cannot decode image. Unknown format.")
        try:
            with PIL.Image.open(io.BytesIO(bytes(self._image_data))) as image:
                return _as_mode(image, _MODES[self._channels])
        except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
            raise ToolkitError(f"Cannot decode image. {error}") from None

    def save(self, filename):
        """Write the picture to a file whose ending names the format."""
        self._to_pil_image().save(filename)

    def show(self):
        """Show the picture: inline in a notebook, else in the system's viewer."""
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ImportError:
            get_ipython = None
        if get_ipython and getattr(get_ipython(), "kernel", None):
            display(self)
        else:
            self._to_pil_image().show()

    def _repr_png_(self):
        buffer = io.BytesIO()
        self._to_pil_image().save(buffer, "png")
        labels = {"Height": self._height, "Width": self._width, "Channels: ": self._channels}
        return buffer.getvalue(), {name: str(value) for name, value in labels.items()}

    def __eq__(self, other):
        if not isinstance(other, Image):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _INTERNAL)

    __hash__ = None

    def __repr__(self):
        return f"Height: {self._height}px\nWidth: {self._width}px\nChannels: {self._channels}\n"

    __str__ = __repr__


def _title(value):
    return "undefined" if value is None else type(value).__name__


def _inspect(data):
    """Return ((width, height), channels, format) of the bytes of a picture file."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            form = _FORMATS.get(image.format)
            mode, size = image.mode, image.size
            transparent = "transparency" in image.info
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
        form = None
    if form is None:
        raise ToolkitError("Unsupported image format. Supported formats are JPEG and PNG")
    if form == JPEG and mode not in ("L", "RGB"):
        raise ToolkitError(
            "Unsupported colorspace format. Currently, only RGB and Grayscale are supported."
        )
    if mode == "LA":
        raise ToolkitError("Unsupported PNG color type: 4")
    if mode == "P" and transparent:
        raise ToolkitError("A palette with transparency is not supported; save the PNG as RGBA")
    channels = {"P": 3, "RGB": 3, "RGBA": 4}.get(mode, 1)
    return size, channels, form


def _as_mode(image, mode):
    if image.mode.startswith("I"):
        # Pillow clips 16-bit gray to 255 on conversion, which turns such pictures white.
        pixels = np.asarray(image).astype(np.uint32) >> 8
        return PIL.Image.fromarray(pixels.astype(np.uint8))
    return image.convert(mode)


def from_pixels(pixels):
    """Return the raw image of a uint8 array (h, w) or (h, w, channels)."""
    pixels = np.ascontiguousarray(pixels, np.uint8)
    height, width = pixels.shape[:2]
    data = pixels.tobytes()
    return Image(
        _image_data=data,
        _image_data_size=len(data),
        _height=height,
        _width=width,
        _channels=pixels.shape[2] if pixels.ndim == 3 else 1,
        _format_enum=RAW,
    )


def mean_image(images):
    """Return the mean of pictures of one size as a raw picture, each pixel rounded down."""
    if not images:
        return None
    if len({(image.height, image.width, image.channels) for image in images}) > 1:
        raise ToolkitError("Cannot take the mean of images of different sizes")
    total = sum(image.pixel_data.astype(np.float64) for image in images)
    return from_pixels((total / len(images)).astype(np.uint8))
