"""`Sketch`, which `SArray.summary` returns: figures, frequent values and quantiles of a column.

Turi Create estimates the number of different values and the quantiles; here they are counted.
"""

import array
import datetime
import sys

import numpy as np

from .columns import NumberColumn
from .convert import absent
from .grouping import quantile, value_counts
from .image import Image
from .infer import column_from_values
from .literals import text_of
from .printing import cell_text, text_tables

_QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)
_FREQUENT = 10
_MOST = sys.float_info.max
_NESTED = (list, dict, array.array)


class Sketch:
    """Figures of one column; `print` shows them as tables.

    Parameters
    ----------
    array : SArray
    background : bool
        Accepted; the figures are there at once.
    sub_sketch_keys : list, optional
        Keys of dictionaries or places in vectors that `element_sub_sketch` gives figures of.
    """

    def __init__(self, array=None, background=False, sub_sketch_keys=()):
        if not hasattr(array, "is_topk"):
            raise TypeError("Sketch object can only be constructed from SArrays")
        self._fill(array._column, sub_sketch_keys)

    @classmethod
    def _of(cls, column):
        result = cls.__new__(cls)
        result._fill(column, ())
        return result

    def _fill(self, column, keys):
        if column.dtype is Image:
            raise TypeError("unhashable type: 'Image'")
        self._column = column
        self._keys = list(keys)
        present = column.take(~absent(column))
        self._missing = int(column.missing_mask().sum())
        self._numeric = isinstance(column, NumberColumn)
        self._sorted = np.sort(present.values) if self._numeric else None
        self._figures = _figures(column, present) if self._numeric else {}
        counted = value_counts(_hashable(present))
        self._counts = dict(zip(counted["value"].tolist(), counted["count"].tolist()))

    def size(self):
        """Return the number of values, missing ones included."""
        return len(self._column)

    def num_missing(self):
        """Return the number of missing values and NaN."""
        return self._missing

    def num_elements_processed(self):
        """Return the number of values that the figures are of."""
        return len(self._column)

    def sketch_ready(self):
        """Tell that the figures are there."""
        return True

    def cancel(self):
        """Do nothing: the figures are there already."""

    def num_unique(self):
        """Return the number of different values."""
        return len(self._counts)

    def _figure(self, name):
        if not self._numeric:
            said = name if name in ("Min", "Max", "Mean") else "Sum"
            raise RuntimeError(f"{said} value not available for a non-numeric column")
        return self._figures[name]

    def min(self):
        """Return the smallest number."""
        return self._figure("Min")

    def max(self):
        """Return the largest number."""
        return self._figure("Max")

    def mean(self):
        """Return the mean."""
        return self._figure("Mean")

    def sum(self):
        """Return the sum."""
        return self._figure("Sum")

    def var(self):
        """Return the variance."""
        return self._figure("Variance")

    def std(self):
        """Return the standard deviation."""
        return self._figure("Standard Deviation")

    def quantile(self, quantile_val):
        """Return the number below which a share of the numbers lies."""
        if not self._numeric:
            raise RuntimeError("Quantiles not available for a non-numeric column")
        if not len(self._column):
            raise RuntimeError("Quantiles do not exist for 0 length array")
        return quantile(self._sorted, max(quantile_val, 0))

    def frequent_items(self):
        """Return {value: number of rows}, most frequent first; nested values as text."""
        return dict(self._counts)

    def frequency_count(self, element):
        """Return the number of rows of one value."""
        if self._numeric and not isinstance(element, (int, float, np.number)):
            raise RuntimeError("Invalid type")
        return self._counts.get(element, 0)

    def element_length_summary(self):
        """Return the Sketch of the lengths of lists, dictionaries or vectors."""
        if self._column.dtype not in _NESTED:
            raise RuntimeError(
                "Element length summary is not available for types that are not list/dict/array "
                "type."
            )
        return Sketch._of(column_from_values([len(value) for value in self._present()], int))

    def element_summary(self):
        """Return the Sketch of all elements of vectors, or of lists, whose elements are text."""
        if self._column.dtype not in (list, array.array):
            raise RuntimeError("Array summary is only available for SArray of array or list type.")
        items = [item for value in self._present() for item in value]
        if self._column.dtype is array.array:
            return Sketch._of(column_from_values(items, float))
        return Sketch._of(_texts(items))

    def dict_key_summary(self):
        """Return the Sketch of all keys of dictionaries, as text."""
        self._check_dicts("key")
        return Sketch._of(_texts([key for value in self._present() for key in value]))

    def dict_value_summary(self):
        """Return the Sketch of all values of dictionaries: numbers, or text if one is none."""
        self._check_dicts("value")
        return Sketch._of(_numbers_or_texts([i for v in self._present() for i in v.values()]))

    def _check_dicts(self, part):
        if self._column.dtype is not dict:
            raise RuntimeError(f"Dict {part} summary is only available for SArray of dict type.")

    def element_sub_sketch(self, keys=None):
        """Return the Sketch of one key's values, or {key: Sketch} of several."""
        if self._column.dtype not in (dict, array.array):
            raise RuntimeError(
                "sub_element_sketch is only available for SArray of dictionary or array type"
            )
        wanted = self._keys if keys is None else keys if isinstance(keys, list) else [keys]
        if len({type(key) for key in wanted}) > 1:
            raise ValueError("All keys should have the same type.")
        for key in wanted:
            if key not in self._keys:
                raise KeyError(
                    f"Cannot retrieve element sub sketch for key '{key}'. Element sub sketch can "
                    "only be retrieved when the summary object was created using the "
                    "'sub_sketch_keys' option."
                )
        found = {key: Sketch._of(self._elements_of(key)) for key in wanted}
        return found if keys is None or isinstance(keys, list) else found[keys]

    def _elements_of(self, key):
        rows = self._column.tolist()
        if self._column.dtype is dict:
            rows = [{str(own): item for own, item in (row or {}).items()} for row in rows]
            return _numbers_or_texts([row.get(key) for row in rows])
        rows = [() if row is None else row for row in rows]
        return _numbers_or_texts([row[key] if key < len(row) else None for row in rows])

    def _present(self):
        return [value for value in self._column.tolist() if value is not None]

    def __repr__(self):
        parts = [_table(self._rows()), "Most frequent items:\n" + self._frequent_table()]
        if self._numeric and len(self._column):
            parts.append("Quantiles: \n" + self._quantile_table())
        text = "\n" + "\n\n".join(parts) + ("\n" if self._shows_quantiles() else "\n\n")
        for title, sketch in self._parts():
            text += f"\n******** {title} ********\n{sketch()!r}"
            text += "\n" if title != _KEYS else ""
        return text

    def _shows_quantiles(self):
        return self._numeric and len(self._column) > 0

    def _parts(self):
        if self._column.dtype is dict:
            return [(_KEYS, self.dict_key_summary), (_VALUES, self.dict_value_summary)]
        if self._column.dtype in (list, array.array):
            return [("Element Summary", self.element_summary)]
        return []

    def _rows(self):
        figures = [("Length", len(self._column), "Yes")]
        figures += [(name, value, "Yes") for name, value in self._figures.items()]
        figures.append(("# Missing Values", self._missing, "Yes"))
        figures.append(("# unique values", self.num_unique(), "No"))
        names = ("item", "value", "is exact")
        return {name: [str(row[at]) for row in figures] for at, name in enumerate(names)}

    def _frequent_table(self):
        if not self._counts:
            return " -- All elements appear with less than 0.01% frequency -- "
        head = list(self._counts.items())[:_FREQUENT]
        return _table(
            {
                "value": [cell_text(value) for value, _ in head],
                "count": [str(count) for _, count in head],
            }
        )

    def _quantile_table(self):
        return _table({f"{share:.0%}": [str(self.quantile(share))] for share in _QUANTILES})


