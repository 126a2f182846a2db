"""`SArray`: one column of values of one type, some of them missing."""

import array
import datetime
import numbers
from collections import deque

import numpy as np

from . import (
    arithmetic,
    convert,
    dates,
    hashing,
    lazy,
    reduce,
    rolling,
    selection,
    tabular,
    vectors,
)
from .columns import NumberColumn, ObjectColumn, concatenate
from .display import explore_array
from .grouping import value_counts
from .image import Image, from_pixels, mean_image
from .infer import column_from_values, infer_type, make_column, plain
from .missing import lacks, refuse_by_name
from .printing import image_text, type_title
from .reshaping import unpack_column
from .sframe_format import open_array, write_array
from .sketch import Sketch
from .storage import check_source, is_text, prepare_target
from .visualization import Plot

_SORTABLE = (int, float, str, datetime.datetime)
_SHOWN = 100
_DATE_FORM = "%Y-%m-%dT%H:%M:%S%ZP"
_BUILT_AT_ONCE = 4096
_INFERRED = type(None)


@refuse_by_name
class SArray:
    """An immutable column of integers, floats, strings, vectors, lists, dictionaries, dates,
    images or arrays; a missing value is None.

    Parameters
    ----------
    data : list, tuple, range, generator, numpy.ndarray, pandas.Series or str
        Values, or the folder of a saved SArray.
    dtype : type, optional
        int, float, str, array.array, list, dict, datetime.datetime, Image or numpy.ndarray;
        inferred when it is left out.

    Examples
    --------
    >>> SArray([1, 2, None]) + 1
    dtype: int
    Rows: 3
    [2, 3, None]
    """

    __slots__ = ("_column", "_sized")
    # NumPy must leave `ndarray + SArray` to this class.
    __array_ufunc__ = None
    __hash__ = None

    def __init__(self, data=(), dtype=None, ignore_cast_failure=False, _proxy=None):
        if _proxy is not None:
            raise lacks("SArray(_proxy=...)")
        self._sized = True
        if isinstance(data, SArray):
            self._column = data._column if dtype is None else data.astype(dtype)._column
        elif isinstance(data, str) and is_text(data):
            self._column = make_column(tabular.read_text(data), str)
        elif isinstance(data, str):
            self._column = lazy.LazyColumn.stored(open_array(check_source(data)))
        else:
            dtype = None if dtype is None else convert.column_type(dtype)
            self._column = make_column(data, dtype, ignore_cast_failure)

    @classmethod
    def _of(cls, column, sized=True):
        """Return the SArray of a column; `sized` is False where Turi Create is still lazy."""
        result = cls.__new__(cls)
        result._column, result._sized = column, sized
        return result

    @classmethod
    def from_const(cls, value, size, dtype=_INFERRED):
        """Return `size` times the same value."""
        if not isinstance(size, (int, np.integer)) or size < 0:
            raise ValueError("size must be a non-negative int")
        kind = None if dtype is _INFERRED else dtype
        if value is not None and not isinstance(
            value, (int, float, str, list, dict, array.array, datetime.date, Image, np.number)
        ):
            raise TypeError(f"Cannot create sarray of value type {type(value)}")
        return cls([value] * int(size), kind)

    @classmethod
    def from_sequence(cls, *args):
        """Return the integers from start (0) up to stop, as `range` gives them."""
        if not args or len(args) > 2:
            raise TypeError(f"from_sequence expects at least 1 argument. got {len(args)}")
        start, stop = (0, *args)[-2:]
        size = stop - start if len(args) == 2 else stop
        if type(size) is not int:
            raise TypeError("size must be int")
        if type(start) is not int:
            raise TypeError("start must be int")
        if size < 0 and len(args) == 1:
            raise RuntimeError("Must give size as >= 0")
        return cls._of(NumberColumn(np.arange(start, start + max(size, 0), dtype=np.int64)))

    @classmethod
    def where(cls, condition, istrue, isfalse, dtype=None):
        """Return values of `istrue` where `condition` is true, else of `isfalse`.

        Where the condition is missing, so is the result.
        """
        if not isinstance(condition, SArray):
            raise TypeError(f"condition must be an SArray, not {type(condition).__name__}")
        sides = [istrue, isfalse]
        dtype = _common_type(sides, dtype)
        columns = [
            side._data if isinstance(side, SArray) else _constant(side, len(condition), dtype)
            for side in sides
        ]
        return cls._of(arithmetic.choose(condition._data, *columns), condition._sized)

    # What it holds

    @property
    def _data(self):
        self._column = lazy.get(self._column)
        return self._column

    @property
    def dtype(self):
        """The Python type of the values."""
        return self._column.dtype

    @property
    def shape(self):
        """The number of values, in a tuple."""
        return (len(self),)

    def __len__(self):
        self._sized = True
        return len(self._column)

    def _count(self):
        return len(self._column)

    def tolist(self):
        """Return the values in a list."""
        return self._data.tolist()

    def __iter__(self):
        self._sized = True
        column = self._data
        return (column.value(row) for row in range(len(column)))

    def __contains__(self, item):
        return bool((self == item)._data.values.any())

    def contains(self, item):
        """Return 1 where a string, list or dictionary contains `item`."""
        kind = infer_type([item])
        searched = {str: (str,), array.array: (int, float)}.get(self.dtype, (kind,))
        if self.dtype not in (str, list, dict, array.array) or kind not in searched:
            raise RuntimeError(
                "Unsupported type operation. cannot perform operation in between "
                f"{type_title(self.dtype)} and {type_title(kind)}"
            )
        return SArray([int(v is not None and item in v) for v in self.tolist()], int)

    def is_in(self, other):
        """Return 1 where a value is one of `other`, or a string part of one."""
        if isinstance(other, str) and self.dtype is str:
            found = [value is not None and value in other for value in self.tolist()]
        elif isinstance(other, (int, float, str, np.number)) or _is_vector_for(other, self.dtype):
            names = " and ".join(type_title(kind) for kind in (infer_type([other]), self.dtype))
            raise RuntimeError(
                f"Unsupported type operation. cannot perform operation in between {names}"
            )
        else:
            wanted = selection.Members(other)
            found = [value in wanted for value in self.tolist()]
        return SArray._of(NumberColumn(np.array(found, np.int64)), self._sized)

    def materialize(self):
        """Compute everything now."""
        self._sized = True
        self._data  # noqa: B018

    def is_materialized(self):
        """Tell whether everything is computed."""
        return self._sized and not isinstance(self._column, lazy.LazyColumn)

    __has_size__ = property(lambda self: lambda: self._sized)
    __is_materialized__ = property(lambda self: self.is_materialized)

    # Selection

    def __getitem__(self, key):
        if isinstance(key, SArray):
            return self._masked(key)
        if isinstance(key, slice):
            rows = selection.slice_rows(key, len(self))
            return SArray._of(lazy.take(self._column, rows, len(range(*rows.indices(len(self))))))
        if isinstance(key, numbers.Integral):
            row = selection.row_number(int(key), len(self), "SArray")
            return self._data.value(row)
        raise IndexError("Invalid type to use for indexing")

    def _masked(self, mask):
        rows = selection.mask_rows(mask._data, self._count())
        return SArray._of(lazy.take(self._column, rows, len(rows)), sized=False)

    def head(self, n=10):
        """Return the first `n` values."""
        return SArray._of(self._column_head(n))

    def _column_head(self, n):
        length = min(int(n), self._count())
        return lazy.take(self._column, slice(0, length), length)

    def tail(self, n=10):
        """Return the last `n` values."""
        start = max(len(self) - int(n), 0)
        return SArray._of(lazy.take(self._column, slice(start, None), len(self) - start))

    def filter(self, fn, skip_na=True, seed=None):
        """Return the values for which a function is true; a seed is for functions that draw."""
        values = self.tolist()
        keep = [not (skip_na and value is None) and bool(fn(value)) for value in values]
        return SArray._of(self._data.take(np.array(keep, bool)), sized=False)

    def filter_by(self, values, exclude=False):
        """Return the values that are among others, or those that are not."""
        from .sframe import SFrame

        return SFrame._of({"X1": self._column}).filter_by(values, "X1", exclude)["X1"]

    def dropna(self):
        """Return the values that are neither missing nor NaN."""
        return SArray._of(self._data.take(~convert.absent(self._data)), sized=False)

    def unique(self):
        """Return each value once, in the order of first appearance."""
        if self.dtype is dict:
            raise TypeError("Cannot group on a dictionary column.")
        if self.dtype in (Image, np.ndarray):
            raise TypeError(f"unique is not supported on {self.dtype.__name__}")
        return SArray._of(self._data.take(selection.first_rows(self._data)))

    def sample(self, fraction, seed=None, exact=False):
        """Return a random share of the values, for a seed the real edition's."""
        selection.check_fraction(fraction)
        if not len(self):
            # Turi Create forgets the type of a column without values.
            return SArray([])
        rows = hashing.chosen_rows(fraction, len(self), selection.seed_number(seed), exact)
        return SArray._of(self._data.take(rows), sized=False)

    def random_split(self, fraction, seed=None):
        """Return a random share of the values and the rest, for a seed the real edition's."""
        from .sframe import SFrame

        one, other = SFrame({"X1": self}).random_split(fraction, seed)
        return one["X1"], other["X1"]

    def hash(self, seed=0):
        """Return a 64-bit hash of each value, the real edition's."""
        return SArray._of(hashing.hash_column(self._data, selection.seed_number(seed)), self._sized)

    @classmethod
    def random_integers(cls, size, seed=None):
        """Return `size` random 64-bit integers, for a seed the real edition's."""
        return cls.from_sequence(size).hash(selection.seed_number(seed))

    def shuffle(self):
        """Return the values in random order."""
        order = np.random.default_rng().permutation(len(self))
        return SArray._of(self._data.take(order))

    def append(self, other):
        """Return the values with those of another SArray of the same type after them."""
        if not isinstance(other, SArray):
            raise RuntimeError("SArray append can only work with SArray")
        if self.dtype is not other.dtype:
            if len(self) and len(other):
                raise RuntimeError("Data types in both SArrays have to be the same")
            one, empty = (self, other) if len(self) or not len(other) else (other, self)
            empty.astype(one.dtype)
            return one
        sized = self._sized and other._sized
        return SArray._of(concatenate([self._data, other._data]), sized)

    def sort(self, ascending=True):
        """Return the values in order, missing ones first."""
        if self.dtype not in _SORTABLE:
            raise TypeError(
                "Only sarray with type (int, float, str, datetime.datetime) can be sorted"
            )
        return SArray._of(self._data.take(selection.sort_order([(self._data, ascending)])))

    def is_topk(self, topk=10, reverse=False):
        """Return 1 for the `topk` largest values, or smallest with `reverse`."""
        selection.check_order(self.dtype)
        order = selection.sort_order([(self._data, bool(reverse))])
        present = order[~convert.absent(self._data)[order]][:topk]
        marks = np.zeros(len(self), np.int64)
        marks[present] = 1
        return SArray._of(NumberColumn(marks))

    # Values to other values

    def apply(self, fn, dtype=None, skip_na=True):
        """Return what a function gives for each value; missing ones stay so by default."""
        if not callable(fn):
            raise AssertionError("Input function must be callable.")
        results = [None if skip_na and value is None else fn(value) for value in self.tolist()]
        results = [plain(result) for result in results]
        kind = convert.column_type(dtype) if dtype else infer_type(results[:_SHOWN])
        return SArray._of(convert.cast_results(results, kind), self._sized)

    def _map(self, function, dtype):
        values = [None if value is None else function(value) for value in self.tolist()]
        return SArray._of(column_from_values(values, dtype), self._sized)

    def astype(self, dtype, undefined_on_failure=False):
        """Return the values as another type."""
        column = convert.cast(self._data, convert.column_type(dtype), undefined_on_failure)
        return SArray._of(column, self._sized)

    def fillna(self, value):
        """Return the values with `value` in place of missing ones and NaN."""
        return SArray._of(convert.fill(self._data, value), self._sized)

    def clip(self, lower=float("nan"), upper=float("nan")):
        """Return numbers, or the numbers of vectors, held between two bounds."""
        return SArray._of(vectors.clip(self._data, lower, upper), self._sized)

    def clip_lower(self, threshold):
        """Return numbers that are at least `threshold`."""
        return self.clip(lower=threshold)

    def clip_upper(self, threshold):
        """Return numbers that are at most `threshold`."""
        return self.clip(upper=threshold)

    def element_slice(self, start=None, stop=None, step=None):
        """Return the same slice of every string, list or vector."""
        if self.dtype not in (str, list, array.array):
            raise TypeError("element_slice is only supported on str, list and array")
        part = slice(start, stop, step)
        if self.dtype is str:
            # As in Turi Create, strings are cut between bytes.
            return self._map(lambda value: value.encode("utf-8")[part].decode("utf-8"), str)
        return self._map(lambda value: value[part], self.dtype)

    def vector_slice(self, start, end=None):
        """Return one element of every vector, or a slice; None where it is too short."""
        if self.dtype not in (array.array, list):
            raise RuntimeError("Only Vector type can be sliced")
        if end is None or end == start + 1:
            if self.dtype is array.array:
                return self._map(lambda value: _element(value, start), float)
            end = start + 1
        return self._map(lambda value: value[start:end] if len(value) >= end else None, self.dtype)

    def item_length(self):
        """Return the lengths of lists, dictionaries or vectors."""
        if self.dtype not in (list, dict, array.array):
            raise TypeError(
                "item_length() is only applicable for SArray of type list, dict and array."
            )
        return self._map(len, int)

    def dict_keys(self):
        """Return the keys of dictionaries as lists."""
        return self._map_dicts(lambda value: list(value), list)

    def dict_values(self):
        """Return the values of dictionaries as lists."""
        return self._map_dicts(lambda value: list(value.values()), list)

    def dict_has_any_keys(self, keys):
        """Return 1 where a dictionary has one of the keys."""
        keys = keys if isinstance(keys, list) else [keys]
        return self._map_dicts(lambda value: int(any(key in value for key in keys)), int)

    def dict_has_all_keys(self, keys):
        """Return 1 where a dictionary has all of the keys."""
        keys = keys if isinstance(keys, list) else [keys]
        return self._map_dicts(lambda value: int(all(key in value for key in keys)), int)

    def dict_trim_by_keys(self, keys, exclude=True):
        """Return dictionaries without some keys, or with these only."""
        keys = set(keys) if hasattr(keys, "__iter__") and not isinstance(keys, str) else {keys}
        return self._trimmed(lambda key, _: (key in keys) != exclude)

    def dict_trim_by_values(self, lower=None, upper=None):
        """Return dictionaries without the numbers outside of two bounds."""
        for bound, name in ((lower, "lower"), (upper, "upper")):
            if bound is not None and not isinstance(bound, numbers.Number):
                raise TypeError(f"{name} bound has to be a numeric value")
        low = -np.inf if lower is None else lower
        high = np.inf if upper is None else upper
        return self._trimmed(
            lambda _, value: not isinstance(value, (int, float)) or low <= value <= high
        )

    def _trimmed(self, keep):
        if self.dtype is not dict:
            raise RuntimeError("Only dictionary type is supported for trim by keys.")
        return self._map(
            lambda value: {key: item for key, item in value.items() if keep(key, item)}, dict
        )

    def datetime_to_str(self, format=_DATE_FORM):
        """Return dates as text, in a form of `strftime` with %ZP for the zone."""
        if self.dtype is not datetime.datetime:
            raise TypeError("datetime_to_str expects SArray of datetime as input SArray")
        return self._map(lambda value: dates.as_text(value, format), str)

    def str_to_datetime(self, format=_DATE_FORM):
        """Return the dates of texts, in a form of `strptime` with %ZP for the zone."""
        if self.dtype is not str:
            raise TypeError("str_to_datetime expects SArray of str as input SArray")
        return self._map(lambda value: dates.from_text(value, format), datetime.datetime)

    def split_datetime(self, column_name_prefix="X", limit=None, timezone=False):
        """Return an SFrame of year, month, day, hour, minute and second of dates."""
        from .sframe import SFrame

        if self.dtype is not datetime.datetime:
            raise TypeError("Only column of datetime type is supported.")
        if limit is not None and (isinstance(limit, str) or not hasattr(limit, "__iter__")):
            raise TypeError("'limit' must be a list")
        parts = dates.split(self.tolist(), column_name_prefix or "", limit, timezone)
        columns = {
            name: column_from_values(values, float if name.endswith("timezone") else int)
            for name, values in parts.items()
        }
        return SFrame._of(columns, self._sized)

    def _map_dicts(self, function, dtype):
        if self.dtype is not dict:
            raise RuntimeError("The SArray must be of type dict")
        return self._map(function, dtype)

    def pixel_array_to_image(
        self, width, height, channels, undefined_on_failure=True, allow_rounding=False
    ):
        """Return vectors of height * width * channels numbers as images."""
        if self.dtype is not array.array:
            raise TypeError("array_to_img expects SArray of arrays as input SArray")
        _check_pixels(self._data.flat, allow_rounding)
        shape = (height, width, channels) if channels > 1 else (height, width)

        def image(value):
            pixels = np.asarray(value)
            if pixels.size == height * width * channels:
                return from_pixels(pixels.astype(np.uint8).reshape(shape))
            if undefined_on_failure:
                return None
            raise RuntimeError("Dimensions do not match vec size")

        return self._map(image, Image)

    def unpack(self, column_name_prefix="X", column_types=None, na_value=None, limit=None):
        """Return lists, dictionaries or vectors as an SFrame with a column for each element."""
        from .sframe import SFrame

        columns = unpack_column(self._data, column_name_prefix, column_types, na_value, limit)
        return SFrame._of(columns, self._sized)

    def stack(self, new_column_name=None, drop_na=False, new_column_type=None):
        """Return the elements of lists, dictionaries or vectors as rows."""
        from .sframe import SFrame

        frame = SFrame({"SArray": self})
        return frame.stack("SArray", new_column_name, drop_na, new_column_type)

    def to_numpy(self):
        """Return the values as an array: a matrix for vectors of one length, objects where
        values are missing.
        """
        return vectors.to_numpy(*lazy.peek(self._column))

    # Figures

    def _reduced(self, name, **options):
        return reduce.reduce_column(self._data, name, **options)

    def sum(self):
        """Return the sum of numbers, or of vectors."""
        return self._reduced("sum")

    def mean(self):
        """Return the mean of numbers, or of vectors."""
        if self.dtype is Image:
            return mean_image([value for value in self.tolist() if value is not None])
        return self._reduced("mean")

    def min(self):
        """Return the smallest number."""
        return self._reduced("min")

    def max(self):
        """Return the largest number."""
        return self._reduced("max")

    def std(self, ddof=0):
        """Return the standard deviation."""
        return self._reduced("std", ddof=ddof)

    def var(self, ddof=0):
        """Return the variance."""
        return self._reduced("var", ddof=ddof)

    def median(self, approximate=False):
        """Return the value in the middle, the upper one of two."""
        if not isinstance(approximate, (bool, np.bool_)):
            raise TypeError("exceptions must derive from BaseException")
        found = self._reduced("median")
        return float(found) if approximate and found is not None else found

    def argmin(self):
        """Return the row of the smallest number."""
        return self._reduced("argmin")

    def argmax(self):
        """Return the row of the largest number."""
        return self._reduced("argmax")

    def any(self):
        """Tell whether one value is neither missing nor zero nor empty."""
        arithmetic.refuse_dates(self._data)
        return any(arithmetic.truth(value) for value in self.tolist() if value is not None)

    def all(self):
        """Tell whether no value is missing, zero or empty."""
        arithmetic.refuse_dates(self._data)
        return all(value is not None and arithmetic.truth(value) for value in self.tolist())

    def nnz(self):
        """Return the number of values that are not zero; missing ones count as zero."""
        arithmetic.refuse_dates(self._data)
        return sum(1 for value in self.tolist() if value is not None and arithmetic.truth(value))

    def countna(self):
        """Return the number of missing values; NaN is not missing here."""
        return int(self._data.missing_mask().sum())

    def value_counts(self):
        """Return an SFrame `value, count`, the most frequent value first."""
        if self.dtype is dict:
            raise TypeError("Cannot group on a dictionary column.")
        from .sframe import SFrame

        return SFrame._of(value_counts(self._data))

    def cumulative_sum(self):
        """Return the sums up to each row."""
        return SArray._of(reduce.cumulate(self._data, "sum"))

    def cumulative_mean(self):
        """Return the means up to each row."""
        return SArray._of(reduce.cumulate(self._data, "mean"))

    def cumulative_min(self):
        """Return the smallest number up to each row."""
        return SArray._of(reduce.cumulate(self._data, "min"))

    def cumulative_max(self):
        """Return the largest number up to each row."""
        return SArray._of(reduce.cumulate(self._data, "max"))

    def cumulative_std(self):
        """Return the standard deviations up to each row."""
        return SArray._of(reduce.cumulate(self._data, "std"))

    def cumulative_var(self):
        """Return the variances up to each row."""
        return SArray._of(reduce.cumulate(self._data, "var"))

    def _rolled(self, name, window_start, window_end, min_observations):
        column = rolling.roll(self._data, name, window_start, window_end, min_observations)
        return SArray._of(column)

    def rolling_mean(self, window_start, window_end, min_observations=None):
        """Return the mean of each row's window, None where too few values are there."""
        return self._rolled("mean", window_start, window_end, min_observations)

    def rolling_sum(self, window_start, window_end, min_observations=None):
        """Return the sum of each row's window."""
        return self._rolled("sum", window_start, window_end, min_observations)

    def rolling_max(self, window_start, window_end, min_observations=None):
        """Return the largest number of each row's window."""
        return self._rolled("max", window_start, window_end, min_observations)

    def rolling_min(self, window_start, window_end, min_observations=None):
        """Return the smallest number of each row's window."""
        return self._rolled("min", window_start, window_end, min_observations)

    def rolling_var(self, window_start, window_end, min_observations=None):
        """Return the variance of each row's window."""
        return self._rolled("var", window_start, window_end, min_observations)

    def rolling_stdv(self, window_start, window_end, min_observations=None):
        """Return the standard deviation of each row's window."""
        return self._rolled("stdv", window_start, window_end, min_observations)

    def rolling_count(self, window_start, window_end):
        """Return how many values are there in each row's window."""
        return SArray._of(rolling.count(self._data, window_start, window_end))

    def summary(self, background=False, sub_sketch_keys=None):
        """Return a `Sketch`: figures, frequent values and quantiles."""
        if self.dtype is Image:
            raise TypeError("summary() is not supported for arrays of image type")
        if type(background) is not bool:
            raise TypeError("'background' parameter has to be a boolean value")
        return Sketch(self, background, _sub_sketch_keys(self.dtype, sub_sketch_keys))

    # Operators

    def _operate(self, sign, other, swapped=False):
        sides = [self._data, other]
        sized = self._sized
        if isinstance(other, SArray):
            if len(self._column) != len(other._column):
                raise RuntimeError("Array size mismatch")
            sides[1] = other._data
            sized = self._sized and other._sized
        elif not (other is None or np.isscalar(other) or isinstance(other, _CONSTANTS)):
            return NotImplemented
        if swapped:
            sides.reverse()
        return SArray._of(arithmetic.combine(sides[0], sign, sides[1]), sized)

    def _logical(self, other, name):
        if not isinstance(other, SArray):
            raise TypeError(f"SArray can only perform logical {name} against another SArray")
        if len(self._column) != len(other._column):
            raise RuntimeError("Array size mismatch")
        return SArray._of(arithmetic.logical(self._data, other._data, name), self._sized)

    def __and__(self, other):
        return self._logical(other, "and")

    def __or__(self, other):
        return self._logical(other, "or")

    def __neg__(self):
        return self._operate("-", 0, swapped=True)

    def __pos__(self):
        if self.dtype not in (int, float, array.array):
            raise RuntimeError(
                "Runtime Exception. Unsupported type operation. cannot perform operation + on "
                f"type {self.dtype}"
            )
        return self

    def __rfloordiv__(self, other):
        # Turi Create cuts the quotient off, it does not round it down.
        return self._operate("/", other, swapped=True).astype(int)

    def __abs__(self):
        return SArray._of(vectors.absolute(self._data), self._sized)

    abs = __abs__

    def __bool__(self):
        raise ValueError(
            "The truth value of an array with more than one element is ambiguous. "
            "Use a.any() or a.all()"
        )

    def __copy__(self):
        return SArray._of(self._column, self._sized)

    def __deepcopy__(self, memo):
        return SArray._of(self._column, self._sized)

    # Showing and saving

    def _shown(self):
        count = self._count()
        values = self._column_head(_SHOWN)
        values = lazy.get(values).tolist()
        if self.dtype is Image:
            values = [None if value is None else image_text(value) for value in values]
        text = ", ".join(repr(value) for value in values)
        more = ", ... " if count > _SHOWN or not self._sized else ""
        return f"[{text}{more}]"

    def __str__(self):
        return self._shown()

    def __repr__(self):
        rows = self._count() if self._sized else "?"
        return f"dtype: {self.dtype.__name__}\nRows: {rows}\n{self._shown()}"

    def explore(self, title=None):
        """Show the values as a table in a notebook, pictures as pictures."""
        explore_array(self, title)

    def show(self, title=None, xlabel=None, ylabel=None):
        """Show a summary of the values: in a notebook as a picture, else as text."""
        self.plot(title, xlabel, ylabel).show()

    def plot(self, title=None, xlabel=None, ylabel=None):
        """Return the summary that `show` shows, as a `Plot`."""
        return Plot([("", self._data)], title, xlabel, ylabel)

    def save(self, filename, format=None):
        """Write the values: as a folder that Turi Create opens too, or as lines of text."""
        if format is None:
            texts = (".csv", ".csv.gz", ".txt")
            format = "text" if str(filename).endswith(texts) else "binary"
        if format not in ("binary", "text", "csv"):
            raise ValueError(f"Unsupported format: {format}")
        column = self._data
        if format == "binary":
            write_array(prepare_target(filename), column)
        else:
            tabular.write_lines(filename, column)

    @classmethod
    def read_json(cls, filename):
        """Return the values of a JSON file that holds a list."""
        return cls(tabular.read_json_array(filename))


