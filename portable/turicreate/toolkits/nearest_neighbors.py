"""`nearest_neighbors`: the reference rows nearest to each query."""

import array
import time

import numpy as np

from ..columns import NumberColumn
from ..missing import lacks
from ..sframe import SFrame
from ._checks import feature_names, matrix, need_columns, need_frame, unpacked_names
from ._main import ToolkitError
from .distances import check_name
from .model import Model, saveable
from .neighbor_search import Component, search

_METHODS = ("auto", "ball_tree", "brute_force", "lsh")
_TREE_DISTANCES = ("euclidean", "manhattan")
_MANY_FEATURES = 200
_LEAF_SIZE = 1000


def create(
    dataset, label=None, features=None, distance=None, method="auto", verbose=True, **kwargs
):
    """Return a model that finds the nearest rows of `dataset`.

    Parameters
    ----------
    dataset : SFrame
        The reference rows.
    label : str, optional
        The column of row labels; row numbers without it.
    features : list of str, optional
        Columns of numbers or vectors; all but the label without it.
    distance : str, function or list of [features, distance, weight], optional
        'euclidean' (the default), 'squared_euclidean', 'manhattan', 'cosine' or
        'transformed_dot_product'.
    method : {'auto', 'ball_tree', 'brute_force'}
        What the model calls itself; the answers are exact and equal for all of them.
    verbose : bool
        Accepted; this edition prints no progress.

    Returns
    -------
    NearestNeighborsModel
    """
    started = time.perf_counter()
    need_frame(dataset)
    if method not in _METHODS:
        raise ValueError("Method must be 'auto', 'ball_tree', 'brute_force', or 'lsh'.")
    if method == "lsh":
        raise lacks("method='lsh'", "method='brute_force' is exact")
    for name in kwargs:
        if name != "leaf_size":
            raise ToolkitError(
                f"'{name}' is not a valid keyword argument for the nearest neighbors model. "
                "Please check for capitalization and other typos."
            )
    if label is not None and label not in dataset.column_names():
        raise ToolkitError("Row label column not found in the dataset.")
    parts = _components(dataset, _features(dataset, features, label), distance)
    options = {"method": method, "leaf_size": kwargs.get("leaf_size", 0) or _LEAF_SIZE}
    return NearestNeighborsModel(dataset, label, parts, options, started)


def _features(dataset, features, label):
    others = [] if label is None else [label]
    names = feature_names(dataset, features, others)
    for name in names:
        if name not in dataset.column_names():
            raise KeyError(name)
    if not names:
        raise ToolkitError(
            "The only available feature is the same as the row label column. Please specify "
            "features that are not also row labels."
        )
    return names


def _components(dataset, names, distance):
    """Return the distance as a list of [features, name, weight]."""
    if isinstance(distance, list):
        return [[list(part), check_name(name), float(weight)] for part, name, weight in distance]
    if distance is not None:
        return [[names, check_name(distance), 1.0]]
    numbers, parts = [], []
    for name in names:
        kind = dataset[name].dtype
        if kind in (int, float):
            numbers.append(name)
        elif kind is array.array:
            parts.append([[name], "euclidean", 1.0])
        elif kind in (str, dict, list):
            raise lacks(f"A distance between values of type {kind.__name__} (column '{name}')")
        else:
            raise TypeError(f"Unable to automatically determine a distance for column {name}")
    return parts + ([[numbers, "euclidean", 1.0]] if numbers else [])


