"""Open an SFrame directory and read its columns, each when it is wanted.

Nothing in a file is trusted: every count and offset is checked before it is used, memory
stays in proportion to the files, and nothing is ever executed or unpickled.
"""

import contextlib
import itertools
from pathlib import Path

import numpy as np

from ..columns import VectorColumn, concatenate
from . import index
from .blocks import column_of, decode_block, decompress
from .errors import SFrameFormatError
from .limits import DEFAULT, Budget
from .segment import Segment
from .types import PYTHON_TYPES, VECTOR


class StoredColumn:
    """A column that still lies in its files; `read` returns it."""

    def __init__(self, archive, column):
        self._archive = archive
        self._column = column
        self.dtype = PYTHON_TYPES[column.kind]
        self.folder = archive.folder
        self.rows = sum(column.rows)

    def __len__(self):
        return self.rows

    def read(self):
        """Return the values as a `turicreate.columns.Column`."""
        with describe_damage(self.folder):
            budget = Budget(self._archive.limits, self._archive.file_bytes(self._column))
            parts = self._blocks(budget)
            if self._column.kind == VECTOR:
                return _gather_vectors(parts, self.rows, budget)
            parts = list(parts)
            return concatenate(parts) if parts else column_of([], self._column.kind)

    def check(self):
        """Refuse a column whose tables of blocks do not have its rows."""
        for place, rows in zip(self._column.segments, self._column.rows):
            self._archive.segment(place.index).blocks(place.column, rows)

    def _blocks(self, budget):
        for place, rows in zip(self._column.segments, self._column.rows):
            segment = self._archive.segment(place.index)
            blocks = segment.blocks(place.column, rows)
            with segment.path.open("rb") as file:
                for block in blocks.tolist():
                    yield self._read_block(file, block, budget)

    def _read_block(self, file, block, budget):
        offset, length, size, rows, flags = block[:5]
        file.seek(offset)
        data = file.read(length)
        if len(data) != length:
            raise SFrameFormatError("a file became shorter while it was read")
        budget.spend(size)
        plain = decompress(data, size, flags)
        return decode_block(plain, self._column.kind, rows, flags, budget)


def _gather_vectors(parts, rows, budget):
    """Return blocks of vectors as one column, each copied to its place as it is decoded."""
    first = next(parts, None)
    if first is None:
        return column_of([], VECTOR)
    matrix = first.matrix()
    if matrix is None:
        return concatenate([first, *parts])
    width = matrix.shape[1]
    budget.spend(8 * rows * width)
    whole = np.empty((rows, width))
    done = 0
    for part in itertools.chain([first], parts):
        matrix = part.matrix()
        if matrix is None or matrix.shape[1] != width:
            before = VectorColumn.from_matrix(whole[:done])
            return concatenate([before, part, *parts])
        whole[done : done + len(part)] = matrix
        done += len(part)
    return VectorColumn.from_matrix(whole)


class Archive:
    """The files of one directory, each parsed once."""

    def __init__(self, folder, limits=DEFAULT):
        self.folder = Path(folder)
        self.limits = limits
        self._indexes = {}
        self._segments = {}

    def open_frame(self):
        """Return ({column name: StoredColumn}, number of rows)."""
        prefix = self._prefix("sframe")
        name = prefix + ".frame_idx"
        rows, names, places = index.read_frame(self._text(name), name)
        columns = {name: self._column(place) for name, place in zip(names, places)}
        for column in columns.values():
            if len(column) != rows:
                raise SFrameFormatError(f"a column has {len(column)} rows, the frame {rows}")
            column.check()
        if not columns and rows:
            raise SFrameFormatError(f"it claims {rows} rows of no columns")
        return columns, rows

    def open_array(self):
        """Return the `StoredColumn` of a single SArray's archive."""
        column = self._column(index.Place(self._prefix("sarray") + ".sidx", 0))
        column.check()
        return column

    def segment(self, name):
        """Return the `Segment` of a file name."""
        if name not in self._segments:
            self._segments[name] = Segment(self.folder / name)
        return self._segments[name]

    def file_bytes(self, column):
        """Return the bytes of the segment files that hold a column."""
        names = {place.index for place in column.segments}
        return sum(self.segment(name).data_bytes for name in names)

    def _prefix(self, contents):
        return index.read_archive(self._text("dir_archive.ini"), contents)

    def _text(self, name):
        return index.read_text(self.folder / name, self.limits)

    def _column(self, place):
        if place.index not in self._indexes:
            text = self._text(place.index)
            self._indexes[place.index] = index.read_arrays(text, place.index)
        columns = self._indexes[place.index]
        if place.column >= len(columns):
            raise SFrameFormatError(f"{place.index} has no column {place.column}")
        return StoredColumn(self, columns[place.column])


@contextlib.contextmanager
def describe_damage(folder):
    """Turn whatever goes wrong while reading into one line that names the folder."""
    try:
        yield
    except SFrameFormatError as error:
        raise SFrameFormatError(f"{folder}: cannot be read as an SFrame: {error}") from None
    except MemoryError:
        raise SFrameFormatError(f"{folder}: the SFrame does not fit in memory") from None
    except OSError as error:
        raise SFrameFormatError(f"{folder}: cannot be read: {error.strerror or error}") from None


def open_frame(folder, limits=DEFAULT):
    """Return ({column name: StoredColumn}, number of rows) of an SFrame directory."""
    with describe_damage(folder):
        return Archive(folder, limits).open_frame()


def open_array(folder, limits=DEFAULT):
    """Return the `StoredColumn` of an SArray directory."""
    with describe_damage(folder):
        return Archive(folder, limits).open_array()
