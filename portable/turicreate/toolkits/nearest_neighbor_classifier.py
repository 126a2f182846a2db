"""`nearest_neighbor_classifier`: the majority among the nearest rows decides."""

import array
import time

import numpy as np

from ..columns import NumberColumn
from ..infer import column_from_values
from ..sframe import SFrame
from . import evaluation, nearest_neighbors
from ._checks import feature_names, need_columns, need_frame
from ._main import ToolkitError
from .distances import check_composite
from .model import Model, saveable

_METRICS = ("auto", "accuracy", "confusion_matrix", "roc_curve")


def create(dataset, target, features=None, distance=None, verbose=True):
    """Return a classifier by nearest neighbors.

    Parameters
    ----------
    dataset : SFrame
    target : str
        The column of classes, integers or strings.
    features : list of str, optional
        Columns of numbers or vectors; all but the target without it.
    distance : str, function or list, optional
        As in `nearest_neighbors.create`.
    verbose : bool
        Accepted; this edition prints no progress.
    """
    started = time.perf_counter()
    need_frame(dataset)
    if not isinstance(target, str) or target not in dataset.column_names():
        raise ToolkitError(
            "The 'target' parameter must be the name of a column in the input dataset."
        )
    if dataset[target].dtype not in (int, str):
        raise TypeError("The target column must contain integers or strings.")
    names = feature_names(dataset, features, [target])
    if distance is None or distance == "auto":
        distance = _automatic_distance(dataset, names)
    elif isinstance(distance, list):
        distance = [
            [[name for name in own if name != target], kind, weight]
            for own, kind, weight in check_composite(distance)
        ]
    search = nearest_neighbors.create(dataset, features=names, distance=distance, verbose=False)
    return NearestNeighborClassifier(search, dataset[target], target, started)


def _automatic_distance(dataset, names):
    """Return the classifier's own choice of a distance by the columns' types."""
    kinds = {}
    for name in names:
        kind = dataset[name].dtype
        if kind not in (int, float, array.array, str, dict):
            raise TypeError(
                f"Unable to automatically construct a distance function for feature '{name}'. For "
                "the nearest neighbor classifier, features must be of type integer, float, "
                "string, dictionary, or array.array."
            )
        kinds.setdefault(kind if kind in (str, dict) else float, []).append(name)
    parts = [[[name], "levenshtein", 1] for name in kinds.get(str, ())]
    for kind, distance in ((dict, "weighted_jaccard"), (float, "euclidean")):
        if kind in kinds:
            parts.append([kinds[kind], distance, len(kinds[kind])])
    return parts


