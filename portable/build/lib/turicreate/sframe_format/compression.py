"""LZ4 blocks: the `lz4` package where it is installed, else a decoder in Python.

Without the package, blocks are written as they are, which the format allows.
Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
"""

try:
    import lz4.block as _package
except ImportError:
    _package = None

_LEAST_MATCH = 4
_LONG = 15


def decompress(data, size):
    """Return the `size` bytes of a block; ValueError if it is damaged or of another size."""
    if _package is None:
        return decoded(data, size)
    try:
        return _package.decompress(data, uncompressed_size=size)
    except (_package.LZ4BlockError, OverflowError):
        raise ValueError("damaged LZ4 block") from None


def compress(data):
    """Return the bytes of a block, or None without the package."""
    return None if _package is None else _package.compress(data, store_size=False)


def decoded(data, size):
    """Return the `size` bytes of a block, decoded in Python.

    Parameters
    ----------
    data : bytes
    size : int
        Length of the result; more than that is never kept.

    Raises
    ------
    ValueError
        If the block is damaged or of another size.
    """
    data, result, at = bytes(data), bytearray(), 0
    while at < len(data):
        token = data[at]
        count, at = _length(data, at + 1, token >> 4)
        _check(at + count <= len(data) and len(result) + count <= size)
        result += data[at : at + count]
        at += count
        if at == len(data):
            break
        _check(at + 2 <= len(data))
        offset = data[at] | data[at + 1] << 8
        count, at = _length(data, at + 2, token & _LONG)
        count += _LEAST_MATCH
        _check(0 < offset <= len(result) and len(result) + count <= size)
        _repeat(result, offset, count)
    _check(len(result) == size)
    return bytes(result)


def _length(data, at, count):
    if count < _LONG:
        return count, at
    while True:
        _check(at < len(data))
        count += data[at]
        at += 1
        if data[at - 1] < 255:
            return count, at


def _repeat(result, offset, count):
    """Append `count` bytes from `offset` bytes back, which may reach into the new ones."""
    start = len(result) - offset
    piece = bytes(result[start : start + count])
    result += (piece * (count // len(piece) + 1))[:count]


def _check(fine):
    if not fine:
        raise ValueError("damaged LZ4 block")
