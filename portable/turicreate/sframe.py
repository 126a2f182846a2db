"""`SFrame`: a table of columns, each an `SArray`."""

import numbers

import numpy as np

from . import (
    convert,
    frame_text,
    hashing,
    membership,
    reshaping,
    rows,
    selection,
    sources,
    storage,
    tabular,
    vectors,
)
from .columns import NumberColumn
from .display import explore
from .grouping import group
from .image import Image
from .joining import join
from .missing import lacks, refuse_by_name
from .names import chosen, need, number_name, renamed, swapped, without
from .sarray import SArray
from .visualization import Plot


@refuse_by_name
class SFrame:
    """A table whose columns have a name, a type and one length.

    Parameters
    ----------
    data : dict, list, SFrame, SArray, pandas.DataFrame or str, optional
        Columns by name (sorted by name, as Turi Create does), or the folder of a saved SFrame.

    Examples
    --------
    >>> print(SFrame({"id": [1, 2], "label": ["cat", "dog"]}))
    +----+-------+
    | id | label |
    +----+-------+
    | 1  |  cat  |
    | 2  |  dog  |
    +----+-------+
    [2 rows x 2 columns]
    <BLANKLINE>
    """

    __slots__ = ("_columns", "_cut", "_sized")
    __hash__ = None

    def __init__(self, data=None, format="auto", _proxy=None):
        if _proxy is not None:
            raise lacks("SFrame(_proxy=...)")
        self._sized, self._cut = True, False
        self._columns = sources.frame_columns(data, format)

    @classmethod
    def _of(cls, columns, sized=True, cut=False):
        """Return the SFrame of {name: column}.

        `sized` is False where Turi Create is lazy, `cut` tells that columns of a lazy SFrame
        were left out or moved.
        """
        result = cls.__new__(cls)
        result._columns, result._sized, result._cut = dict(columns), sized, cut
        return result

    # What it holds

    def column_names(self):
        """Return the names of the columns."""
        return list(self._columns)

    def column_types(self):
        """Return the types of the columns."""
        return [column.dtype for column in self._columns.values()]

    dtype = property(column_types, doc="The types of the columns.")

    def _count(self):
        return frame_text.row_count(self._columns)

    def __len__(self):
        self._sized = True
        return self._count()

    def num_rows(self):
        """Return the number of rows."""
        return len(self)

    def num_columns(self):
        """Return the number of columns."""
        return len(self._columns)

    @property
    def shape(self):
        """The number of rows and of columns."""
        return (len(self), len(self._columns))

    def materialize(self):
        """Compute everything now."""
        self._sized = True
        for column in self._columns.values():
            column.load()

    def is_materialized(self):
        """Tell whether the number of rows is known, as it is after `materialize`."""
        return self._sized

    def __has_size__(self):
        return self._sized

    __is_materialized__ = is_materialized

    # Selection

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.select_column(key)
        if isinstance(key, SArray):
            return self._taken(selection.mask_rows(key._column, self._count()), sized=False)
        if isinstance(key, numbers.Integral):
            return rows.values_at(
                self._columns, selection.row_number(int(key), len(self), "SFrame")
            )
        if isinstance(key, slice):
            return self._taken(selection.slice_rows(key, len(self)))
        if isinstance(key, type):
            return self.select_columns([key])
        if hasattr(key, "__iter__"):
            return self.select_columns(key)
        raise TypeError("Invalid index type: must be SArray, list, int, or str")

    def _taken(self, chosen, sized=True, cut=False):
        return SFrame._of(rows.taken(self._columns, chosen), sized, cut)

    def select_column(self, column_name):
        """Return one column."""
        if column_name not in self._columns:
            raise RuntimeError(f"Column name {column_name} does not exist.")
        return SArray._of(self._columns[column_name], self._sized)

    def select_columns(self, column_names):
        """Return an SFrame of some columns, by name or by type."""
        found = chosen(self._columns, column_names)
        cut = self._cut or list(found) != list(self._columns)
        return SFrame._of(found, self._sized, cut)

    def head(self, n=10):
        """Return the first `n` rows."""
        return self._taken(slice(0, _row_count(n)))

    def tail(self, n=10):
        """Return the last `n` rows."""
        return self._taken(slice(max(len(self) - _row_count(n), 0), None))

    def filter_by(self, values, column_name, exclude=False):
        """Return the rows whose column holds one of `values`, or none of them, in row order."""
        values = values._column if isinstance(values, SArray) else values
        found = membership.rows_by(self._columns, values, column_name, exclude)
        return self._taken(found, sized=not exclude, cut=exclude)

    def dropna(self, columns=None, how="any", recursive=False):
        """Return the rows without missing values or NaN."""
        return self.dropna_split(columns, how, recursive)[0]

    def dropna_split(self, columns=None, how="any", recursive=False):
        """Return the rows without missing values, and the others."""
        parts = rows.split_absent(self._columns, columns, how, recursive)
        return tuple(self._taken(part, sized=False) for part in parts)

    def unique(self):
        """Return every different row once, in the order of first appearance."""
        return self.groupby(self.column_names(), {})

    def drop_duplicates(self, subset):
        """Return the first row of every different combination of some columns."""
        return self._taken(rows.different(self._columns, subset))

    def random_split(self, fraction, seed=None, exact=False):
        """Return a random share of the rows and the rest, for a seed the real edition's."""
        parts = hashing.split_rows(fraction, len(self), seed, exact)
        if not len(self):
            return SFrame(), SFrame()
        return tuple(self._taken(part, sized=False) for part in parts)

    def sample(self, fraction, seed=None, exact=False):
        """Return a random share of the rows, for a seed the real edition's."""
        selection.check_fraction(fraction)
        if not len(self) or fraction == 1:
            return self.copy()
        seed = selection.seed_number(seed)
        found = np.flatnonzero(hashing.chosen_rows(fraction, len(self), seed, exact))
        return self._taken(found, sized=False)

    def shuffle(self):
        """Return the rows in random order."""
        return self._taken(np.random.default_rng().permutation(len(self)))

    def sort(self, key_column_names, ascending=True):
        """Return the rows in the order of one or more columns, missing values smallest."""
        return self._taken(rows.sorted_by(self._columns, key_column_names, ascending))

    def topk(self, column_name, k=10, reverse=False):
        """Return the `k` rows with the largest values, largest first; smallest with `reverse`."""
        if not isinstance(column_name, str):
            raise TypeError("column_name must be a string")
        need(self._columns, [column_name])
        selection.check_order(self._columns[column_name].dtype)
        return self.dropna(column_name).sort(column_name, ascending=reverse).head(k)

    # Columns

    def __setitem__(self, key, value):
        if isinstance(key, list):
            frame = value if isinstance(value, SFrame) else SFrame(dict(zip(key, value)))
            for name, column in zip(key, frame._columns.values()):
                self._set(name, column)
        elif not isinstance(key, str):
            raise TypeError("Cannot set column with key type " + str(type(key)))
        else:
            self._set(key, sources.assigned(value, self._constant_size()))

    def _constant_size(self):
        """Return how often a value is repeated to become a column."""
        return self._count() if self._columns else 1

    def _set(self, name, column):
        others = [own for own in self._columns if own != name]
        if others and len(column) != self._count():
            raise RuntimeError(f'Column "{name}" has different size than current columns!')
        self._sized = True
        self._columns[name] = column

    def __delitem__(self, key):
        self.remove_column(key, inplace=True)

    def _target(self, inplace):
        return self if inplace else self.copy()

    def _changed(self, columns, inplace, cut=False):
        """Return the SFrame with other columns, this one itself if `inplace`."""
        result = self._target(inplace)
        result._columns, result._cut = columns, result._cut or cut
        return result

    def add_column(self, data, column_name="", inplace=False):
        """Add a column, named X1, X2, ... by its place when no name is given."""
        if not isinstance(column_name, str):
            raise TypeError("Invalid column name: must be str")
        result = self._target(inplace)
        name = column_name or number_name(result._columns)
        if name in result._columns:
            raise RuntimeError(f"Column {name} already exists.")
        result._set(name, sources.added(data, self._constant_size()))
        return result

    def add_columns(self, data, column_names=None, inplace=False):
        """Add several columns, given as SArrays and names or as an SFrame."""
        if isinstance(data, SFrame):
            for name in data._columns:
                if name in self._columns:
                    raise ValueError(f"Column '{name}' already exists in current SFrame")
            column_names = data.column_names()
            data = [data[name] for name in column_names]
        sources.check_new_columns(data, column_names)
        result = self._target(inplace)
        names = [*column_names, *[""] * len(data)]
        for column, name in zip(data, names):
            result.add_column(column, name, inplace=True)
        return result

    def remove_column(self, column_name, inplace=False):
        """Remove a column."""
        return self.remove_columns([str(column_name)], inplace)

    def remove_columns(self, column_names, inplace=False):
        """Remove several columns."""
        return self._changed(without(self._columns, column_names), inplace, cut=True)

    def swap_columns(self, column_name_1, column_name_2, inplace=False):
        """Let two columns change places."""
        columns = swapped(self._columns, column_name_1, column_name_2)
        return self._changed(columns, inplace, cut=True)

    def rename(self, names, inplace=False):
        """Rename columns, given as {old name: new name}."""
        return self._changed(renamed(self._columns, names), inplace)

    def add_row_number(self, column_name="id", start=0, inplace=False):
        """Put a column of row numbers in front."""
        if column_name in self._columns:
            raise RuntimeError(f"Column '{column_name}' already exists in the current SFrame")
        numbered = NumberColumn(np.arange(start, start + len(self), dtype=np.int64))
        result = self._changed({column_name: numbered, **self._columns}, inplace)
        result._sized = True
        return result

    def fillna(self, column_name, value):
        """Replace the missing values and NaN of a column."""
        if not isinstance(column_name, str):
            raise TypeError("Must give column_name as a str")
        result = self.copy()
        result[column_name] = self[column_name].fillna(value)
        return result

    # New tables

    def append(self, other):
        """Return the rows with those of another SFrame of the same columns after them."""
        if not isinstance(other, SFrame):
            raise RuntimeError("SFrame append can only work with SFrame")
        columns = rows.appended(self._columns, other._columns)
        if not self._columns or not other._columns:
            return (other if not self._columns else self).copy()
        return SFrame._of(columns, self._sized and other._sized)

    def apply(self, fn, dtype=None):
        """Return what a function of each row (a dictionary) gives, as an SArray."""
        if not callable(fn):
            raise AssertionError("Input must be callable")
        results = [fn(row) for row in self._rows()]
        return SArray._of(convert.of_results(results, dtype), self._sized)

    def groupby(self, key_column_names, operations, *args):
        """Return one row for each combination of keys, in the order of first appearance.

        Turi Create's own order is that of a hash table, which differs from machine to
        machine: sort the result to get the same rows everywhere.
        """
        return SFrame._of(group(self._columns, key_column_names, [operations, *args]))

    def join(self, right, on=None, how="inner", alter_name=None):
        """Return the rows of two SFrames that agree in the key columns."""
        if not isinstance(right, SFrame):
            raise TypeError("Can only join two SFrames")
        return SFrame._of(join(self._columns, right._columns, on, how, alter_name))

    def unstack(self, column_names, new_column_name=None):
        """Return a row for each combination of the other columns, with a list of the values.

        Of two columns, the first are the keys and the second the values of a dictionary.
        """
        return SFrame._of(reshaping.unstack_table(self._columns, column_names, new_column_name))

    def stack(self, column_name, new_column_name=None, drop_na=False, new_column_type=None):
        """Return a row for each element of a column of lists, dictionaries or vectors."""
        options = (new_column_name, drop_na, new_column_type)
        return SFrame._of(reshaping.stack_table(self._columns, str(column_name), *options))

    def unpack(
        self,
        column_name=None,
        column_name_prefix=None,
        column_types=None,
        na_value=None,
        limit=None,
    ):
        """Return a column for each element of a column of lists, dictionaries or vectors."""
        columns = reshaping.unpack_table(
            self._columns, column_name, column_name_prefix, column_types, na_value, limit
        )
        return SFrame._of(columns, self._sized)

    def split_datetime(self, column_name, column_name_prefix=None, limit=None, timezone=False):
        """Return a column of dates as columns of their parts, see `SArray.split_datetime`."""
        return SFrame._of(
            reshaping.split_dates(self._columns, column_name, column_name_prefix, limit, timezone)
        )

    def flat_map(self, column_names, fn, column_types="auto", seed=None):
        """Return the rows that a function of each row gives, a list of lists."""
        if not callable(fn):
            raise AssertionError("Input must be callable")
        found = [fn(row) for row in self._rows()]
        return SFrame._of(reshaping.flattened(found, column_names, column_types))

    def pack_columns(
        self,
        column_names=None,
        column_name_prefix=None,
        dtype=list,
        fill_na=None,
        remove_prefix=True,
        new_column_name=None,
    ):
        """Return several columns as one of lists, dictionaries or vectors."""
        columns = reshaping.pack_table(
            self._columns,
            column_names,
            column_name_prefix,
            dtype,
            fill_na,
            remove_prefix,
            new_column_name,
        )
        return SFrame._of(columns, self._sized)

    def copy(self):
        """Return an SFrame with the same columns."""
        return SFrame._of(self._columns, self._sized, self._cut)

    __copy__ = copy

    def __deepcopy__(self, memo):
        return self.copy()

    def __add__(self, other):
        return self.append(other)

    def __eq__(self, other):
        raise NotImplementedError

    __ne__ = __eq__

    # To other forms

    def _rows(self):
        return (rows.values_at(self._columns, row) for row in range(self._count()))

    def __iter__(self):
        self._sized = True
        return self._rows()

    def to_dataframe(self):
        """Return a pandas DataFrame; vectors stay `array.array`."""
        import pandas

        frame = pandas.DataFrame()
        for name, column in self._columns.items():
            frame[name] = sources.pandas_series(column)
        return frame

    def to_numpy(self):
        """Return the columns side by side as one array."""
        return vectors.side_by_side(list(self._columns.values()))

    def save(self, filename, format=None):
        """Write the table: as a folder that Turi Create opens too, as .csv or as .json."""
        self._sized = True
        storage.save_table(filename, self._columns, format)

    def export_csv(self, filename, **options):
        """Write the table as a CSV file.

        Parameters
        ----------
        filename : str or Path
        **options
            delimiter, line_terminator, header, quote_level (csv.QUOTE_...), double_quote,
            escape_char, quote_char, na_rep, file_header, file_footer, line_prefix.
        """
        tabular.write_csv(filename, self._columns, options)

    def export_json(self, filename, orient="records"):
        """Write the table as a JSON list of objects, or with orient='lines' one a line."""
        tabular.write_json(filename, self._columns, orient)

    @classmethod
    def read_csv(cls, url, **options):
        """Return the table of a CSV file.

        Parameters
        ----------
        url : str or Path
            A file, one packed as .gz, a folder, or a pattern with `*`.
        **options
            delimiter, header, error_bad_lines, comment_char, escape_char, double_quote,
            quote_char, skip_initial_space, column_type_hints (a type, a list of types or
            {name: type}), na_values, line_terminator, usecols, nrows, skiprows, verbose,
            nrows_to_infer, true_values, false_values.
        """
        return cls._of(tabular.read_csv(url, options)[0])

    @classmethod
    def read_csv_with_errors(cls, url, **options):
        """Return the table of a CSV file, and {file: SArray of the lines left out}."""
        columns, bad = tabular.read_csv(url, options)
        return cls._of(columns), {path: SArray(lines, str) for path, lines in bad.items() if lines}

    @classmethod
    def read_json(cls, url, orient="records"):
        """Return the table of a JSON list of objects, or with orient='lines' of one a line."""
        return cls._of(tabular.read_json(url, orient))

    # Showing

    def _look(self):
        """Know the number of rows from now on if there are pictures, as in Turi Create.

        To print them, it turns the whole column into text; that does not help where columns
        were left out before.
        """
        self._sized = self._sized or (Image in self.column_types() and not self._cut)

    def __str__(self):
        self._look()
        return frame_text.head_text(self._columns, self._sized)

    def __repr__(self):
        self._look()
        return frame_text.description(self._columns, self._sized)

    def _repr_html_(self):
        self._look()
        return frame_text.head_html(self._columns, self._sized)

    def print_rows(
        self,
        num_rows=10,
        num_columns=40,
        max_column_width=30,
        max_row_width=80,
        output_file=None,
    ):
        """Print the first rows and columns."""
        self._sized = True
        shape = (num_rows, num_columns, max_column_width, max_row_width)
        frame_text.print_rows(self._columns, *shape, output_file)

    def explore(self, title=None):
        """Show the first 100 rows as a table in a notebook, pictures as pictures."""
        self._sized = True
        explore(self._columns, title)

    def show(self):
        """Show a summary of every column: in a notebook as pictures, else as text."""
        self.plot().show()

    def plot(self):
        """Return the summary that `show` shows, as a `Plot`."""
        shown = [(n, c) for n, c in self._columns.items() if c.dtype is not Image]
        return Plot(shown)


SArray._frame = SFrame._of


def _row_count(n):
    if not isinstance(n, (int, np.integer)):
        raise TypeError("an integer is required")
    return max(int(n), 0)


def load_sframe(filename):
    """Open a saved SFrame."""
    return SFrame(filename)