@saveable
class NearestNeighborClassifier(Model):
    """Reference rows with classes; made by `create`."""

    _label_width = 37

    def __init__(self, search, classes, target, started):
        self._search = search
        self._classes = classes
        self._fields = {
            "verbose": False,
            "distance": search.distance,
            "num_distance_components": search.num_distance_components,
            "num_examples": search.num_examples,
            "features": search.features,
            "target": target,
            "num_classes": len(classes.unique()),
            "num_features": search.num_features,
            "num_unpacked_features": search.num_unpacked_features,
            "training_time": time.perf_counter() - started,
            "_target_type": classes.dtype,
        }

    def _list_fields(self):
        return list(self._fields)

    def name(self):
        """Return the name of the class of models."""
        return type(self).__name__

    def _votes(self, dataset, max_neighbors, radius):
        """Return for each query its classes with shares, the largest first."""
        need_frame(dataset)
        need_columns(dataset, self.features)
        if max_neighbors is not None and not isinstance(max_neighbors, int):
            raise ValueError("Input 'max_neighbors' must be an integer.")
        if max_neighbors is not None and max_neighbors <= 0:
            raise ValueError("Input 'max_neighbors' must be larger than 0.")
        found = self._search.query(dataset, k=max_neighbors, radius=radius, verbose=False)
        labels = self._classes.tolist()
        votes = [{} for _ in range(len(dataset))]
        for query, row in zip(found["query_label"].tolist(), found["reference_label"].tolist()):
            label = labels[row]
            votes[query][label] = votes[query].get(label, 0) + 1
        return [_shares(vote) for vote in votes]

    def classify(self, dataset, max_neighbors=10, radius=None, verbose=True):
        """Return an SFrame `class, probability` for each row; None where there is no neighbor.

        Of classes with the same number of neighbors, the one with the nearest neighbor wins.
        """
        best = [
            shares[0] if shares else (None, None)
            for shares in self._votes(dataset, max_neighbors, radius)
        ]
        kind = self._fields["_target_type"]
        found = any(share is not None for _, share in best)
        return SFrame._of(
            {
                "class": column_from_values([label for label, _ in best], kind),
                "probability": column_from_values(
                    [share for _, share in best], float if found else int
                ),
            }
        )

    def predict(self, dataset, max_neighbors=10, radius=None, output_type="class", verbose=True):
        """Return the class of each row, or its probability."""
        if output_type not in ("class", "probability"):
            raise ValueError(
                "Input 'output_type' not understood. 'output_type' must be either 'class' or "
                "'probability'."
            )
        return self.classify(dataset, max_neighbors, radius, verbose)[output_type]

    def predict_topk(self, dataset, max_neighbors=10, radius=None, k=3, verbose=False):
        """Return an SFrame `row_id, class, probability` with the k most frequent classes."""
        if not isinstance(k, int) or k < 1:
            raise TypeError(
                "The number of results to return for each point, 'k', must be an integer greater "
                "than 0."
            )
        rows = [
            (row, label, share)
            for row, shares in enumerate(self._votes(dataset, max_neighbors, radius))
            for label, share in shares[:k]
        ]
        columns = {
            "row_id": NumberColumn(np.array([row for row, _, _ in rows], np.int64)),
            "class": column_from_values(
                [label for _, label, _ in rows], self._fields["_target_type"]
            ),
            "probability": column_from_values([share for _, _, share in rows], float),
        }
        return SFrame._of(columns if rows else dict(sorted(columns.items())))

    def evaluate(self, dataset, metric="auto", max_neighbors=10, radius=None):
        """Return accuracy, confusion matrix and, for two classes, the ROC curve."""
        if metric not in _METRICS:
            raise ToolkitError(
                f"Evaluation metric '{metric}' not recognized. The supported evaluation "
                f"metrics are {_METRICS}."
            )
        need_columns(dataset, [self.target])
        if dataset[self.target].dtype not in (int, str):
            raise TypeError(
                "The target column of the evaluation dataset must contain integers or strings."
            )
        wanted = self._figures(metric)
        found = self.classify(dataset, max_neighbors, radius)
        pair = dataset[self.target], found["class"]
        result = {}
        if "accuracy" in wanted:
            result["accuracy"] = evaluation.accuracy(*pair)
        if "confusion_matrix" in wanted:
            result["confusion_matrix"] = evaluation.confusion_matrix(*pair)
        if "roc_curve" in wanted:
            # As Turi Create does it: by the probability of the class predicted, whichever it is.
            result["roc_curve"] = evaluation.roc_curve(pair[0], found["probability"])
        return result

    def _figures(self, metric):
        if self.num_classes != 2:
            if metric == "roc_curve":
                raise ToolkitError(
                    "Currently, ROC curve is not supported for multi-class classification in "
                    "this model."
                )
            print("WARNING: Ignoring `roc_curve`. Not supported for multi-class classification.")
        return _METRICS[1 : 3 + (self.num_classes == 2)] if metric == "auto" else (metric,)

    def _sections(self):
        schema = [
            ("Number of examples", self.num_examples),
            ("Number of feature columns", self.num_features),
            ("Number of unpacked features", self.num_unpacked_features),
            ("Number of distance components", self.num_distance_components),
            ("Number of classes", self.num_classes),
        ]
        return [
            ("Schema", schema),
            ("Training Summary", [("Training time (seconds)", self.training_time)]),
        ]

    def _state(self):
        state, frame = self._search._state()
        state.update({"target": self.target, "classifier_time": self.training_time})
        return state, frame.add_column(self._classes, _saved_name(frame, self.target))

    @classmethod
    def _from_state(cls, state, frame):
        target = state["target"]
        classes = frame[frame.column_names()[-1]]
        search = nearest_neighbors.NearestNeighborsModel._from_state(state, frame)
        model = cls(search, classes, target, time.perf_counter())
        model._fields["training_time"] = float(state["classifier_time"])
        return model


def _shares(votes):
    """Return classes with their shares of the votes, most first, then by nearest neighbor."""
    total = sum(votes.values())
    ranked = sorted(votes.items(), key=lambda item: -item[1])
    return [(label, count / total) for label, count in ranked]


def _saved_name(frame, target):
    return target if target not in frame.column_names() else target + ".class"
