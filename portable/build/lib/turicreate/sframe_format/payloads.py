"""Single values: lists, dictionaries, dates, images and arrays, and their tagged form."""

import array
import datetime
import struct

import numpy as np

from ..image import Image
from ..timezone import FixedOffset
from . import types
from .errors import SFrameFormatError

_I64 = struct.Struct("<q")
_F64 = struct.Struct("<d")
_U64 = struct.Struct("<Q")
_DATE = struct.Struct("<IHBb")
_MICROSECONDS = struct.Struct("<i")
_IMAGE = struct.Struct("<BQQQQQ")
_EPOCH = datetime.datetime(1970, 1, 1)
_NO_ZONE = 64
_LONGEST_ZONE = 48
#: Bytes that a Python object takes at most for each byte of its payload.
_OBJECT_BYTES = 64


def read_payloads(cursor, kind, count):
    """Return `count` values of type `kind`, one after the other, in a list."""
    read = _READERS[kind]
    if count * _SMALLEST[kind] > cursor.left:
        raise SFrameFormatError(f"a block is too short for {count} values")
    cursor.budget.spend(_OBJECT_BYTES * cursor.left)
    nesting = cursor.budget.limits.nesting
    return [read(cursor, nesting) for _ in range(count)]


def read_tagged_values(cursor, count):
    """Return `count` TAGGED values in a list."""
    if count > cursor.left:
        raise SFrameFormatError(f"a block is too short for {count} values")
    cursor.budget.spend(_OBJECT_BYTES * cursor.left)
    return [_read_tagged(cursor, cursor.budget.limits.nesting) for _ in range(count)]


def _read_tagged(cursor, nesting):
    tag = cursor.u8()
    if tag < 128:
        cursor.take(4)
    reader = _READERS.get(tag & 127)
    if reader is None:
        raise SFrameFormatError(f"a value has the unknown type {tag & 127}")
    if not nesting:
        raise SFrameFormatError("lists or dictionaries are nested too deeply")
    return reader(cursor, nesting - 1)


def _read_int(cursor, _nesting):
    return cursor.unpack(_I64)[0]


def _read_float(cursor, _nesting):
    return cursor.unpack(_F64)[0]


def _read_string(cursor, _nesting):
    return decode_text(cursor.take(cursor.count(1)))


def decode_text(raw):
    """Return bytes as text; what is not UTF-8 survives a round trip as lone surrogates."""
    return raw.decode("utf-8", "surrogateescape")


def _read_vector(cursor, _nesting):
    return array.array("d", _read_doubles(cursor, cursor.count(8)).tobytes())


def _read_doubles(cursor, count):
    return np.frombuffer(cursor.take(8 * count), "<f8")


def _read_list(cursor, nesting):
    return [_read_tagged(cursor, nesting) for _ in range(cursor.count(1))]


def _read_dict(cursor, nesting):
    result = {}
    for _ in range(cursor.count(2)):
        key = _read_tagged(cursor, nesting)
        value = _read_tagged(cursor, nesting)
        try:
            result[key] = value
        except TypeError:
            raise SFrameFormatError(
                f"a dictionary has a key of type {type(key).__name__}, which Python cannot hold"
            ) from None
    return result


def _read_datetime(cursor, _nesting):
    low, middle, high, zone = cursor.unpack(_DATE)
    seconds = low | middle << 32 | high << 48
    seconds -= (seconds >> 55) << 56
    if -25 < zone < 25:
        return _make_datetime(seconds, 0, 2 * zone)
    zone += -25 if zone >= 0 else 25
    return _make_datetime(seconds, cursor.unpack(_MICROSECONDS)[0], zone)


def _make_datetime(seconds, microseconds, zone):
    if not 0 <= microseconds < 1_000_000:
        raise SFrameFormatError(f"a date has {microseconds} microseconds")
    if zone != _NO_ZONE and abs(zone) > _LONGEST_ZONE:
        raise SFrameFormatError(f"a date has the unknown time zone {zone}")
    try:
        moment = _EPOCH + datetime.timedelta(seconds=seconds, microseconds=microseconds)
        if zone == _NO_ZONE:
            return moment
        return moment.replace(tzinfo=FixedOffset(0)).astimezone(FixedOffset(zone / 4))
    except OverflowError:
        raise SFrameFormatError("a date lies outside of the years 1 to 9999") from None


def _read_undefined(_cursor, _nesting):
    return None


def _read_image(cursor, _nesting):
    version, height, width, channels, form, size = cursor.unpack(_IMAGE)
    if version != 0 or form > 3:
        raise SFrameFormatError(f"an image has the unknown version {version} or format {form}")
    if channels not in (1, 3, 4) and (form < 3 or channels):
        raise SFrameFormatError(f"an image has {channels} channels")
    if form == 2 and size != height * width * channels:
        raise SFrameFormatError(f"an image of {height}x{width}x{channels} has {size} bytes")
    return Image(
        _image_data=cursor.take(size),
        _height=height,
        _width=width,
        _channels=channels,
        _image_data_size=size,
        _format_enum=form,
    )


