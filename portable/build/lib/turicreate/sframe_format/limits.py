"""How much memory a file may ask for."""

from dataclasses import dataclass

from .errors import SFrameFormatError


@dataclass(frozen=True)
class Limits:
    """Upper bounds that a reader keeps, whatever a file claims.

    A few bytes can claim any number of equal or missing rows, so the bytes that decoding may
    allocate are bounded by `base_bytes` plus `bytes_per_file_byte` for each byte of the
    segment files.
    """

    index_bytes: int = 64 << 20
    base_bytes: int = 2 << 30
    bytes_per_file_byte: int = 64
    nesting: int = 32


DEFAULT = Limits()


class Budget:
    """Bytes that decoding one column may still allocate."""

    def __init__(self, limits, file_bytes):
        self.limits = limits
        self.total = self.left = limits.base_bytes + limits.bytes_per_file_byte * file_bytes

    def spend(self, count):
        """Take `count` bytes off the budget, or refuse the file."""
        self.left -= count
        if self.left < 0:
            raise SFrameFormatError(
                f"its values claim more than {self.total:,} bytes of memory, far more than files "
                "of this size hold; raise turicreate.sframe_format.Limits.base_bytes to read it"
            )
