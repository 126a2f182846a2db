"""`SArrayBuilder`: a column that grows value by value."""

import array
from collections import deque

from . import convert
from .columns import concatenate
from .infer import column_from_values, infer_type
from .printing import type_title
from .sarray import SArray

_BUILT_AT_ONCE = 4096
# What else than its own type an SArrayBuilder takes.
_INTO = {float: (int,), list: (array.array,)}


class SArrayBuilder:
    """Collects values one after the other and returns them as an SArray.

    Examples
    --------
    >>> builder = SArrayBuilder(int)
    >>> builder.append(3)
    >>> builder.append_multiple([4, 5])
    >>> builder.close()
    dtype: int
    Rows: 3
    [3, 4, 5]
    """

    def __init__(self, dtype, num_segments=1, history_size=10):
        self._dtype = convert.column_type(dtype)
        self._segments = [[] for _ in range(num_segments)]
        self._waiting = [[] for _ in range(num_segments)]
        self._history = [deque(maxlen=history_size) for _ in range(num_segments)]
        self._closed = False

    def append(self, data, segment=0):
        """Add one value; segments stand one after the other in the end."""
        self.append_multiple([data], segment)

    def append_multiple(self, data, segment=0):
        """Add several values."""
        if not hasattr(data, "__iter__"):
            raise TypeError("append_multiple must be passed an iterable object")
        if self._closed:
            raise RuntimeError("Cannot append values to a closed SArrayBuilder")
        if not 0 <= segment < len(self._segments):
            raise RuntimeError("Invalid segment number!")
        for value in data:
            kind = None if value is None else infer_type([value])
            if kind not in (None, self._dtype, *_INTO.get(self._dtype, ())):
                raise RuntimeError(
                    f"Append failed: {type_title(kind)} type is incompatible with type of "
                    "future SArray."
                )
            self._history[segment].append(value)
            self._waiting[segment].append(value)
        if len(self._waiting[segment]) >= _BUILT_AT_ONCE:
            self._build(segment)

    def _build(self, segment):
        column = column_from_values(self._waiting[segment], self._dtype)
        self._segments[segment].append(column)
        self._waiting[segment] = []

    def read_history(self, num=10, segment=0):
        """Return the last values that were added, at most `num` and those kept."""
        if not 0 <= segment < len(self._segments):
            raise RuntimeError("Invalid segment number!")
        return list(self._history[segment])[-num:] if num > 0 else []

    def get_type(self):
        """Return the type of the values."""
        return self._dtype

    def close(self):
        """Return the SArray."""
        if self._closed:
            raise RuntimeError("Cannot close a closed SArrayBuilder")
        self._closed = True
        for segment in range(len(self._segments)):
            self._build(segment)
        return SArray._of(concatenate([part for parts in self._segments for part in parts]))
