"""Columns that are read or computed when they are first used."""

import weakref
from pathlib import Path

from .columns import Column

_from_files = weakref.WeakSet()


class LazyColumn:
    """A column of known length and type that is still to be computed, once."""

    def __init__(self, length, dtype, compute, folder=None):
        self.dtype = dtype
        self._length = length
        self._compute = compute
        self._column = None
        self.folder = folder
        if folder is not None:
            _from_files.add(self)

    @classmethod
    def stored(cls, stored):
        """Return the lazy form of a column in files."""
        return cls(len(stored), stored.dtype, stored.read, Path(stored.folder).resolve())

    def __len__(self):
        return self._length

    def get(self):
        """Return the column itself."""
        if self._column is None:
            self._column = self._compute()
            self._compute = None
        return self._column

    def take(self, rows, length):
        """Return some rows: at once if the column is there, else lazily."""
        if self._column is not None:
            return self._column.take(rows)
        return LazyColumn(length, self.dtype, lambda: self.get().take(rows))


def peek(column):
    """Return (column, whether nobody else holds it): one in files is read, but not kept."""
    if isinstance(column, LazyColumn) and column.folder is not None and column._column is None:
        return column._compute(), True
    return get(column), False


def get(column):
    """Return a column, computed if it was lazy."""
    return column if isinstance(column, Column) else column.get()


def take(column, rows, length):
    """Return `length` rows of a column, lazily where it is lazy."""
    return column.take(rows) if isinstance(column, Column) else column.take(rows, length)


def read_all_from(folder):
    """Read every lazy column whose files lie in a folder that is about to be replaced."""
    folder = Path(folder).resolve()
    for column in list(_from_files):
        if column.folder == folder:
            column.get()