@saveable
class NearestNeighborsModel(Model):
    """Reference rows to search in; made by `create`."""

    def __init__(self, dataset, label, distance, options, started):
        names = list(dict.fromkeys(name for part, _, _ in distance for name in part))
        self._components = [
            Component(
                name,
                weight if len(distance) > 1 else 1.0,
                np.hstack([matrix(dataset, feature) for feature in features]),
            )
            for features, name, weight in distance
        ]
        self._labels = _labels(dataset, label)
        self._reference = dataset.select_columns(
            names if label is None or label in names else [label, *names]
        )
        unpacked = unpacked_names(dataset, names)
        self._fields = {
            "distance": distance,
            "distance_for_summary_struct": distance[0][1] if len(distance) == 1 else distance,
            "features": names,
            "label": label,
            "method": _method(options["method"], distance, len(unpacked)),
            "num_distance_components": len(distance),
            "num_examples": len(dataset),
            "num_features": len(names),
            "num_unpacked_features": len(unpacked),
            "training_time": time.perf_counter() - started,
            "unpacked_features": unpacked,
        }
        if self.method == "ball_tree":
            leaf = options["leaf_size"]
            depth = 1 + max(0, int(np.ceil(np.log2(len(dataset) / leaf))))
            self._fields.update({"leaf_size": leaf, "tree_depth": depth})

    def query(self, dataset, label=None, k=5, radius=None, verbose=True):
        """Return the nearest reference rows of each row of `dataset`.

        Parameters
        ----------
        dataset : SFrame
            The queries, with the model's feature columns.
        label : str, optional
            The column of query labels; row numbers without it.
        k : int or None
            How many neighbors, None for all.
        radius : float, optional
            The largest distance.

        Returns
        -------
        SFrame
            `query_label, reference_label, distance, rank`, nearest first; among equal
            distances in the order of the reference rows.
        """
        need_frame(dataset)
        if label is not None and label not in dataset.column_names():
            raise ValueError(
                "Input 'label' must be a string matching the name of a column in the "
                "reference SFrame 'dataset'."
            )
        need_columns(dataset, self.features)
        labels = _query_labels(dataset, label)
        return self._answer(self._matrices(dataset), labels, _count(k), _radius(radius))

    def _matrices(self, dataset):
        result = []
        for (features, _, _), component in zip(self.distance, self._components):
            single = len(features) == 1
            width = component.matrix.shape[1] if single else None
            found = np.hstack([matrix(dataset, name, width) for name in features])
            result.append(found)
        return result

    def _answer(self, queries, labels, k, radius, skip_self=False):
        rows, distances, ranks, sources = [], [], [], []
        wanted = k if k is None or not skip_self else k + 1
        found = search(self._components, queries, wanted, radius)
        for number, (near, distance) in enumerate(found):
            if skip_self:
                others = np.flatnonzero(near != number)[:k]
                near, distance = near[others], distance[others]
            rows.append(near)
            distances.append(distance)
            ranks.append(np.arange(1, len(near) + 1))
            sources.append(np.full(len(near), number))
        return SFrame._of(
            {
                "query_label": labels.take(np.concatenate(sources)),
                "reference_label": self._labels.take(np.concatenate(rows)),
                "distance": NumberColumn(np.concatenate(distances)),
                "rank": NumberColumn(np.concatenate(ranks)),
            }
        )

    def similarity_graph(
        self, k=5, radius=None, include_self_edges=False, output_type="SGraph", verbose=True
    ):
        """Return each reference row's neighbors among the others, as an SFrame.

        Rows come in the order of the reference rows; Turi Create's ball tree has its own order.
        """
        if output_type != "SFrame":
            raise lacks(f"similarity_graph(output_type={output_type!r})", "output_type='SFrame'")
        queries = [component.matrix for component in self._components]
        k, radius = _count(k), _radius(radius)
        return self._answer(queries, self._labels, k, radius, skip_self=not include_self_edges)

    def _sections(self):
        rows = [
            ("Method", self.method),
            ("Number of distance components", self.num_distance_components),
            ("Number of examples", self.num_examples),
            ("Number of feature columns", self.num_features),
            ("Number of unpacked features", self.num_unpacked_features),
            ("Distance", self.distance_for_summary_struct),
            ("Total training time (seconds)", self.training_time),
        ]
        sections = [("Attributes", rows)]
        if self.method == "ball_tree":
            tree = [("Tree depth", self.tree_depth), ("Leaf size", self.leaf_size)]
            sections.append(("Ball Tree Attributes", tree))
        return sections

    def _state(self):
        options = {"method": self.method, "leaf_size": self._fields.get("leaf_size", _LEAF_SIZE)}
        return {
            "label": self.label,
            "distance": self.distance,
            "options": options,
            "training_time": self.training_time,
        }, self._reference

    @classmethod
    def _from_state(cls, state, frame):
        distance = [[list(part), check_name(name), float(w)] for part, name, w in state["distance"]]
        model = cls(frame, state["label"], distance, state["options"], time.perf_counter())
        model._fields["training_time"] = float(state["training_time"])
        return model


def _method(method, distance, width):
    if method != "auto":
        return method
    tree = len(distance) == 1 and distance[0][1] in _TREE_DISTANCES and width <= _MANY_FEATURES
    return "ball_tree" if tree else "brute_force"


def _labels(dataset, label):
    if label is None:
        return NumberColumn(np.arange(len(dataset), dtype=np.int64))
    column = dataset._column_data(label)
    if column.dtype not in (int, str):
        raise TypeError("Row labels must be integers or strings.")
    return column


def _query_labels(dataset, label):
    column = _labels(dataset, None) if label is None else dataset._column_data(label)
    if column.dtype not in (int, str):
        raise TypeError("The label column must contain integers or strings.")
    return column


def _count(k):
    if k is None:
        return None
    if not isinstance(k, (int, np.integer)):
        raise ValueError("Input 'k' must be an integer.")
    if k <= 0:
        raise ValueError("Input 'k' must be larger than 0.")
    return int(k)


def _radius(radius):
    if radius is None:
        return None
    if not isinstance(radius, (int, float, np.number)):
        raise ValueError("Input 'radius' must be a number.")
    if radius < 0:
        raise ValueError("Input 'radius' must be non-negative.")
    return float(radius)


__all__ = ["NearestNeighborsModel", "create"]
