"""`evaluation`: figures that compare predictions with targets."""

import array

import numpy as np

from ..columns import VectorColumn
from ..sarray import SArray
from ..selection import key_of
from . import _metrics
from ._main import ToolkitError


def _check(targets, predictions):
    for values, name in ((targets, "targets"), (predictions, "predictions")):
        if not isinstance(values, SArray):
            raise ToolkitError(f"Input {name} is not an SArray.")
    if len(targets) != len(predictions):
        raise ToolkitError("Input SArrays 'targets' and 'predictions' must be of the same length.")


def _check_labels(targets, predictions):
    for values, name in ((targets, "targets"), (predictions, "predictions")):
        if values.dtype is float:
            raise TypeError(f"Input `{name}` cannot be an SArray of type float.")
    if targets.dtype is not predictions.dtype:
        raise TypeError("Inputs SArrays `targets` and `predictions` must be of the same type.")


def _check_average(average, allowed):
    if average not in allowed:
        names = ", ".join(map(str, allowed))
        raise ToolkitError(
            f"{average} is not a valid option for average.  Expected one of: {names}"
        )


def _keys(values):
    return [key_of(value) for value in values.tolist()]


def accuracy(targets, predictions, average="micro"):
    """Return the share of right predictions; per class with 'macro' or None.

    With two classes it is the share of right predictions always; None gives the precision of
    each of more.
    """
    _check(targets, predictions)
    _check_labels(targets, predictions)
    if average not in ("micro", "macro", "default", None):
        raise ToolkitError(f"Invalid average type name {average}.")
    found = _metrics.tallies(_keys(targets), _keys(predictions))
    if len(found) == 2 or average == "macro":
        return _metrics.averaged(found, "macro", lambda tally: tally.accuracy)
    if average is None:
        return {label: tally.precision for label, tally in found.items()}
    return sum(tally.hits for tally in found.values()) / len(targets)


def confusion_matrix(targets, predictions):
    """Return an SFrame `target_label, predicted_label, count`, sorted by the labels.

    Turi Create's own rows come in the order of a hash table.
    """
    _check(targets, predictions)
    _check_labels(targets, predictions)
    return _metrics.confusion(targets.tolist(), predictions.tolist(), targets.dtype)


def _scores(targets, predictions, average, score):
    _check(targets, predictions)
    _check_average(average, ("micro", "macro", None))
    _check_labels(targets, predictions)
    found = _metrics.tallies(targets.tolist(), predictions.tolist())
    return _metrics.averaged(found, average, score)


def precision(targets, predictions, average="macro"):
    """Return the share of predictions of a class that are right.

    With two classes it is that of the positive class, the last in sorted order.
    """
    return _scores(targets, predictions, average, lambda tally: tally.precision)


def recall(targets, predictions, average="macro"):
    """Return the share of a class that is predicted; with two classes, of the positive one."""
    return _scores(targets, predictions, average, lambda tally: tally.recall)


def fbeta_score(targets, predictions, beta=1.0, average="macro"):
    """Return the weighted harmonic mean of precision and recall."""
    _check(targets, predictions)
    _check_average(average, ("micro", "macro", None))
    _check_labels(targets, predictions)
    if beta <= 0:
        raise ToolkitError("The beta value in the F-beta score must be > 0.0")
    return _scores(targets, predictions, average, lambda tally: tally.fbeta(beta))


def f1_score(targets, predictions, average="macro"):
    """Return the harmonic mean of precision and recall."""
    return fbeta_score(targets, predictions, 1.0, average)


def _numbers(values):
    if values.dtype not in (int, float, str):
        raise ToolkitError("Invalid type conversion")
    try:
        return [0.0 if value is None else float(value) for value in values.tolist()]
    except ValueError:
        raise ToolkitError("stod") from None


def rmse(targets, predictions):
    """Return the root of the mean squared error; a missing value counts as 0."""
    _check(targets, predictions)
    return _metrics.root_mean_square(_numbers(targets), _numbers(predictions))


def max_error(targets, predictions):
    """Return the largest absolute error; a missing value counts as 0."""
    _check(targets, predictions)
    return _metrics.largest_error(_numbers(targets), _numbers(predictions))


