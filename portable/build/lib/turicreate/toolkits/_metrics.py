"""The figures behind `evaluation`, on plain lists and arrays, as Turi Create computes them."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..columns import NumberColumn
from ..infer import column_from_values, infer_type
from ..sframe import SFrame
from ._main import ToolkitError

_BINS = 1000
_NOISE = 1e-9
_LEAST_OF_MANY = 1e-15
_LEAST_OF_TWO = 1e-9
_LEAST_STEP = 1e-10
_LEAST_SUM = 1e-20


@dataclass(frozen=True)
class Tally:
    """How often each label was right (`hits`), wrongly said (`false`) and missed, of `rows`."""

    hits: int
    false: int
    missed: int
    rows: int

    @property
    def accuracy(self):
        """The share of rows where "this label or not?" was answered rightly."""
        return (self.rows - self.false - self.missed) / self.rows

    @property
    def precision(self):
        """The share of rows said to be of the label that are."""
        said = self.hits + self.false
        return self.hits / said if said else None

    @property
    def recall(self):
        """The share of the label's rows that were found."""
        there = self.hits + self.missed
        return self.hits / there if there else None

    def fbeta(self, beta):
        """Return the weighted harmonic mean of precision and recall."""
        if self.precision is None or self.recall is None:
            return self.recall if self.precision is None else self.precision
        below = max(_LEAST_SUM, beta * beta * self.precision + self.recall)
        return (1.0 + beta * beta) * (self.precision * self.recall) / below


def tallies(targets, predictions):
    """Return {label: Tally}; a missing value is a label like any other."""
    pairs = Counter(zip(targets, predictions))
    actual, said = Counter(), Counter()
    for (target, prediction), count in pairs.items():
        actual[target] += count
        said[prediction] += count
    rows = sum(pairs.values())
    result = {}
    for label in sorted({*actual, *said}, key=_missing_first):
        hits = pairs[label, label]
        result[label] = Tally(hits, said[label] - hits, actual[label] - hits, rows)
    return result


def _missing_first(label):
    return (label is not None, label if label is not None else 0)


def total(by_label):
    """Return the Tally of all labels together."""
    parts = by_label.values()
    sums = [sum(getattr(part, name) for part in parts) for name in ("hits", "false", "missed")]
    return Tally(*sums, sum(part.rows for part in parts))


def averaged(by_label, average, score):
    """Return a score of each label's Tally, averaged as Turi Create does it.

    With two labels it is that of the positive one, the last of them, whatever `average` says.
    """
    scores = {label: score(tally) for label, tally in by_label.items()}
    if len(scores) == 2:
        return scores[list(scores)[-1]]
    if average is None:
        return scores
    if average == "micro":
        return score(total(by_label))
    there = [value for value in scores.values() if value is not None]
    return sum(there) / len(there) if there else None


def confusion(targets, predictions, dtype):
    """Return the SFrame `target_label, predicted_label, count`, sorted by the labels."""
    counts = Counter(zip(targets, predictions))
    pairs = sorted(counts, key=lambda pair: tuple(map(_missing_first, pair)))
    kinds = [_label_type([pair[side] for pair in pairs], dtype) for side in (0, 1)]
    columns = {
        name: column_from_values([pair[side] for pair in pairs], kinds[side])
        for side, name in enumerate(("target_label", "predicted_label"))
    }
    counted = NumberColumn(np.array([counts[pair] for pair in pairs], np.int64))
    return SFrame._of({**columns, "count": counted})


def _label_type(labels, dtype):
    return dtype if any(label is not None for label in labels) else float


def root_mean_square(targets, predictions):
    """Return the root of the running mean of squared errors."""
    mean = 0.0
    for number, (target, prediction) in enumerate(zip(targets, predictions), 1):
        error = prediction - target
        mean += (error * error - mean) / number
    return float(np.sqrt(mean))


def largest_error(targets, predictions):
    """Return the largest absolute error; an undefined one does not survive the next row."""
    largest = 0.0
    for target, prediction in zip(targets, predictions):
        error = abs(prediction - target)
        largest = largest if error < largest else error
    return float(largest) if largest == largest else 0.0


def _in_sequence(values):
    """Return the sum of numbers added one after the other, as Turi Create adds them."""
    return float(np.add.accumulate(values)[-1]) if len(values) else 0.0


