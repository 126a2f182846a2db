"""Column storage: how the values of one `SArray` lie in memory.

Numbers are NumPy arrays with a mask of missing values, vectors are one flat array of doubles
with offsets, everything else is an array of Python objects with None for a missing value.
Columns are never changed in place, so that they can be shared. A column may wait: its length
and type are known, its values are read or computed when somebody first asks for them.
"""

import array
import weakref
from pathlib import Path

import numpy as np

_from_files = weakref.WeakSet()


def concatenate(columns):
    """Return columns of one type as one, in order."""
    if len(columns) == 1:
        return columns[0]
    return columns[0]._concatenate(columns)


def without_negative_zero(values):
    """Return doubles as Turi Create keeps them: as integers, without -0.0, if all are whole."""
    whole = values.size and values.flat[0] == np.floor(values.flat[0])
    if whole and (values == 0).any() and (values == np.floor(values)).all():
        return values + 0.0
    return values


def _join_masks(columns):
    if all(column.missing is None for column in columns):
        return None
    masks = [column.missing_mask() for column in columns]
    return np.concatenate(masks)


class Column:
    """What all columns share; `dtype` is the Python type of the values."""

    _compute = None
    folder = None

    def __getattr__(self, name):
        # Only what a column that waits does not have yet is looked for here.
        if self._compute is None or name.startswith("__"):
            raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")
        self.load()
        return getattr(self, name)

    def __len__(self):
        return self._length

    @property
    def is_loaded(self):
        """Whether the values are there."""
        return self._compute is None

    def load(self):
        """Read or compute the values now."""
        if self._compute is not None:
            self.__dict__.update(vars(self._compute()._loaded()), _compute=None)

    def once(self):
        """Return (column, whether nobody else holds it): one in files is read, but not kept."""
        if self._compute is not None and self.folder is not None:
            return self._compute(), True
        return self, False

    def take(self, rows):
        """Return the column of some rows, given as indices, a bool mask or a slice.

        Of a column that waits, they wait too.
        """
        if self._compute is None:
            return self._taken(rows)
        return waiting(_count(rows, len(self)), self.dtype, lambda: self._loaded()._taken(rows))

    def _loaded(self):
        self.load()
        return self

    def missing_mask(self):
        """Return a bool array (n,), True where a value is missing."""
        return np.zeros(len(self), bool) if self.missing is None else self.missing

    def tolist(self):
        """Return the values as Python objects."""
        return [self.value(row) for row in range(len(self))]


def _count(rows, length):
    """Return how many of `length` rows are meant."""
    if isinstance(rows, slice):
        return len(range(*rows.indices(length)))
    return int(rows.sum()) if rows.dtype == bool else len(rows)


class NumberColumn(Column):
    """int64 or float64 values and an optional bool mask of missing ones."""

    def __init__(self, values, missing=None):
        # On 32-bit systems and with NumPy 1 on Windows, counts and places are of 32 bits.
        whole = values.dtype.kind in "iub"
        self.values = values.astype(np.int64 if whole else np.float64, copy=False)
        self.missing = missing if missing is not None and missing.any() else None
        self.dtype = int if whole else float
        self._length = len(values)

    def value(self, row):
        """Return one value as a Python number, or None."""
        if self.missing is not None and self.missing[row]:
            return None
        return self.values[row].item()

    def tolist(self):
        """Return the values as Python numbers."""
        values = self.values.tolist()
        if self.missing is None:
            return values
        return [None if gone else value for value, gone in zip(values, self.missing.tolist())]

    def _taken(self, rows):
        missing = None if self.missing is None else self.missing[rows]
        return NumberColumn(self.values[rows], missing)

    def with_missing(self, count):
        """Return the column with `count` missing values after it."""
        values = np.append(self.values, np.zeros(count, self.values.dtype))
        return NumberColumn(values, np.append(self.missing_mask(), np.ones(count, bool)))

    def _concatenate(self, columns):
        values = np.concatenate([column.values for column in columns])
        return NumberColumn(values, _join_masks(columns))

    def nbytes(self):
        """Return the bytes of each row when written, as an array (n,)."""
        return np.full(len(self), 8)