def _check_scores(targets, predictions, index_map):
    if predictions.dtype not in (int, float, array.array, np.ndarray):
        raise TypeError(
            "Input `predictions` must be of numeric type (for binary classification) or array "
            "(of probability vectors) for multiclass classification."
        )
    if targets.dtype is float:
        raise TypeError("Input `targets` cannot be an SArray of type float.")
    if index_map is None:
        return
    if not isinstance(index_map, dict):
        raise TypeError(
            "Input `index_map` must be a dict mapping target label to prediction-vector index."
        )
    if sorted(index_map.values()) != list(range(len(index_map))):
        raise ToolkitError(
            "Invalid index_map: each target label must map to a distinct index into the "
            "prediction vector."
        )


def _label_numbers(targets, predictions, index_map):
    """Return {label: number} and the number of each target, -1 where it has none."""
    if index_map is None:
        labels = targets.unique().sort().tolist()
        index_map = {label: number for number, label in enumerate(labels)}
        if predictions.dtype is float and len(index_map) != 2:
            raise ToolkitError(
                "For this evaluation metric, the input SArray `predictions` can be of type "
                "float only when the number of classes is 2 (i.e binary classification). This "
                f"dataset has {len(index_map)} classes."
            )
    numbers = [index_map.get(label, -1) for label in targets.tolist()]
    return index_map, np.array(numbers, np.int64)


def _probabilities(predictions, classes):
    """Return scores as an array, (n,) of two classes or (n, c)."""
    column = predictions._column
    if column.missing is not None:
        raise ToolkitError(
            "Prediction scores/probabilities cannot contain missing values (i.e None values). "
            "Try removing them with 'dropna'."
        )
    if predictions.dtype in (int, float):
        return column.values.astype(np.float64)
    rows = [value.size for value in map(np.asarray, column.tolist())]
    for size in rows:
        if size != classes:
            raise ToolkitError(
                f"Size of prediction probability vector({size}) != number of classes({classes})."
            )
    if isinstance(column, VectorColumn):
        return column.matrix()
    return np.array([np.ravel(value) for value in column.tolist()])


def _curves(targets, predictions, index_map):
    _check_scores(targets, predictions, index_map)
    index_map, numbers = _label_numbers(targets, predictions, index_map)
    scores = _probabilities(predictions, len(index_map))
    labels = sorted(index_map, key=index_map.get)
    if scores.ndim == 1:
        found = _metrics.curves_of_one_score(numbers, scores, len(labels))
    else:
        found = _metrics.curves(numbers, scores)
    return labels, found[1:] if len(labels) == 2 else found


def roc_curve(targets, predictions, average=None, index_map=None):
    """Return an SFrame `threshold, fpr, tpr, p, n` of 1,001 thresholds, for each class of many.

    Parameters
    ----------
    targets : SArray of int or str
    predictions : SArray of float or array.array
        The probability of the second class, or the probabilities of all.
    average : None
    index_map : dict, optional
        {label: place in the probability vectors}; the sorted labels' without it.
    """
    _check(targets, predictions)
    _check_average(average, (None,))
    labels, found = _curves(targets, predictions, index_map)
    return _metrics.curve_frame(found, labels if len(found) > 1 else None)


def auc(targets, predictions, average="macro", index_map=None):
    """Return the area under the ROC curve, averaged over classes or, with None, of each."""
    _check(targets, predictions)
    _check_average(average, ("macro", None))
    labels, found = _curves(targets, predictions, index_map)
    areas = [one.area() for one in found]
    if len(areas) > 1 and average is None:
        return dict(zip(labels, areas))
    return sum(areas) / len(areas)


def log_loss(targets, predictions, index_map=None):
    """Return the mean of the negative logarithm of the probability of the right class."""
    _check(targets, predictions)
    _check_scores(targets, predictions, index_map)
    index_map, numbers = _label_numbers(targets, predictions, index_map)
    scores = _probabilities(predictions, len(index_map))
    if scores.ndim == 1:
        return _metrics.loss_of_two(numbers != 0, scores)
    return _metrics.loss_of_many(numbers, scores)
