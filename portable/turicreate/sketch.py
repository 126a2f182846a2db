"""`SArray.summary`: figures, frequent values and quantiles of a column.

Turi Create estimates the number of different values and the quantiles; here they are counted.
"""

import numpy as np

from .missing import lacks
from .printing import cell_text, text_tables

_QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)
_FREQUENT = 10


class Sketch:
    """Figures of one column of numbers or strings; `print` shows them as tables."""

    def __init__(self, values):
        if values.dtype not in (int, float, str):
            raise lacks(f"summary() of an SArray of {values.dtype.__name__}")
        self._numeric = values.dtype is not str
        self._size = len(values)
        self._missing = values.countna()
        self._counts = values.dropna().value_counts()
        present = values.dropna()
        self._sorted = np.sort(present.to_numpy()) if self._numeric else None
        self._figures = _figures(present) if self._numeric else {}

    def size(self):
        """Return the number of values, missing ones included."""
        return self._size

    def num_missing(self):
        """Return the number of missing values."""
        return self._missing

    def num_elements_processed(self):
        """Return the number of values that the figures are of."""
        return self._size

    def sketch_ready(self):
        """Tell that the figures are there."""
        return True

    def num_unique(self):
        """Return the number of different values."""
        return len(self._counts)

    def _figure(self, name):
        if not self._numeric:
            raise RuntimeError(f"{name} is not available for an SArray of str")
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
        self._figure("Min")
        if not len(self._sorted):
            return 0.0
        place = min(int(quantile_val * len(self._sorted)), len(self._sorted) - 1)
        return float(self._sorted[place])

    def frequent_items(self):
        """Return the values by their number of rows, most frequent first."""
        return dict(zip(self._counts["value"], self._counts["count"]))

    def frequency_count(self, element):
        """Return the number of rows of one value."""
        return self.frequent_items().get(element, 0)

    def __repr__(self):
        parts = [_table(self._rows()), "Most frequent items:\n" + self._frequent_table()]
        if self._numeric and self._size:
            parts.append("Quantiles: \n" + self._quantile_table())
        return "\n" + "\n\n".join(parts) + ("\n" if self._numeric else "\n\n")

    def _rows(self):
        figures = [("Length", self._size, "Yes")]
        figures += [(name, value, "Yes") for name, value in self._figures.items()]
        figures.append(("# Missing Values", self._missing, "Yes"))
        figures.append(("# unique values", self.num_unique(), "No"))
        names = ("item", "value", "is exact")
        return {name: [str(row[at]) for row in figures] for at, name in enumerate(names)}

    def _frequent_table(self):
        if not len(self._counts):
            return " -- All elements appear with less than 0.01% frequency -- "
        head = self._counts.head(_FREQUENT)
        return _table(
            {name: [cell_text(value) for value in head[name]] for name in head.column_names()}
        )

    def _quantile_table(self):
        return _table({f"{share:.0%}": [str(self.quantile(share))] for share in _QUANTILES})


def _table(columns):
    return text_tables(columns, 30, 80, more=False)


def _figures(values):
    if not len(values):
        empty = {"Min": float("nan"), "Max": float("nan")}
        return {**empty, "Mean": 0.0, "Sum": 0.0, "Variance": 0.0, "Standard Deviation": 0.0}
    names = {"Min": "min", "Max": "max", "Mean": "mean", "Sum": "sum"}
    names.update({"Variance": "var", "Standard Deviation": "std"})
    return {name: float(getattr(values, method)()) for name, method in names.items()}