def _read_ndarray(cursor, _nesting):
    if cursor.u8() != 0:
        raise SFrameFormatError("an array has an unknown version")
    shape = [cursor.u64() for _ in range(cursor.count(8))]
    strides = [cursor.u64() for _ in range(cursor.count(8))]
    return make_ndarray(shape, strides, _read_doubles(cursor, cursor.count(8)))


def make_ndarray(shape, strides, elements):
    """Return the array of a shape whose strides, which count elements, lie inside `elements`."""
    if len(shape) != len(strides) or len(shape) > 32:
        raise SFrameFormatError("an array's shape and strides do not belong together")
    if not shape:
        return np.empty(0)
    size = 1
    for length in shape:
        size *= length
    last = sum((length - 1) * stride for length, stride in zip(shape, strides))
    if size != len(elements) or (size and last >= size):
        raise SFrameFormatError("an array's strides reach outside of its elements")
    if not size:
        return np.empty([min(length, 1) for length in shape])
    steps = [8 * stride for stride in strides]
    view = np.lib.stride_tricks.as_strided(elements, shape, steps, writeable=False)
    return np.array(view, order="C")


_READERS = {
    types.INT: _read_int,
    types.FLOAT: _read_float,
    types.STRING: _read_string,
    types.VECTOR: _read_vector,
    types.LIST: _read_list,
    types.DICT: _read_dict,
    types.DATETIME: _read_datetime,
    types.UNDEFINED: _read_undefined,
    types.IMAGE: _read_image,
    types.NDARRAY: _read_ndarray,
}
_SMALLEST = {types.LIST: 8, types.DICT: 8, types.DATETIME: 8, types.IMAGE: _IMAGE.size}


def write_payload(kind, value):
    """Return the payload of a value of type `kind`."""
    return _WRITERS[kind](value)


def _write_tagged(value):
    kind = _tag_of(value)
    return bytes([128 + kind]) + _WRITERS[kind](value)


def _tag_of(value):
    for python_type, kind in _TAGS:
        if isinstance(value, python_type):
            return kind
    raise TypeError(f"an SFrame cannot hold a {type(value).__name__} inside a list or dictionary")


def _counted(pieces):
    return _U64.pack(len(pieces)) + b"".join(pieces)


def _write_string(value):
    raw = value.encode("utf-8", "surrogateescape")
    return _U64.pack(len(raw)) + raw


def _write_vector(value):
    return _U64.pack(len(value)) + np.asarray(value, "<f8").tobytes()


def _write_datetime(value):
    zone = _NO_ZONE
    if value.tzinfo is not None:
        zone = int(value.utcoffset().total_seconds()) // 900
        value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    delta = value - _EPOCH
    seconds = (delta.days * 86400 + delta.seconds) % (1 << 56)
    zone += 25 if zone >= 0 else -25
    date = _DATE.pack(seconds & 0xFFFFFFFF, seconds >> 32 & 0xFFFF, seconds >> 48, zone)
    return date + _MICROSECONDS.pack(delta.microseconds)


def _write_image(value):
    data = bytes(value._image_data)
    numbers = (value._height, value._width, value._channels, value._format_enum, len(data))
    return _IMAGE.pack(0, *numbers) + data


def _write_ndarray(value):
    value = np.ascontiguousarray(value, "<f8")
    strides = [step // 8 for step in value.strides]
    return (
        b"\0"
        + _counted([_U64.pack(length) for length in value.shape])
        + _counted([_U64.pack(step) for step in strides])
        + _write_vector(value.reshape(-1))
    )


_WRITERS = {
    types.INT: _I64.pack,
    types.FLOAT: _F64.pack,
    types.STRING: _write_string,
    types.VECTOR: _write_vector,
    types.LIST: lambda value: _counted([_write_tagged(item) for item in value]),
    types.DICT: lambda value: (
        _U64.pack(len(value))
        + b"".join(_write_tagged(key) + _write_tagged(item) for key, item in value.items())
    ),
    types.DATETIME: _write_datetime,
    types.UNDEFINED: lambda value: b"",
    types.IMAGE: _write_image,
    types.NDARRAY: _write_ndarray,
}
_TAGS = [
    (type(None), types.UNDEFINED),
    (int, types.INT),
    (float, types.FLOAT),
    (str, types.STRING),
    (array.array, types.VECTOR),
    (np.ndarray, types.NDARRAY),
    ((list, tuple), types.LIST),
    (dict, types.DICT),
    (datetime.datetime, types.DATETIME),
    (Image, types.IMAGE),
]
