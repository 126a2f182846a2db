"""`evaluation`: figures that compare predictions with targets."""

import numpy as np

from ..columns import NumberColumn
from ..infer import column_from_values
from ..sarray import SArray
from ..sframe import SFrame
from ._main import ToolkitError

_AVERAGES = ("micro", "macro", None)
_THRESHOLDS = np.arange(1001) / 1000


def _check(targets, predictions, same_type=True):
    for values, name in ((targets, "targets"), (predictions, "predictions")):
        if not isinstance(values, SArray):
            raise ToolkitError(f"Input {name} is not an SArray.")
    if len(targets) != len(predictions):
        raise ToolkitError("Input SArrays 'targets' and 'predictions' must be of the same length.")
    if same_type and targets.dtype is not predictions.dtype:
        raise TypeError("Inputs SArrays `targets` and `predictions` must be of the same type.")


def _check_average(average):
    if average == "default":
        return
    if average not in _AVERAGES:
        raise ToolkitError(f"average must be one of {_AVERAGES}, got {average!r}")


def accuracy(targets, predictions, average="micro"):
    """Return the share of right predictions; per class with 'macro' or None."""
    _check(targets, predictions)
    _check_average(average)
    pairs = list(zip(targets, predictions))
    if average == "micro":
        return sum(one == other for one, other in pairs) / len(pairs)
    classes = _classes(targets, predictions)
    if average == "macro":
        # The mean over classes of "of the class or not?" answered rightly.
        right = [(one == c) == (other == c) for c in classes for one, other in pairs]
        return sum(right) / len(right)
    # Per class: of the rows predicted to be of the class, the share that is.
    by_class = {}
    for label in classes:
        predicted = [one == other for one, other in pairs if other == label]
        by_class[label] = sum(predicted) / len(predicted) if predicted else None
    return by_class


def _averaged(by_class, average):
    if average is None:
        return by_class
    values = [value for value in by_class.values() if value is not None]
    return sum(values) / len(values) if values else 0.0


def _classes(targets, predictions):
    found = {value for values in (targets, predictions) for value in values if value is not None}
    return sorted(found)


def confusion_matrix(targets, predictions):
    """Return an SFrame `target_label, predicted_label, count`, sorted by the labels.

    Turi Create's own rows come in the order of a hash table.
    """
    _check(targets, predictions)
    counts = {}
    for pair in zip(targets, predictions):
        counts[pair] = counts.get(pair, 0) + 1
    pairs = sorted(counts, key=lambda pair: tuple((value is not None, value) for value in pair))
    columns = {
        "target_label": column_from_values([pair[0] for pair in pairs], targets.dtype),
        "predicted_label": column_from_values([pair[1] for pair in pairs], targets.dtype),
        "count": NumberColumn(np.array([counts[pair] for pair in pairs], np.int64)),
    }
    return SFrame._of(columns)


def _scores(targets, predictions, average, score):
    """Return a figure of (hits, predicted, actual), averaged as asked for."""
    _check(targets, predictions)
    _check_average(average)
    pairs = list(zip(targets, predictions))
    classes = _classes(targets, predictions)
    hits = {label: sum(one == other == label for one, other in pairs) for label in classes}
    predicted = {label: sum(other == label for _, other in pairs) for label in classes}
    actual = {label: sum(one == label for one, _ in pairs) for label in classes}
    if average == "micro":
        total = sum(hits.values()), sum(predicted.values()), sum(actual.values())
        return score(*total) or 0.0
    if average == "default" or (average == "macro" and _binary(classes)):
        if _binary(classes):
            return score(hits.get(1, 0), predicted.get(1, 0), actual.get(1, 0)) or 0.0
        average = "macro"
    return _averaged({c: score(hits[c], predicted[c], actual[c]) for c in classes}, average)


def _binary(classes):
    return set(classes) <= {0, 1}


def precision(targets, predictions, average="macro"):
    """Return the share of predictions of a class that are right."""
    return _scores(
        targets, predictions, average, lambda hit, said, was: hit / said if said else None
    )


def recall(targets, predictions, average="macro"):
    """Return the share of a class that is predicted."""
    return _scores(targets, predictions, average, lambda hit, said, was: hit / was if was else None)


