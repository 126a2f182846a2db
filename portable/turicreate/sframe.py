"""`SFrame`: a table of columns, each an `SArray`."""

import numbers
import sys

import numpy as np

from . import aggregate, convert, hashing, lazy, selection, sources, tabular
from .columns import NumberColumn, concatenate
from .display import explore_frame
from .grouping import group
from .image import Image
from .infer import infer_type, plain
from .joining import join
from .missing import lacks, refuse_by_name
from .names import free_names, number_name
from .printing import (
    HTML_COLUMN_WIDTH,
    HTML_COLUMNS,
    STR_COLUMNS,
    cell_text,
    column_description,
    footer,
    html_frame,
    html_tables,
    text_tables,
    type_title,
    value_width,
)
from .reshaping import pack_table, stack_table, unpack_table
from .sarray import SArray
from .sframe_format import write_frame
from .storage import prepare_target
from .visualization import Plot

_SHOWN = 10


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
        return len(next(iter(self._columns.values()))) if self._columns else 0

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

    def _column_data(self, name):
        """Return the `Column` of a name."""
        if name not in self._columns:
            raise RuntimeError(f"Column name {name} does not exist.")
        self._columns[name] = lazy.get(self._columns[name])
        return self._columns[name]

    def _table(self):
        """Return the columns {name: Column}, all computed."""
        return {name: self._column_data(name) for name in self._columns}

    def _names(self, names):
        for name in names:
            if name not in self._columns:
                raise RuntimeError(f"Column {name} does not exist")
        return list(names)

    def materialize(self):
        """Compute everything now."""
        self._sized = True
        for name in self._columns:
            self._column_data(name)

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
            return self._row_selector(key)
        if isinstance(key, numbers.Integral):
            row = selection.row_number(int(key), len(self), "SFrame")
            return {name: self._column_data(name).value(row) for name in self._columns}
        if isinstance(key, slice):
            return self._sliced(selection.slice_rows(key, len(self)))
        if isinstance(key, type):
            return self.select_columns([key])
        if hasattr(key, "__iter__"):
            return self.select_columns(key)
        raise TypeError("Invalid index type: must be SArray, list, int, or str")

    def _sliced(self, rows):
        length = len(range(*rows.indices(self._count())))
        return self._taken(rows, length)

    def _taken(self, rows, length, sized=True):
        columns = {name: lazy.take(self._share(name), rows, length) for name in self._columns}
        return SFrame._of(columns, sized)

    def _share(self, name):
        """Return a column as it is, computed already or not."""
        column = self._columns[name]
        if isinstance(column, lazy.LazyColumn) and column._column is not None:
            column = self._columns[name] = column.get()
        return column

    def _row_selector(self, other):
        """Return the rows where an SArray is neither zero nor missing."""
        rows = selection.mask_rows(other._data, self._count())
        return self._taken(rows, len(rows), sized=False)

    def select_column(self, column_name):
        """Return one column."""
        if column_name not in self._columns:
            raise RuntimeError(f"Column name {column_name} does not exist.")
        return SArray._of(self._share(column_name), self._sized)

    def select_columns(self, column_names):
        """Return an SFrame of some columns, by name or by type."""
        if isinstance(column_names, str) or not hasattr(column_names, "__iter__"):
            raise TypeError("column_names must be an iterable")
        keys = list(column_names)
        if not all(isinstance(key, (str, type)) for key in keys):
            raise TypeError("Invalid key type: must be str, unicode, bytes or type")
        for key in keys:
            if keys.count(key) > 1:
                raise ValueError(f"There are duplicate keys in key list: {key!r}")
        names = self._names([key for key in keys if isinstance(key, str)])
        if any(isinstance(key, type) for key in keys):
            # As in Turi Create, types come in the order of the columns, after names.
            kinds = [key for key in keys if isinstance(key, type)]
            typed = [name for name, column in self._columns.items() if column.dtype in kinds]
            names += [name for name in typed if name not in names]
        cut = self._cut or names != list(self._columns)
        return SFrame._of({name: self._share(name) for name in names}, self._sized, cut)

    def head(self, n=10):
        """Return the first `n` rows."""
        return self._sliced(slice(0, _row_count(n)))

    def tail(self, n=10):
        """Return the last `n` rows."""
        return self._sliced(slice(max(len(self) - _row_count(n), 0), None))

    def filter_by(self, values, column_name, exclude=False):
        """Return the rows whose column holds one of `values`, or none of them, in row order."""
        if not isinstance(column_name, str):
            raise TypeError("Must pass a str as column_name")
        if column_name not in self._columns:
            raise KeyError(f"Column '{column_name}' not in SFrame.")
        own = self._columns[column_name].dtype
        values = sources.filter_values(values, own)
        if values.dtype is not own:
            raise TypeError(
                f"Type of given values ({values.dtype}) does not match type of column "
                f"'{column_name}' ({own}) in SFrame."
            )
        if own is dict:
            raise TypeError("Cannot group on a dictionary column.")
        mask = self[column_name].is_in(values)
        rows = selection.mask_rows((mask == 0 if exclude else mask)._data, self._count())
        found = self._taken(rows, len(rows), sized=not exclude)
        found._cut = exclude
        return found

    def dropna(self, columns=None, how="any", recursive=False):
        """Return the rows without missing values or NaN."""
        return self.dropna_split(columns, how, recursive)[0]

    def dropna_split(self, columns=None, how="any", recursive=False):
        """Return the rows without missing values, and the others."""
        if how not in ("any", "all"):
            raise ValueError("Must specify 'any' or 'all'")
        names = [columns] if isinstance(columns, str) else columns or self.column_names()
        absent = convert.absent_within if recursive else convert.absent
        masks = [absent(self._column_data(name)) for name in self._names(names)]
        gone = getattr(np, "logical_or" if how == "any" else "logical_and").reduce(masks)
        parts = [np.flatnonzero(~gone), np.flatnonzero(gone)]
        return tuple(self._taken(rows, len(rows), sized=False) for rows in parts)

    def unique(self):
        """Return every different row once, in the order of first appearance."""
        return self.groupby(self.column_names(), {})

    def drop_duplicates(self, subset):
        """Return the first row of every different combination of some columns."""
        names = self._names([subset] if isinstance(subset, str) else subset)
        if not names:
            return self.copy()
        rows = selection.group_rows([self._column_data(name) for name in names])[1]
        return self._taken(rows, len(rows))

    def random_split(self, fraction, seed=None, exact=False):
        """Return a random share of the rows and the rest, for a seed the real edition's."""
        selection.check_fraction(fraction)
        if not len(self):
            return SFrame(), SFrame()
        chosen = hashing.chosen_rows(fraction, len(self), selection.split_seed_number(seed), exact)
        parts = [np.flatnonzero(chosen), np.flatnonzero(~chosen)]
        return tuple(self._taken(rows, len(rows), sized=False) for rows in parts)

    def sample(self, fraction, seed=None, exact=False):
        """Return a random share of the rows, for a seed the real edition's."""
        selection.check_fraction(fraction)
        if not len(self) or fraction == 1:
            return self.copy()
        seed = selection.seed_number(seed)
        rows = np.flatnonzero(hashing.chosen_rows(fraction, len(self), seed, exact))
        return self._taken(rows, len(rows), sized=False)

    def shuffle(self):
        """Return the rows in random order."""
        order = np.random.default_rng().permutation(len(self))
        return self._taken(order, len(order))

    def sort(self, key_column_names, ascending=True):
        """Return the rows in the order of one or more columns, missing values smallest."""
        keys = sources.sort_keys(key_column_names, ascending)
        for name, _ in keys:
            if name not in self._columns:
                raise ValueError(f"SFrame has no column named: '{name}'")
        columns = [(self._column_data(name), bool(up)) for name, up in keys]
        if any(column.dtype not in sources.SORTABLE for column, _ in columns):
            raise TypeError("Only columns of type (str, int, float) can be sorted")
        return self._taken(selection.sort_order(columns), self._count())

    def topk(self, column_name, k=10, reverse=False):
        """Return the `k` rows with the largest values, largest first; smallest with `reverse`."""
        if not isinstance(column_name, str):
            raise TypeError("column_name must be a string")
        self._names([column_name])
        selection.check_order(self._columns[column_name].dtype)
        return self.dropna(column_name).sort(column_name, ascending=reverse).head(k)

    # Columns

    def __setitem__(self, key, value):
        if isinstance(key, list):
            frame = value if isinstance(value, SFrame) else SFrame(dict(zip(key, value)))
            for name, own in zip(key, frame.column_names()):
                self[name] = frame[own]
        elif not isinstance(key, str):
            raise TypeError("Cannot set column with key type " + str(type(key)))
        else:
            self._set(key, sources.assigned(value, self))

    def _set(self, name, column):
        others = [own for own in self._columns if own != name]
        if others and len(column) != self._count():
            raise RuntimeError(f'Column "{name}" has different size than current columns!')
        self._sized = True
        self._columns[name] = column._column

    def __delitem__(self, key):
        self.remove_column(key, inplace=True)

    def _target(self, inplace):
        return self if inplace else self.copy()

    def add_column(self, data, column_name="", inplace=False):
        """Add a column, named X1, X2, ... by its place when no name is given."""
        if not isinstance(column_name, str):
            raise TypeError("Invalid column name: must be str")
        result = self._target(inplace)
        name = column_name or number_name(result._columns)
        if name in result._columns:
            raise RuntimeError(f"Column {name} already exists.")
        result._set(name, sources.added(data, self))
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
        for name in column_names:
            if name not in self._columns:
                raise KeyError(f"Cannot find column {name}")
        result = self._target(inplace)
        for name in column_names:
            del result._columns[name]
        result._cut = True
        return result

    def swap_columns(self, column_name_1, column_name_2, inplace=False):
        """Let two columns change places."""
        names = self.column_names()
        self._names([column_name_1, column_name_2])
        one, other = names.index(column_name_1), names.index(column_name_2)
        names[one], names[other] = names[other], names[one]
        result = self._target(inplace)
        result._columns = {name: result._columns[name] for name in names}
        result._cut = True
        return result

    def rename(self, names, inplace=False):
        """Rename columns, given as {old name: new name}."""
        if not isinstance(names, dict):
            raise TypeError("names must be a dictionary: oldname -> newname")
        for name in names:
            if name not in self._columns:
                raise ValueError(f"Cannot find column {name} in the SFrame")
        new = [names.get(name, name) for name in self._columns]
        if len(set(new)) != len(new):
            raise RuntimeError("Two columns would have the same name")
        result = self._target(inplace)
        result._columns = dict(zip(new, result._columns.values()))
        return result

    def add_row_number(self, column_name="id", start=0, inplace=False):
        """Put a column of row numbers in front."""
        if column_name in self._columns:
            raise RuntimeError(f"Column '{column_name}' already exists in the current SFrame")
        result = self._target(inplace)
        numbers = NumberColumn(np.arange(start, start + len(self), dtype=np.int64))
        result._columns = {column_name: numbers, **result._columns}
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
        if not self._columns or not other._columns:
            return (other if not self._columns else self).copy()
        if len(self._columns) != len(other._columns):
            raise RuntimeError("Two SFrames have different number of columns")
        columns = {}
        for name in self._columns:
            if name not in other._columns:
                raise RuntimeError(f"Error: Columns [[{name}]\n] not found in appending SFrame.")
            parts = [self._column_data(name), other._column_data(name)]
            if parts[0].dtype is not parts[1].dtype:
                raise RuntimeError(
                    f"Column types are not the same in two SFrames (Column {name}, attempting to "
                    f"append column of type {type_title(parts[1].dtype)} to column of type "
                    f"{type_title(parts[0].dtype)})."
                )
            columns[name] = concatenate(parts)
        return SFrame._of(columns, self._sized and other._sized)

    def apply(self, fn, dtype=None):
        """Return what a function of each row (a dictionary) gives, as an SArray."""
        if not callable(fn):
            raise AssertionError("Input must be callable")
        results = [plain(fn(row)) for row in self._rows()]
        kind = convert.column_type(dtype) if dtype else infer_type(results[:_SHOWN])
        return SArray._of(convert.cast_results(results, kind), self._sized)

    def groupby(self, key_column_names, operations, *args):
        """Return one row for each combination of keys, in the order of first appearance.

        Turi Create's own order is that of a hash table, which differs from machine to
        machine: sort the result to get the same rows everywhere.
        """
        return SFrame._of(group(self._table(), key_column_names, [operations, *args]))

    def join(self, right, on=None, how="inner", alter_name=None):
        """Return the rows of two SFrames that agree in the key columns."""
        if not isinstance(right, SFrame):
            raise TypeError("Can only join two SFrames")
        return SFrame._of(join(self._table(), right._table(), on, how, alter_name))

    def unstack(self, column_names, new_column_name=None):
        """Return a row for each combination of the other columns, with a list of the values.

        Of two columns, the first are the keys and the second the values of a dictionary.
        """
        if not isinstance(column_names, str) and len(column_names) != 2:
            raise TypeError(
                "'column_names' parameter has to be either a string or a list of two strings."
            )
        names = [column_names] if isinstance(column_names, str) else column_names
        keys = [name for name in self._columns if name not in names]
        values = aggregate.CONCAT(*names)
        return self.groupby(keys, {new_column_name: values} if new_column_name else values)

    def stack(self, column_name, new_column_name=None, drop_na=False, new_column_type=None):
        """Return a row for each element of a column of lists, dictionaries or vectors."""
        columns = stack_table(
            self._table(), str(column_name), new_column_name, drop_na, new_column_type
        )
        return SFrame._of(columns)

    def unpack(
        self,
        column_name=None,
        column_name_prefix=None,
        column_types=None,
        na_value=None,
        limit=None,
    ):
        """Return a column for each element of a column of lists, dictionaries or vectors."""
        columns = unpack_table(
            self._table(), column_name, column_name_prefix, column_types, na_value, limit
        )
        return SFrame._of(columns, self._sized)

    def split_datetime(self, column_name, column_name_prefix=None, limit=None, timezone=False):
        """Return a column of dates as columns of their parts, see `SArray.split_datetime`."""
        if column_name not in self._columns:
            raise KeyError(f"column '{column_name}' does not exist in current SFrame")
        prefix = column_name if column_name_prefix is None else column_name_prefix
        new = self[column_name].split_datetime(prefix, limit, timezone)._table()
        rest = {name: column for name, column in self._table().items() if name != column_name}
        return SFrame._of({**rest, **dict(zip(free_names(list(new), rest), new.values()))})

    def flat_map(self, column_names, fn, column_types="auto", seed=None):
        """Return the rows that a function of each row gives, a list of lists."""
        if not callable(fn):
            raise AssertionError("Input must be callable")
        found = [fn(row) for row in self._rows()]
        if not all(isinstance(r, list) and all(isinstance(x, list) for x in r) for r in found):
            raise TypeError("Output type of the lambda function must be a list of lists")
        rows = [row for part in found for row in part]
        columns = list(zip(*rows)) or [()] * len(column_names)
        kinds = [None] * len(columns) if column_types == "auto" else column_types
        parts = zip(column_names, columns, kinds)
        return SFrame._of({name: SArray(list(v), kind)._data for name, v, kind in parts})

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
        columns = pack_table(
            self._table(),
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
        names = self.column_names()
        columns = [self._column_data(name) for name in names]
        for row in range(self._count()):
            yield {name: column.value(row) for name, column in zip(names, columns)}

    def __iter__(self):
        self._sized = True
        return self._rows()

    def to_dataframe(self):
        """Return a pandas DataFrame; vectors stay `array.array`."""
        import pandas

        frame = pandas.DataFrame()
        for name in self._columns:
            frame[name] = sources.pandas_series(self._column_data(name))
        return frame

    def to_numpy(self):
        """Return the columns side by side as one array."""
        columns = [self[name].to_numpy() for name in self._columns]
        try:
            return np.asarray(columns).transpose()
        except ValueError:
            result = np.empty((self._count(), len(columns)), object)
            for at, name in enumerate(self._columns):
                for row, value in enumerate(self._column_data(name).tolist()):
                    result[row, at] = value
            return result

    def save(self, filename, format=None):
        """Write the table: as a folder that Turi Create opens too, as .csv or as .json."""
        name = str(filename)
        if format is None:
            format = "csv" if name.endswith((".csv", ".csv.gz")) else "binary"
            format = "json" if name.endswith(".json") else format
        if format not in ("csv", "binary", "json"):
            raise ValueError(
                f"Invalid format: {format}. Supported formats are 'csv' and 'binary' and 'json'"
            )
        if format == "csv":
            self.export_csv(name if name.endswith((".csv", ".csv.gz")) else f"{name}.csv")
        elif format == "json":
            self.export_json(name)
        else:
            for name in self._columns:
                sources.check_column_name(name)
            self.materialize()
            write_frame(prepare_target(filename), dict(self._columns))

    def export_csv(self, filename, **options):
        """Write the table as a CSV file.

        Parameters
        ----------
        filename : str or Path
        **options
            delimiter, line_terminator, header, quote_level (csv.QUOTE_...), double_quote,
            escape_char, quote_char, na_rep, file_header, file_footer, line_prefix.
        """
        tabular.write_csv(filename, self._table(), options)

    def export_json(self, filename, orient="records"):
        """Write the table as a JSON list of objects, or with orient='lines' one a line."""
        tabular.write_json(filename, self._table(), orient)

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

    def _cells(self, count, limit, max_width):
        """Return the first `count` rows of the first `limit` columns as a table shows them.

        Returns
        -------
        dict of str to list of str
            The texts of each column.
        list of int
            The lengths of the longest values.
        """
        cells, widths = {}, []
        for name in list(self._columns)[:limit]:
            head = lazy.get(
                lazy.take(self._share(name), slice(0, count), min(count, self._count()))
            )
            values = head.tolist()
            cells[name] = [cell_text(value) for value in values]
            widths.append(max(map(value_width, values), default=max_width))
        return cells, widths

    def _footer(self, shown=_SHOWN):
        return footer(self._count(), len(self._columns), shown, self._sized)

    def _text(self, rows, columns, width, row_width):
        more = len(self._columns) > columns
        cells, widths = self._cells(rows, columns, width)
        return text_tables(cells, width, row_width, more, widths)

    def _look(self):
        """Know the number of rows from now on if there are pictures, as in Turi Create.

        To print them, it turns the whole column into text; that does not help where columns
        were left out before.
        """
        self._sized = self._sized or (Image in self.column_types() and not self._cut)

    def __str__(self):
        self._look()
        return self._text(_SHOWN, STR_COLUMNS, 30, 80) + "\n" + self._footer()

    def __repr__(self):
        self._look()
        rows = self._count() if self._sized else "Unknown"
        description = column_description(self.column_names(), self.column_types())
        data = str(self) if self._count() else "\t[]"
        return f"Columns:\n{description}Rows: {rows}\n\nData:\n{data}"

    def _repr_html_(self):
        self._look()
        more = len(self._columns) > HTML_COLUMNS
        cells, widths = self._cells(_SHOWN, HTML_COLUMNS, HTML_COLUMN_WIDTH)
        tables = html_tables(cells, more, widths)
        return html_frame(tables, self._footer())

    def print_rows(
        self,
        num_rows=10,
        num_columns=40,
        max_column_width=30,
        max_row_width=80,
        output_file=None,
    ):
        """Print the first rows and columns."""
        rows = len(self)
        text = self._text(
            num_rows, num_columns, max_column_width, max(max_row_width, max_column_width + 1)
        )
        line = footer(rows, len(self._columns), rows, known=True)
        print(text + "\n" + line, file=output_file or sys.stdout)

    def explore(self, title=None):
        """Show the first 100 rows as a table in a notebook, pictures as pictures."""
        explore_frame(self, title)

    def show(self):
        """Show a summary of every column: in a notebook as pictures, else as text."""
        self.plot().show()

    def plot(self):
        """Return the summary that `show` shows, as a `Plot`."""
        shown = [(n, c) for n, c in self._table().items() if c.dtype is not Image]
        return Plot(shown)


def _row_count(n):
    if not isinstance(n, (int, np.integer)):
        raise TypeError("an integer is required")
    return max(int(n), 0)


def load_sframe(filename):
    """Open a saved SFrame."""
    return SFrame(filename)