def sub_sketch_keys(dtype, background, keys):
    """Return the keys that `SArray.summary` is asked for as a list, or refuse them."""
    if dtype is Image:
        raise TypeError("summary() is not supported for arrays of image type")
    if type(background) is not bool:
        raise TypeError("'background' parameter has to be a boolean value")
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


_KEYS = "Dictionary Element Key Summary"
_VALUES = "Dictionary Element Value Summary"


def _table(columns):
    return text_tables(columns, 30, 80, more=False)


def _hashable(column):
    """Return a column whose nested values are text, other columns as they are."""
    if column.dtype in (int, float, str, datetime.datetime):
        return column
    return _texts(column.tolist())


def _texts(values):
    return column_from_values([text_of(value) for value in values], str)


def _numbers_or_texts(values):
    if all(value is None or isinstance(value, (int, float)) for value in values):
        return column_from_values(values, float)
    return column_from_values([None if v is None else text_of(v) for v in values], str)


def _figures(column, present):
    values = present.values.astype(np.float64)
    if not len(values):
        # Turi Create's own words for no number at all.
        low, high = (float("nan"),) * 2 if not len(column) else (_MOST, -_MOST)
        zeros = dict.fromkeys(("Mean", "Sum", "Variance", "Standard Deviation"), 0.0)
        return {"Min": low, "Max": high, **zeros}
    functions = {"Min": np.min, "Max": np.max, "Mean": np.mean, "Sum": np.sum, "Variance": np.var}
    found = {name: float(function(values)) for name, function in functions.items()}
    return {**found, "Standard Deviation": float(np.std(values))}
