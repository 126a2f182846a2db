"""A segment file: the table of its blocks, and their bytes."""

import numpy as np

from .errors import SFrameFormatError

_RECORD = np.dtype(
    [(field, "<u8") for field in ("offset", "length", "size", "rows", "flags")]
    + [("content_type", "<u2"), ("padding", "V6")]
)


class Segment:
    """The blocks of each column of one segment file, checked against the file's size."""

    def __init__(self, path):
        self.path = path
        if not path.is_file():
            raise SFrameFormatError(f"{path.name} is missing")
        with path.open("rb") as file:
            footer, self.data_bytes = _read_footer(file, path)
        self.columns = _parse_footer(footer, path.name)
        for blocks in self.columns:
            _check_blocks(blocks, self.data_bytes, path.name)

    def blocks(self, column, rows):
        """Return the block table of a column that must have `rows` rows."""
        if column >= len(self.columns):
            raise SFrameFormatError(f"{self.path.name} has no column {column}")
        blocks = self.columns[column]
        # Summed as Python integers: a sum modulo 2^64 could be made to fit.
        if sum(blocks["rows"].tolist()) != rows:
            raise SFrameFormatError(f"{self.path.name} does not hold the {rows} rows of its index")
        return blocks


def _read_footer(file, path):
    size = file.seek(0, 2)
    if size < 16:
        raise SFrameFormatError(f"{path.name} is cut short: {size} bytes")
    file.seek(size - 8)
    length = int.from_bytes(file.read(8), "little")
    if not 8 <= length <= size - 8:
        raise SFrameFormatError(
            f"{path.name} is cut short or damaged: no table of blocks at its end"
        )
    file.seek(size - 8 - length)
    return file.read(length), size - 8 - length


def _parse_footer(footer, name):
    numbers = memoryview(footer)
    count = int.from_bytes(numbers[:8], "little")
    position, columns = 8, []
    if count * 8 > len(footer) - 8:
        raise SFrameFormatError(f"{name} claims {count} columns in a table too short for them")
    for _ in range(count):
        blocks = int.from_bytes(numbers[position : position + 8], "little")
        position += 8
        if position > len(footer) or blocks * _RECORD.itemsize > len(footer) - position:
            raise SFrameFormatError(f"{name} claims {blocks} blocks in a table too short for them")
        columns.append(np.frombuffer(footer, _RECORD, blocks, position))
        position += blocks * _RECORD.itemsize
    if position != len(footer):
        raise SFrameFormatError(f"{name} has a table of blocks with bytes too many")
    return columns


def _check_blocks(blocks, data_bytes, name):
    inside = (blocks["offset"] <= data_bytes) & (blocks["length"] <= data_bytes - blocks["offset"])
    if not inside.all():
        raise SFrameFormatError(f"{name} has a block outside of the file")
    if ((blocks["flags"] & 1 == 0) & (blocks["size"] != blocks["length"])).any():
        raise SFrameFormatError(f"{name} has a block whose two sizes differ")