def fbeta_score(targets, predictions, beta=1.0, average="macro"):
    """Return the weighted harmonic mean of precision and recall."""

    def score(hit, said, was):
        total = beta**2 * was + said
        return (1 + beta**2) * hit / total if total else None

    return _scores(targets, predictions, average, score)


def f1_score(targets, predictions, average="macro"):
    """Return the harmonic mean of precision and recall."""
    return fbeta_score(targets, predictions, 1.0, average)


def _numbers(values):
    return np.asarray(values.to_numpy(), np.float64)


def rmse(targets, predictions):
    """Return the root of the mean squared error."""
    _check(targets, predictions, same_type=False)
    return float(np.sqrt(np.mean((_numbers(targets) - _numbers(predictions)) ** 2)))


def max_error(targets, predictions):
    """Return the largest absolute error."""
    _check(targets, predictions, same_type=False)
    return float(np.max(np.abs(_numbers(targets) - _numbers(predictions))))


def _positives(targets):
    """Return a mask of the rows of the second of two classes."""
    labels = targets.tolist()
    classes = sorted(set(labels))
    if len(classes) > 2:
        raise ToolkitError("More than two classes: give the probabilities as vectors")
    return np.array([label == classes[-1] for label in labels])


def roc_rows(positive, scores):
    """Return thresholds, false and true positive rates, positives and negatives."""
    # Scores are counted in thousandths, the last of which holds 1.0 too.
    places = np.clip((scores * 1000).astype(np.int64), 0, 999)
    counts = [np.bincount(places[mask], minlength=1001) for mask in (~positive, positive)]
    rates = [part[::-1].cumsum()[::-1] / max(part.sum(), 1) for part in counts]
    return rates[0], rates[1], int(counts[1].sum()), int(counts[0].sum())


def area(positive, scores):
    """Return the area under the ROC curve of 1,001 thresholds."""
    false_rate, true_rate, _, _ = roc_rows(positive, scores)
    widths = false_rate[:-1] - false_rate[1:]
    return float(np.sum(widths * (true_rate[:-1] + true_rate[1:]) / 2))


def roc_frame(curves):
    """Return curves [(class number or None, positives, scores)] as an SFrame."""
    columns = {name: [] for name in ("threshold", "fpr", "tpr", "p", "n", "class")}
    for number, positive, scores in curves:
        false_rate, true_rate, positives, negatives = roc_rows(positive, scores)
        size = len(_THRESHOLDS)
        found = (_THRESHOLDS, false_rate, true_rate)
        counts = [np.full(size, count) for count in (positives, negatives, number or 0)]
        for name, values in zip(columns, (*found, *counts)):
            columns[name].append(values)
    if curves[0][0] is None:
        del columns["class"]
    return SFrame._of({name: NumberColumn(np.concatenate(v)) for name, v in columns.items()})


def _curves(targets, predictions):
    _check(targets, predictions, same_type=False)
    scores = predictions.to_numpy()
    if scores.ndim == 1:
        return [(None, _positives(targets), scores.astype(np.float64))]
    labels = targets.tolist()
    classes = sorted(set(labels))
    return [
        (number, np.array([label == value for label in labels]), scores[:, number])
        for number, value in enumerate(classes)
    ]


def roc_curve(targets, predictions):
    """Return an SFrame `threshold, fpr, tpr, p, n` of 1,001 thresholds, for each class of many."""
    return roc_frame(_curves(targets, predictions))


def auc(targets, predictions):
    """Return the area under the ROC curve, averaged over classes."""
    return float(
        np.mean([area(positive, scores) for _, positive, scores in _curves(targets, predictions)])
    )


def log_loss(targets, predictions):
    """Return the mean of the negative logarithm of the probability of the right class."""
    _check(targets, predictions, same_type=False)
    scores = predictions.to_numpy().astype(np.float64)
    if scores.ndim == 1:
        right = np.where(_positives(targets), scores, 1 - scores)
    else:
        labels = targets.tolist()
        classes = sorted(set(labels))
        right = scores[np.arange(len(labels)), [classes.index(label) for label in labels]]
    return float(-np.mean(np.log(np.clip(right, 1e-15, 1))))