class VectorColumn(Column):
    """Vectors of doubles: row r is flat[offsets[r]:offsets[r + 1]]."""

    dtype = array.array

    def __init__(self, flat, offsets, missing=None):
        self.flat = flat
        self.offsets = offsets
        self.missing = missing if missing is not None and missing.any() else None
        self._length = len(offsets) - 1

    @classmethod
    def from_lengths(cls, flat, lengths, missing=None):
        """Return the column of vectors with these lengths."""
        offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(flat, offsets, missing)

    @classmethod
    def from_matrix(cls, matrix):
        """Return the column whose vectors are the rows of an array (n, d)."""
        count, width = matrix.shape
        flat = np.ascontiguousarray(matrix, np.float64).reshape(-1)
        return cls(flat, np.arange(count + 1, dtype=np.int64) * width)

    @property
    def lengths(self):
        """The number of elements of each row, 0 where it is missing."""
        return np.diff(self.offsets)

    def matrix(self):
        """Return the array (n, d) if all rows are there and equally long, else None."""
        lengths = self.lengths
        if self.missing is not None or not len(lengths) or (lengths != lengths[0]).any():
            return None
        return self.flat.reshape(len(lengths), lengths[0])

    def row(self, row):
        """Return one vector as an array that shares memory."""
        return self.flat[self.offsets[row] : self.offsets[row + 1]]

    def value(self, row):
        """Return one vector as an `array.array`, or None."""
        if self.missing is not None and self.missing[row]:
            return None
        return array.array("d", self.row(row).tobytes())

    def _taken(self, rows):
        matrix = self.matrix()
        if matrix is not None:
            return VectorColumn.from_matrix(matrix[rows])
        chosen = np.arange(len(self))[rows]
        lengths = self.lengths[chosen]
        starts = np.repeat(self.offsets[:-1][chosen], lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        missing = None if self.missing is None else self.missing[chosen]
        return VectorColumn.from_lengths(self.flat[starts + within], lengths, missing)

    def with_missing(self, count):
        """Return the column with `count` missing values after it."""
        lengths = np.append(self.lengths, np.zeros(count, np.int64))
        missing = np.append(self.missing_mask(), np.ones(count, bool))
        return VectorColumn.from_lengths(self.flat, lengths, missing)

    def _concatenate(self, columns):
        flat = np.concatenate([column.flat for column in columns])
        lengths = np.concatenate([column.lengths for column in columns])
        return VectorColumn.from_lengths(flat, lengths, _join_masks(columns))

    def nbytes(self):
        """Return the bytes of each row when written, as an array (n,)."""
        return 8 * self.lengths + 8


class ObjectColumn(Column):
    """Strings, lists, dictionaries, dates, images or arrays, None where missing."""

    def __init__(self, values, dtype):
        self.values = values
        self.dtype = dtype
        self._length = len(values)

    @classmethod
    def from_list(cls, items, dtype):
        """Return the column of a list of values."""
        values = np.empty(len(items), object)
        for row, item in enumerate(items):
            values[row] = item
        return cls(values, dtype)

    @property
    def missing(self):
        """The mask of missing values, or None where there are none."""
        mask = self.missing_mask()
        return mask if mask.any() else None

    def missing_mask(self):
        """Return a bool array (n,), True where a value is missing."""
        return np.fromiter((value is None for value in self.values), bool, len(self.values))

    def value(self, row):
        """Return one value, or None."""
        return self.values[row]

    def tolist(self):
        """Return the values in a list."""
        return self.values.tolist()

    def _taken(self, rows):
        return ObjectColumn(self.values[rows], self.dtype)

    def with_missing(self, count):
        """Return the column with `count` missing values after it."""
        values = np.append(self.values, np.full(count, None, object))
        return ObjectColumn(values, self.dtype)

    def _concatenate(self, columns):
        return ObjectColumn(np.concatenate([column.values for column in columns]), self.dtype)

    def nbytes(self):
        """Return roughly the bytes of each row when written, as an array (n,)."""
        return np.fromiter((_object_bytes(value) for value in self.values), np.int64, len(self))


def _object_bytes(value):
    data = getattr(value, "_image_data", value)
    return 16 + (len(data) if hasattr(data, "__len__") else 8)


def waiting(length, dtype, compute, folder=None):
    """Return a column of known length and type whose values are computed when first used.

    Parameters
    ----------
    length : int
    dtype : type
    compute : callable
        Returns the Column with the values.
    folder : Path, optional
        Where its files are.
    """
    kinds = {int: NumberColumn, float: NumberColumn, array.array: VectorColumn}
    column = Column.__new__(kinds.get(dtype, ObjectColumn))
    column.dtype, column.folder = dtype, folder
    column._length, column._compute = length, compute
    if folder is not None:
        _from_files.add(column)
    return column


def in_files(stored):
    """Return the column of one in files, read when first used."""
    folder = Path(stored.folder).resolve()
    return waiting(len(stored), stored.dtype, stored.read, folder)


def read_all_from(folder):
    """Read every column whose files lie in a folder that is about to be replaced."""
    folder = Path(folder).resolve()
    for column in list(_from_files):
        if column.folder == folder:
            column.load()