_CONSTANTS = (list, tuple, dict, array.array, np.ndarray, datetime.datetime)


def _common_type(sides, dtype):
    """Return the type of two columns or constants, or refuse different ones."""
    columns = [side.dtype for side in sides if isinstance(side, SArray)]
    if len(columns) == 2 and columns[0] is not columns[1]:
        raise RuntimeError("is_true and is_false must be of the same type")
    if columns or dtype is not None:
        return columns[0] if columns else convert.column_type(dtype)
    kinds = {type(side) for side in sides if side is not None}
    if not kinds:
        raise TypeError("Both true and false are None. Resultant type cannot be inferred.")
    if len(kinds) > 1:
        raise TypeError("true and false inputs are of different types")
    return convert.column_type(kinds.pop())


def _is_vector_for(other, dtype):
    """Tell whether values to look for are numbers only, in a column of other things."""
    if isinstance(other, SArray) or dtype in (int, float) or not len(other):
        return False
    return infer_type([other]) is array.array


def _sub_sketch_keys(dtype, keys):
    if keys is None:
        return []
    if dtype not in (dict, array.array):
        raise TypeError("sub_sketch_keys is only supported for SArray of dictionary or array type")
    keys = list(keys) if hasattr(keys, "__iter__") and not isinstance(keys, str) else [keys]
    kinds = {type(key) for key in keys}
    if len(kinds) != 1:
        raise ValueError("sub_sketch_keys member values need to have the same type.")
    if dtype is dict and kinds != {str}:
        raise TypeError(
            "Only string value(s) can be passed to sub_sketch_keys for SArray of dictionary "
            "type. For dictionary types, sketch summary is computed by casting keys to string "
            "values."
        )
    if dtype is array.array and kinds != {int}:
        raise TypeError(
            "Only int value(s) can be passed to sub_sketch_keys for SArray of array type"
        )
    return keys


