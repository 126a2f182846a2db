"""A position in a block of bytes that never moves past its end."""

import struct

from .errors import SFrameFormatError

_U64 = struct.Struct("<Q")

#: Bytes of a VARINT by its first byte: one more than its low one-bits, or nine.
VARINT_LENGTH = bytes(
    next((ones + 1 for ones in range(7) if not first >> ones & 1), 9) for first in range(256)
)


class Cursor:
    """Read numbers and byte strings from `data`, checking every length first."""

    __slots__ = ("budget", "data", "end", "position")

    def __init__(self, data, budget):
        self.data = data
        self.position = 0
        self.end = len(data)
        self.budget = budget

    @property
    def left(self):
        """Bytes between the position and the end."""
        return self.end - self.position

    def take(self, count):
        """Return the next `count` bytes."""
        if count > self.left:
            raise SFrameFormatError(f"a block ends {count - self.left} bytes early")
        start = self.position
        self.position = start + count
        return self.data[start : self.position]

    def u8(self):
        """Return the next byte as a number."""
        return self.take(1)[0]

    def u64(self):
        """Return the next 8 bytes as an unsigned number."""
        return _U64.unpack(self.take(8))[0]

    def unpack(self, layout):
        """Return the numbers of a `struct.Struct`."""
        return layout.unpack(self.take(layout.size))

    def varint(self):
        """Return the next VARINT, a number below 2^64 in 1 to 9 bytes."""
        if not self.left:
            raise SFrameFormatError("a block ends inside a number")
        length = VARINT_LENGTH[self.data[self.position]]
        raw = self.take(length)
        if length == 9:
            return _U64.unpack(raw[1:])[0]
        return int.from_bytes(raw, "little") >> length

    def count(self, smallest):
        """Return a u64 that counts things of at least `smallest` bytes each still to come."""
        count = self.u64()
        if count * smallest > self.left:
            raise SFrameFormatError(f"a count of {count} does not fit in the rest of its block")
        return count

    def finish(self):
        """Refuse bytes that nothing has read."""
        if self.left:
            raise SFrameFormatError(f"a block has {self.left} bytes too many")
