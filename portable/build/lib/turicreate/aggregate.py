"""Aggregators for `SFrame.groupby`, under Turi Create's names.

Each call names an operation and the columns it is of; `grouping` computes it.
"""


def SUM(src_column):  # noqa: N802
    """Sum numbers, or vectors of one length."""
    return "__builtin__sum__", [src_column]


def MEAN(src_column):  # noqa: N802
    """Average numbers, or vectors of one length."""
    return "__builtin__avg__", [src_column]


AVG = MEAN


def MIN(src_column):  # noqa: N802
    """Return the smallest number or the earliest date."""
    return "__builtin__min__", [src_column]


def MAX(src_column):  # noqa: N802
    """Return the largest number or the latest date."""
    return "__builtin__max__", [src_column]


def VAR(src_column):  # noqa: N802
    """Return the variance (of the population)."""
    return "__builtin__var__", [src_column]


VARIANCE = VAR


def STD(src_column):  # noqa: N802
    """Return the standard deviation (of the population)."""
    return "__builtin__stdv__", [src_column]


STDV = STD


def COUNT():  # noqa: N802
    """Count the rows of a group, missing values included."""
    return "__builtin__count__", [""]


def COUNT_DISTINCT(src_column):  # noqa: N802
    """Count the different values; a missing one counts as a value."""
    return "__builtin__count__distinct__", [src_column]


def DISTINCT(src_column):  # noqa: N802
    """List the different values in the order of first appearance."""
    return "__builtin__distinct__", [src_column]


def FREQ_COUNT(src_column):  # noqa: N802
    """Return a dictionary of each integer's or string's number of rows."""
    return "__builtin__freq_count__", [src_column]


def SELECT_ONE(src_column):  # noqa: N802
    """Return one value of the group: which one is left open."""
    return "__builtin__select_one__", [src_column]


def CONCAT(src_column, dict_value_column=None):  # noqa: N802
    """List the values that are there, in row order, or make a dictionary of two columns."""
    if dict_value_column is None:
        return "__builtin__concat__list__", [src_column]
    return "__builtin__concat__dict__", [src_column, dict_value_column]


def ARGMAX(agg_column, out_column):  # noqa: N802
    """Return `out_column` of the row where `agg_column` is largest, or a tuple's columns are."""
    return "__builtin__argmax__", [agg_column, out_column]


def ARGMIN(agg_column, out_column):  # noqa: N802
    """Return `out_column` of the row where `agg_column` is smallest, or a tuple's columns are."""
    return "__builtin__argmin__", [agg_column, out_column]


def QUANTILE(src_column, *args):  # noqa: N802
    """Return the numbers below which shares of a group's numbers lie, as a vector.

    They are counted here; Turi Create estimates them in groups of thousands.
    """
    shares = args[0] if len(args) == 1 else args
    shares = shares if hasattr(shares, "__iter__") and not isinstance(shares, str) else [shares]
    return f"__builtin__quantile__[{','.join(map(str, shares))}]", [src_column]