def _constant(value, size, dtype):
    return column_from_values([value], dtype).take(np.zeros(size, np.int64))


def _check_pixels(values, allow_rounding):
    """Refuse numbers that are no pixels."""
    if not allow_rounding and (values != np.floor(values)).any():
        raise ValueError(
            "There are non-integer values in the array data. Images only support integer data "
            "values between 0 and 255. To permit rounding, set the 'allow_rounding' parameter "
            "to 1."
        )
    if len(values) and (values.min() < 0 or values.max() > 255):
        raise ValueError(
            "There are values outside the range of 0 to 255. Images only support integer data "
            "values between 0 and 255."
        )


def _element(value, index):
    return value[index] if -len(value) <= index < len(value) else None


def _operators():
    """Give SArray its operators, which differ in their sign only."""

    def forward(sign):
        return lambda self, other: self._operate(sign, other)

    def backward(sign):
        return lambda self, other: self._operate(sign, other, swapped=True)

    comparisons = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
    for name, sign in comparisons.items():
        setattr(SArray, f"__{name}__", forward(sign))
    names = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%"}
    for name, sign in {**names, "pow": "**"}.items():
        setattr(SArray, f"__{name}__", forward(sign))
        if name != "floordiv":
            setattr(SArray, f"__r{name}__", backward(sign))


_operators()


def load_sarray(filename):
    """Open a saved SArray."""
    return SArray(str(filename))


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


def object_column(values, dtype):
    """Return the SArray of a list of values of one object type."""
    return SArray._of(ObjectColumn.from_list(values, dtype))
