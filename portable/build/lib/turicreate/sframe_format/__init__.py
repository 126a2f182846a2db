"""Reader and writer of the SFrame directory format, safe on files from anywhere."""

from .errors import SFrameFormatError
from .limits import DEFAULT, Limits
from .reader import StoredColumn, open_array, open_frame
from .writer import write_array, write_frame

__all__ = [
    "DEFAULT",
    "Limits",
    "SFrameFormatError",
    "StoredColumn",
    "open_array",
    "open_frame",
    "write_array",
    "write_frame",
]
