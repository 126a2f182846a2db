"""Aggregators for `SFrame.groupby`, under Turi Create's names.

Each call names what to compute; `grouping` asks the result to reduce the rows of a group.
Missing values are left out, except where counting or collecting distinct values.
"""

import array

import numpy as np

from .columns import NumberColumn, VectorColumn
from .missing import lacks
from .selection import key_of


class Aggregator:
    """One figure to compute for each group: its input columns, name, result type and function."""

    def __init__(self, columns, name, reduce, dtype=None, numeric=None):
        self.columns = columns
        self.name = name
        self.reduce = reduce
        self._dtype = dtype
        self._numeric = numeric

    def result_type(self, columns):
        """Return the type of the result for input columns, or refuse them."""
        if self._numeric and not isinstance(columns[0], _ALLOWED[self._numeric]):
            operation = self.name.split(" of ")[0]
            raise RuntimeError(
                f"Requested operation: {operation} not supported on the type of column "
                f"{self.columns[0]}"
            )
        if callable(self._dtype) and not isinstance(self._dtype, type):
            return self._dtype(*columns)
        return self._dtype or columns[0].dtype


_ALLOWED = {"numbers": NumberColumn, "numbers or vectors": (NumberColumn, VectorColumn)}


def _present(column):
    return column.take(~column.missing_mask())


def _number(function):
    """Return a reduction of the numbers that are there, None where there are none."""

    def reduce(column):
        values = _present(column).values
        return function(values).item() if len(values) else None

    return reduce


def _number_or_vector(function):
    def reduce(column):
        if not isinstance(column, VectorColumn):
            return _number(function)(column)
        rows = _present(column).matrix()
        if rows is None:
            return None
        return array.array("d", function(rows, axis=0).tolist())

    return reduce


def _sum_type(column):
    return column.dtype


def _mean_type(column):
    return array.array if isinstance(column, VectorColumn) else float


def SUM(src_column):  # noqa: N802
    """Sum numbers, or vectors of one length."""
    reduce = _number_or_vector(np.sum)
    return Aggregator([src_column], f"Sum of {src_column}", reduce, _sum_type, "numbers or vectors")


def MEAN(src_column):  # noqa: N802
    """Average numbers, or vectors of one length."""
    reduce = _number_or_vector(np.mean)
    return Aggregator(
        [src_column], f"Avg of {src_column}", reduce, _mean_type, "numbers or vectors"
    )


AVG = MEAN


def MIN(src_column):  # noqa: N802
    """Return the smallest number."""
    return Aggregator([src_column], f"Min of {src_column}", _number(np.min), None, "numbers")


def MAX(src_column):  # noqa: N802
    """Return the largest number."""
    return Aggregator([src_column], f"Max of {src_column}", _number(np.max), None, "numbers")


def VAR(src_column):  # noqa: N802
    """Return the variance (of the population)."""
    return Aggregator([src_column], f"Var of {src_column}", _number(np.var), float, "numbers")


VARIANCE = VAR


def STD(src_column):  # noqa: N802
    """Return the standard deviation (of the population)."""
    return Aggregator([src_column], f"Stdv of {src_column}", _number(np.std), float, "numbers")


STDV = STD


def COUNT():  # noqa: N802
    """Count the rows of a group, missing values included."""
    return Aggregator([], "Count", None, int)


def COUNT_DISTINCT(src_column):  # noqa: N802
    """Count the different values; a missing one counts as a value."""

    def reduce(column):
        return len(_distinct(column))

    return Aggregator([src_column], f"Count Distinct of {src_column}", reduce, int)


def DISTINCT(src_column):  # noqa: N802
    """List the different values in the order of first appearance."""

    def reduce(column):
        return list(_distinct(column).values())

    return Aggregator([src_column], f"Distinct of {src_column}", reduce, list)


def _distinct(column):
    seen = {}
    for value in column.tolist():
        seen.setdefault(key_of(value), value)
    return seen


def FREQ_COUNT(src_column):  # noqa: N802
    """Return a dictionary of each value's number of rows."""

    def reduce(column):
        counts = {}
        for value in column.tolist():
            counts[value] = counts.get(value, 0) + 1
        return counts

    return Aggregator([src_column], f"Frequency Count of {src_column}", reduce, dict)


def SELECT_ONE(src_column):  # noqa: N802
    """Return one value of the group: which one is left open."""

    def reduce(column):
        return column.value(len(column) - 1)

    return Aggregator([src_column], f"Select One of {src_column}", reduce)


def CONCAT(src_column, dict_value_column=None):  # noqa: N802
    """List the values in row order, or make a dictionary of two columns."""
    if dict_value_column is None:

        def reduce(column):
            return _present(column).tolist()

        return Aggregator([src_column], f"List of {src_column}", reduce, list)

    def reduce_pairs(keys, values):
        pairs = zip(keys.tolist(), values.tolist())
        return {key: value for key, value in pairs if key is not None}

    name = f"Dict of {src_column}_{dict_value_column}"
    return Aggregator([src_column, dict_value_column], name, reduce_pairs, dict)


def _extreme(name):
    def reduce(column, output):
        rows = np.flatnonzero(~column.missing_mask())
        if not len(rows):
            return None
        return output.value(int(rows[getattr(np, name)(column.values[rows])]))

    return reduce


def ARGMAX(agg_column, out_column):  # noqa: N802
    """Return `out_column` of the row where `agg_column` is largest."""
    return _arg("argmax", agg_column, out_column)


def ARGMIN(agg_column, out_column):  # noqa: N802
    """Return `out_column` of the row where `agg_column` is smallest."""
    return _arg("argmin", agg_column, out_column)


def _arg(name, agg_column, out_column):
    if not isinstance(agg_column, str) or not isinstance(out_column, str):
        raise lacks(f"aggregate.{name.upper()} of several columns", "use one for each column")
    label = f"{out_column} for {name} of {agg_column}"
    return Aggregator(
        [agg_column, out_column], label, _extreme(name), lambda _, out: out.dtype, "numbers"
    )


def QUANTILE(src_column, *quantiles):  # noqa: N802
    """Refused: the real edition estimates quantiles with a sketch."""
    raise lacks("aggregate.QUANTILE", "collect the values with CONCAT and use numpy.quantile")
