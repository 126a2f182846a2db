"""`SArray`: one column of values of one type, some of them missing."""

import array
import datetime
import numbers

import numpy as np

from . import (
    arithmetic,
    convert,
    elements,
    hashing,
    membership,
    reduce,
    reshaping,
    rolling,
    selection,
    storage,
    tabular,
    vectors,
)
from .display import explore
from .frame_text import array_text
from .grouping import value_counts
from .image import Image, mean_image
from .infer import constant_column, make_column, sequence_column
from .missing import lacks, refuse_by_name
from .sketch import Sketch
from .sketch import sub_sketch_keys as checked_keys
from .visualization import Plot

_DATE_FORM = "%Y-%m-%dT%H:%M:%S%ZP"
_INFERRED = type(None)
_CONSTANTS = (list, tuple, dict, array.array, np.ndarray, datetime.datetime)


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
    # Makes an SFrame of columns by name; `sframe`, which builds on this module, sets it.
    _frame = None

    def __init__(self, data=(), dtype=None, ignore_cast_failure=False, _proxy=None):
        if _proxy is not None:
            raise lacks("SArray(_proxy=...)")
        self._sized = True
        if isinstance(data, SArray):
            self._column = data._column if dtype is None else data.astype(dtype)._column
        elif isinstance(data, str):
            self._column = storage.read_array(data)
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
        return cls._of(constant_column(value, size, None if dtype is _INFERRED else dtype))

    @classmethod
    def from_sequence(cls, *args):
        """Return the integers from start (0) up to stop, as `range` gives them."""
        return cls._of(sequence_column(args))

    @classmethod
    def where(cls, condition, istrue, isfalse, dtype=None):
        """Return values of `istrue` where `condition` is true, else of `isfalse`.

        Where the condition is missing, so is the result.
        """
        if not isinstance(condition, SArray):
            raise TypeError(f"condition must be an SArray, not {type(condition).__name__}")
        sides = [_column_or_value(side) for side in (istrue, isfalse)]
        return cls._of(arithmetic.where(condition._column, *sides, dtype), condition._sized)

    # What it holds

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
        return self._column.tolist()

    def __iter__(self):
        self._sized = True
        column = self._column
        return (column.value(row) for row in range(len(column)))

    def __contains__(self, item):
        return bool((self == item)._column.values.any())

    def contains(self, item):
        """Return 1 where a string, list or dictionary contains `item`."""
        return SArray._of(membership.contains(self._column, item))

    def is_in(self, other):
        """Return 1 where a value is one of `other`, or a string part of one."""
        found = membership.is_in(self._column, _column_or_value(other))
        return SArray._of(found, self._sized)

    def materialize(self):
        """Compute everything now."""
        self._sized = True
        self._column.load()

    def is_materialized(self):
        """Tell whether everything is computed."""
        return self._sized and self._column.is_loaded

    __has_size__ = property(lambda self: lambda: self._sized)
    __is_materialized__ = property(lambda self: self.is_materialized)

    # Selection

    def __getitem__(self, key):
        if isinstance(key, SArray):
            rows = selection.mask_rows(key._column, self._count())
            return SArray._of(self._column.take(rows), sized=False)
        if isinstance(key, slice):
            return SArray._of(self._column.take(selection.slice_rows(key, len(self))))
        if isinstance(key, numbers.Integral):
            return self._column.value(selection.row_number(int(key), len(self), "SArray"))
        raise IndexError("Invalid type to use for indexing")

    def head(self, n=10):
        """Return the first `n` values."""
        return SArray._of(self._column.take(slice(0, min(int(n), self._count()))))

    def tail(self, n=10):
        """Return the last `n` values."""
        return SArray._of(self._column.take(slice(max(len(self) - int(n), 0), None)))

    def filter(self, fn, skip_na=True, seed=None):
        """Return the values for which a function is true; a seed is for functions that draw."""
        values = self.tolist()
        keep = [not (skip_na and value is None) and bool(fn(value)) for value in values]
        return SArray._of(self._column.take(np.array(keep, bool)), sized=False)

    def filter_by(self, values, exclude=False):
        """Return the values that are among others, or those that are not."""
        rows = membership.rows_by({"X1": self._column}, _column_or_value(values), "X1", exclude)
        return SArray._of(self._column.take(rows), sized=not exclude)

    def dropna(self):
        """Return the values that are neither missing nor NaN."""
        return SArray._of(self._column.take(~convert.absent(self._column)), sized=False)

    def unique(self):
        """Return each value once, in the order of first appearance."""
        return SArray._of(self._column.take(selection.first_rows(self._column)))

    def sample(self, fraction, seed=None, exact=False):
        """Return a random share of the values, for a seed the real edition's."""
        selection.check_fraction(fraction)
        if not len(self):
            # Turi Create forgets the type of a column without values.
            return SArray([])
        rows = hashing.chosen_rows(fraction, len(self), selection.seed_number(seed), exact)
        return SArray._of(self._column.take(rows), sized=False)

    def random_split(self, fraction, seed=None):
        """Return a random share of the values and the rest, for a seed the real edition's."""
        if not len(self):
            raise RuntimeError("Column name X1 does not exist.")
        parts = hashing.split_rows(fraction, len(self), seed, exact=False)
        return tuple(SArray._of(self._column.take(rows), sized=False) for rows in parts)

    def hash(self, seed=0):
        """Return a 64-bit hash of each value, the real edition's."""
        return self._like(hashing.hash_column(self._column, selection.seed_number(seed)))

    @classmethod
    def random_integers(cls, size, seed=None):
        """Return `size` random 64-bit integers, for a seed the real edition's."""
        return cls.from_sequence(size).hash(selection.seed_number(seed))

    def shuffle(self):
        """Return the values in random order."""
        order = np.random.default_rng().permutation(len(self))
        return SArray._of(self._column.take(order))

    def append(self, other):
        """Return the values with those of another SArray of the same type after them."""
        if not isinstance(other, SArray):
            raise RuntimeError("SArray append can only work with SArray")
        column = convert.append(self._column, other._column)
        return SArray._of(column, self._sized and other._sized)

    def sort(self, ascending=True):
        """Return the values in order, missing ones first."""
        order = selection.value_order(self._column, ascending)
        return SArray._of(self._column.take(order))

    def is_topk(self, topk=10, reverse=False):
        """Return 1 for the `topk` largest values, or smallest with `reverse`."""
        return SArray._of(selection.topk_marks(self._column, topk, reverse))

    # Values to other values

    def _like(self, column):
        """Return the SArray of a column whose length is known where this one's is."""
        return SArray._of(column, self._sized)

    def apply(self, fn, dtype=None, skip_na=True):
        """Return what a function gives for each value; missing ones stay so by default."""
        if not callable(fn):
            raise AssertionError("Input function must be callable.")
        results = [None if skip_na and value is None else fn(value) for value in self.tolist()]
        return self._like(convert.of_results(results, dtype))

    def astype(self, dtype, undefined_on_failure=False):
        """Return the values as another type."""
        column = convert.cast(self._column, convert.column_type(dtype), undefined_on_failure)
        return SArray._of(column, self._sized)

    def fillna(self, value):
        """Return the values with `value` in place of missing ones and NaN."""
        return self._like(convert.fill(self._column, value))

    def clip(self, lower=float("nan"), upper=float("nan")):
        """Return numbers, or the numbers of vectors, held between two bounds."""
        return self._like(vectors.clip(self._column, lower, upper))

    def clip_lower(self, threshold):
        """Return numbers that are at least `threshold`."""
        return self.clip(lower=threshold)

    def clip_upper(self, threshold):
        """Return numbers that are at most `threshold`."""
        return self.clip(upper=threshold)

    def element_slice(self, start=None, stop=None, step=None):
        """Return the same slice of every string, list or vector."""
        return self._like(elements.element_slice(self._column, slice(start, stop, step)))

    def vector_slice(self, start, end=None):
        """Return one element of every vector, or a slice; None where it is too short."""
        return self._like(elements.vector_slice(self._column, start, end))

    def item_length(self):
        """Return the lengths of lists, dictionaries or vectors."""
        return self._like(elements.item_length(self._column))

    def dict_keys(self):
        """Return the keys of dictionaries as lists."""
        return self._like(elements.of_dicts(self._column, list, list))

    def dict_values(self):
        """Return the values of dictionaries as lists."""
        return self._like(elements.of_dicts(self._column, lambda value: list(value.values()), list))

    def dict_has_any_keys(self, keys):
        """Return 1 where a dictionary has one of the keys."""
        return self._like(elements.has_keys(self._column, keys, any))

    def dict_has_all_keys(self, keys):
        """Return 1 where a dictionary has all of the keys."""
        return self._like(elements.has_keys(self._column, keys, all))

    def dict_trim_by_keys(self, keys, exclude=True):
        """Return dictionaries without some keys, or with these only."""
        return self._like(elements.trim_by_keys(self._column, keys, exclude))

    def dict_trim_by_values(self, lower=None, upper=None):
        """Return dictionaries without the numbers outside of two bounds."""
        return self._like(elements.trim_by_values(self._column, lower, upper))

    def datetime_to_str(self, format=_DATE_FORM):
        """Return dates as text, in a form of `strftime` with %ZP for the zone."""
        return self._like(elements.dates_as_text(self._column, format))

    def str_to_datetime(self, format=_DATE_FORM):
        """Return the dates of texts, in a form of `strptime` with %ZP for the zone."""
        return self._like(elements.dates_of_text(self._column, format))

    def split_datetime(self, column_name_prefix="X", limit=None, timezone=False):
        """Return an SFrame of year, month, day, hour, minute and second of dates."""
        parts = elements.split_dates(self._column, column_name_prefix, limit, timezone)
        return self._frame(parts, self._sized)

    def pixel_array_to_image(
        self, width, height, channels, undefined_on_failure=True, allow_rounding=False
    ):
        """Return vectors of height * width * channels numbers as images."""
        size = (width, height, channels)
        return self._like(
            elements.images(self._column, *size, undefined_on_failure, allow_rounding)
        )

    def unpack(self, column_name_prefix="X", column_types=None, na_value=None, limit=None):
        """Return lists, dictionaries or vectors as an SFrame with a column for each element."""
        parts = reshaping.unpack_column(
            self._column, column_name_prefix, column_types, na_value, limit
        )
        return self._frame(parts, self._sized)

    def stack(self, new_column_name=None, drop_na=False, new_column_type=None):
        """Return the elements of lists, dictionaries or vectors as rows."""
        table = {"SArray": self._column}
        return self._frame(
            reshaping.stack_table(table, "SArray", new_column_name, drop_na, new_column_type)
        )

    def to_numpy(self):
        """Return the values as an array: a matrix for vectors of one length, objects where
        values are missing.
        """
        return vectors.to_numpy(*self._column.once())

    # Figures

    def _reduced(self, name, **options):
        return reduce.reduce_column(self._column, name, **options)

    def sum(self):
        """Return the sum of numbers, or of vectors."""
        return self._reduced("sum")

    def mean(self):
        """Return the mean of numbers, of vectors or of images."""
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
        return reduce.median(self._column, approximate)

    def argmin(self):
        """Return the row of the smallest number."""
        return self._reduced("argmin")

    def argmax(self):
        """Return the row of the largest number."""
        return self._reduced("argmax")

    def any(self):
        """Tell whether one value is neither missing nor zero nor empty."""
        return any(arithmetic.truths(self._column))

    def all(self):
        """Tell whether no value is missing, zero or empty."""
        return all(arithmetic.truths(self._column))

    def nnz(self):
        """Return the number of values that are not zero; missing ones count as zero."""
        return sum(arithmetic.truths(self._column))

    def countna(self):
        """Return the number of missing values; NaN is not missing here."""
        return int(self._column.missing_mask().sum())

    def value_counts(self):
        """Return an SFrame `value, count`, the most frequent value first."""
        if self.dtype is dict:
            raise TypeError("Cannot group on a dictionary column.")
        return self._frame(value_counts(self._column))

    def cumulative_sum(self):
        """Return the sums up to each row."""
        return SArray._of(reduce.cumulate(self._column, "sum"))

    def cumulative_mean(self):
        """Return the means up to each row."""
        return SArray._of(reduce.cumulate(self._column, "mean"))

    def cumulative_min(self):
        """Return the smallest number up to each row."""
        return SArray._of(reduce.cumulate(self._column, "min"))

    def cumulative_max(self):
        """Return the largest number up to each row."""
        return SArray._of(reduce.cumulate(self._column, "max"))

    def cumulative_std(self):
        """Return the standard deviations up to each row."""
        return SArray._of(reduce.cumulate(self._column, "std"))

    def cumulative_var(self):
        """Return the variances up to each row."""
        return SArray._of(reduce.cumulate(self._column, "var"))

    def _rolled(self, name, window_start, window_end, min_observations):
        column = rolling.roll(self._column, name, window_start, window_end, min_observations)
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
        return SArray._of(rolling.count(self._column, window_start, window_end))

    def summary(self, background=False, sub_sketch_keys=None):
        """Return a `Sketch`: figures, frequent values and quantiles."""
        return Sketch(self, background, checked_keys(self.dtype, background, sub_sketch_keys))

    # Operators

    def _operate(self, sign, other, swapped=False):
        known = other is None or np.isscalar(other) or isinstance(other, (SArray, *_CONSTANTS))
        if not known:
            return NotImplemented
        sides = [self._column, _column_or_value(other)]
        if swapped:
            sides.reverse()
        sized = self._sized and getattr(other, "_sized", True)
        return SArray._of(arithmetic.combine(sides[0], sign, sides[1]), sized)

    def _logical(self, other, name):
        if not isinstance(other, SArray):
            raise TypeError(f"SArray can only perform logical {name} against another SArray")
        return self._like(arithmetic.logical(self._column, other._column, name))

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
        return self._like(vectors.absolute(self._column))

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

    def __str__(self):
        return array_text(self._column, self._sized)

    def __repr__(self):
        rows = self._count() if self._sized else "?"
        return f"dtype: {self.dtype.__name__}\nRows: {rows}\n{self}"

    def explore(self, title=None):
        """Show the values as a table in a notebook, pictures as pictures."""
        self._sized = True
        explore({"SArray": self._column}, title)

    def show(self, title=None, xlabel=None, ylabel=None):
        """Show a summary of the values: in a notebook as a picture, else as text."""
        self.plot(title, xlabel, ylabel).show()

    def plot(self, title=None, xlabel=None, ylabel=None):
        """Return the summary that `show` shows, as a `Plot`."""
        return Plot([("", self._column)], title, xlabel, ylabel)

    def save(self, filename, format=None):
        """Write the values: as a folder that Turi Create opens too, or as lines of text."""
        storage.save_array(filename, self._column, format)

    @classmethod
    def read_json(cls, filename):
        """Return the values of a JSON file that holds a list."""
        return cls(tabular.read_json_array(filename))


def _column_or_value(value):
    return value._column if isinstance(value, SArray) else value


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