def check_range(scores):
    """Refuse probabilities outside of 0 to 1."""
    if ((scores < -_NOISE) | (scores > 1 + _NOISE)).any():
        raise ToolkitError(
            "Prediction scores/probabilities are expected to be in the range [0, 1]. If they "
            "aren't, try normalizing them."
        )


def loss_of_two(positive, scores):
    """Return the mean negative logarithm of the probability of the right one of two classes."""
    check_range(scores)
    right = np.where(positive, scores, 1.0 - scores)
    return -_in_sequence(np.log(np.maximum(right, _LEAST_OF_TWO))) / len(scores)


def loss_of_many(numbers, scores):
    """Return the mean negative logarithm of the probability of the right class, (n, c) given.

    A class number that has no probability counts as one of probability 0.
    """
    known = (numbers >= 0) & (numbers < scores.shape[1])
    right = np.where(known, scores[np.arange(len(scores)), np.where(known, numbers, 0)], 0.0)
    check_range(right)
    logs = np.log(np.clip(right, _LEAST_OF_MANY, 1 - _LEAST_OF_MANY))
    return -_in_sequence(logs) / len(scores)


@dataclass(frozen=True)
class Curve:
    """Counts of wrong and right rows whose score is at least each of 1,000 thresholds."""

    false: np.ndarray
    true: np.ndarray
    negatives: int
    positives: int

    def area(self):
        """Return the area below; the last step, from 0.999 to the corner, is left out."""
        with np.errstate(all="ignore"):
            widths = (self.false[:-1] - self.false[1:]) / np.float64(self.negatives)
            heights = 0.5 * (self.true[:-1] + self.true[1:])
            steps = heights * widths / np.float64(self.positives)
        return _in_sequence(steps[widths > _LEAST_STEP])

    def columns(self):
        """Return the lists `threshold, fpr, tpr`, with the corner at the end."""
        with np.errstate(all="ignore"):
            false = self.false / np.float64(self.negatives)
            true = self.true / np.float64(self.positives)
        return np.arange(_BINS + 1) / _BINS, np.append(false, 0.0), np.append(true, 0.0)


def curve(positive, scores, known=None):
    """Return the Curve of a mask of positive rows and their scores; only `known` rows count."""
    check_range(scores)
    known = np.ones(len(scores), bool) if known is None else known
    # As in Turi Create, an undefined score counts as 0.
    places = np.clip(np.floor(np.nan_to_num(scores * _BINS)), 0, _BINS - 1).astype(np.intp)
    counts = [
        np.bincount(places[mask & known], minlength=_BINS)[::-1].cumsum()[::-1]
        for mask in (~positive, positive)
    ]
    return Curve(*counts, int(counts[0][0]), int(counts[1][0]))


def curves_of_one_score(numbers, scores, classes):
    """Return a Curve a class, from class numbers (n,) and the probability of class 1, (n,).

    Turi Create counts the rows of more than two classes as "class 1 or not?" too.
    """
    known = numbers >= 0
    found = [curve(numbers != 1, scores, known), curve(numbers == 1, scores, known)]
    nobody = np.zeros(_BINS, np.int64)
    return found + [Curve(nobody, nobody, int(known.sum()), 0)] * (classes - 2)


def curves(numbers, scores):
    """Return a Curve a class, from class numbers (n,) and probabilities (n, c)."""
    known = (numbers >= 0) & (numbers < scores.shape[1])
    return [curve(numbers == number, scores[:, number], known) for number in range(scores.shape[1])]


def curve_frame(found, labels=None):
    """Return Curves as an SFrame, with a column `class` where there are labels."""
    size = _BINS + 1
    # The last row of each curve has the counts of the first class in Turi Create.
    counts = [
        [np.append(np.full(size - 1, getattr(one, name)), getattr(found[0], name)) for one in found]
        for name in ("positives", "negatives")
    ]
    parts = [*zip(*(one.columns() for one in found)), *counts]
    names = ("threshold", "fpr", "tpr", "p", "n")
    columns = {name: NumberColumn(np.concatenate(part)) for name, part in zip(names, parts)}
    if labels is not None:
        repeated = [label for label in labels for _ in range(size)]
        columns["class"] = column_from_values(repeated, infer_type(labels))
    return SFrame._of(columns)
