"""Pictures as HTML that carries them along, the same bytes on every machine."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.images import fit, shrink

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

_STORED_LIMIT = 65535


def image_tag(pixels: Array, alt: str, size: int = 96) -> str:
    """Return an `<img>` that holds the picture itself.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)
    alt : str
        What the picture shows, in words.
    size : int
        Pixels of the longer side on the screen. A larger picture is shrunk to it; a
        smaller one is drawn larger with crisp pixels.

    Returns
    -------
    str
    """
    height, width = pixels.shape[:2]
    shown = fit(width, height, size)
    crisp = ' class="ir-crisp"' if max(width, height) < size else ""
    data = base64.b64encode(png_bytes(shrink(pixels, size))).decode("ascii")
    return (
        f'<img{crisp} alt="{html.escape(alt)}" width="{shown[0]}" height="{shown[1]}" '
        f'src="data:image/png;base64,{data}">'
    )


def png_bytes(pixels: Array) -> bytes:
    """Return a picture as an uncompressed PNG file.

    Compressed bytes differ between builds of zlib, so a notebook's output would differ
    with them; stored ones cannot.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w, 3)

    Returns
    -------
    bytes
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row starts with filter 0
    rows[:, 1:] = pixels.reshape(height, 3 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": _stored_zlib(rows.tobytes()), b"IEND": b""}
    return b"".join([b"\x89PNG\r\n\x1a\n", *(_chunk(*named) for named in chunks.items())])


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored_zlib(data):
    """Return a zlib stream whose deflate blocks are all of the kind "stored" (RFC 1951)."""
    blocks = [b"\x78\x01"]
    for start in range(0, len(data), _STORED_LIMIT):
        block, last = data[start : start + _STORED_LIMIT], start + _STORED_LIMIT >= len(data)
        blocks.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    return b"".join(blocks) + struct.pack(">I", zlib.adler32(data))
