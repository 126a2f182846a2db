"""`nearest_neighbors`: the reference rows nearest to each query."""

import array
import time

import numpy as np

from ..columns import NumberColumn
from ..missing import lacks
from ..sframe import SFrame
from ._checks import (
    check_schema,
    filling,
    matrix,
    need_columns,
    need_frame,
    pair_rows,
    texts,
    unpacked_names,
)
from ._main import ToolkitError
from ._pair_distances import Postings
from .distances import check_composite
from .model import Model, saveable
from .neighbor_search import PairPart, TextPart, VectorPart, search

_METHODS = ("auto", "ball_tree", "brute_force", "lsh")
_NO_TREE = ("cosine", "transformed_dot_product", "dot_product")
_AUTOMATIC = {str: "levenshtein", dict: "jaccard", list: "jaccard", array.array: "euclidean"}
_ONLY_LEVENSHTEIN = (
    "The only distance allowed for string features is 'levenshtein'. Please try this distance, or "
    "use 'text_analytics.count_ngrams' to convert the strings to dictionaries, which permit more "
    "distance functions.\n"
)
_MOST = 2147483647
_TREE_DISTANCES = ("euclidean", "manhattan")
_MANY_FEATURES = 200
_LEAF_SIZE = 1000
_LARGEST_WEIGHT = 1e9


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
        All columns but the label without it.
    distance : str, function or list of [features, distance, weight], optional
        'euclidean', 'squared_euclidean', 'gaussian_kernel', 'manhattan', 'cosine' or
        'transformed_dot_product' of numbers, vectors and dictionaries; 'jaccard' or
        'weighted_jaccard' of dictionaries and lists of strings; 'levenshtein' of strings.
        Without it, or with 'auto', one is chosen by the columns' types.
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
    if method == "ball_tree" and getattr(distance, "__name__", distance) in _NO_TREE:
        raise TypeError(
            "The ball tree method does not work with 'cosine' or 'transformed_dot_product' "
            "distance.Please use the 'brute_force' method for these distances."
        )
    _check_options(kwargs)
    if label is not None and label not in dataset.column_names():
        raise ToolkitError("Row label column not found in the dataset.")
    parts = composite_distance(dataset, _features(dataset, features, label), distance, label)
    method = _method(dataset, method, parts)
    leaf_size = _leaf_size(kwargs.get("leaf_size")) if method == "ball_tree" else None
    options = {"method": method, "leaf_size": leaf_size}
    return NearestNeighborsModel(dataset, label, parts, options, started)


def _check_options(options):
    for name in options:
        if name not in ("leaf_size", "num_tables", "num_projections_per_table"):
            raise ToolkitError(
                f"'{name}' is not a valid keyword argument for the nearest neighbors model. "
                "Please check for capitalization and other typos."
            )


def _leaf_size(size):
    if size is None:
        return _LEAF_SIZE
    if not isinstance(size, (int, float)) or size != size or size % 1:
        raise ToolkitError(
            f"Expected integer value for option 'leaf_size'. Cannot cast {size!r} to an integer "
            "value."
        )
    if not 0 <= size <= _MOST:
        raise ToolkitError(f"Option 'leaf_size' must be in the range [0, {_MOST}].")
    return int(size) or _LEAF_SIZE


def _features(dataset, features, label):
    if features is not None and not isinstance(features, list):
        raise TypeError("If specified, input 'features' must be a list of strings.")
    names = dataset.column_names() if features is None else list(features)
    if label is None and "__id" not in dataset.column_names():
        # What Turi Create calls the row numbers that are labels then.
        names = [name for name in names if name != "__id"]
    if not [name for name in names if name != label]:
        raise ToolkitError(
            "The only available feature is the same as the row label column. Please specify "
            "features that are not also row labels."
        )
    return names


def composite_distance(dataset, names, distance, label=None):
    """Return a distance as a checked list of [features, name, weight], without the label."""
    if distance is None or distance == "auto":
        parts = _automatic(dataset, names)
    elif isinstance(distance, list):
        parts = distance
    elif isinstance(distance, str) or callable(distance):
        parts = [[names, distance, 1]]
    else:
        raise TypeError(
            "Input 'distance' not understood. The 'distance'  argument must be a string, "
            "function handle, or composite distance."
        )
    parts = [
        [[name for name in features if name != label], name, weight]
        for features, name, weight in parts
    ]
    parts = check_composite([part for part in parts if part[0]])
    for features, name, weight in parts:
        _check_part(dataset, features, name)
        if weight > _LARGEST_WEIGHT:
            raise ToolkitError("Relative distance weights must be between 0 and 1e9.\n")
    return parts


def _automatic(dataset, names):
    numbers, parts = [], []
    for name in names:
        kind = _column(dataset, name).dtype
        if kind in (int, float):
            numbers.append(name)
        elif kind in _AUTOMATIC:
            parts.append([[name], _AUTOMATIC[kind], 1])
        else:
            raise TypeError(f"Unable to automatically determine a distance for column {name}")
    return parts + ([[numbers, "euclidean", 1]] if numbers else [])


def _column(dataset, name):
    if name not in dataset.column_names():
        raise KeyError(name)
    return dataset._columns[name]


def _check_part(dataset, features, name):
    kinds = {feature: _column(dataset, feature).dtype for feature in features}
    if list in kinds.values():
        _check_lists(dataset, kinds, name)
    if name == "levenshtein" and len(features) > 1:
        raise ValueError(
            "Levenshtein distance cannot be used with multiple columns. Please concatenate "
            "strings into a single column before creating the nearest neighbors model."
        )
    for feature, kind in kinds.items():
        if kind is str and name != "levenshtein":
            raise ToolkitError(_ONLY_LEVENSHTEIN)
        if kind is not str and name == "levenshtein":
            raise ToolkitError(
                f"Cannot compute levenshtein distance with column '{feature}'. levenshtein "
                "distance can only computed for string features.\n"
            )
        if kind not in (dict, list) and name in ("jaccard", "weighted_jaccard"):
            raise ToolkitError(
                f"Cannot compute jaccard distances with column '{feature}'. Jaccard distances "
                "currently can only be computed for dictionary and list features.\n"
            )


def _check_lists(dataset, kinds, name):
    if name not in ("jaccard", "weighted_jaccard", "cosine", "transformed_dot_product"):
        raise TypeError("The chosen distance cannot currently be used on list-typed columns.")
    for feature, kind in kinds.items():
        if kind is list:
            items = (item for row in dataset._columns[feature].tolist() for item in row or ())
            if not all(isinstance(item, str) for item in items):
                raise TypeError(
                    "Distances for sparse data, such as jaccard and weighted_jaccard, can only "
                    "be used on lists containing only strings. Please modify any list features "
                    "accordingly before creating the nearest neighbors model."
                )


def _part(dataset, features, name, weight):
    """Return the reference rows of one distance."""
    kinds = {dataset._columns[feature].dtype for feature in features}
    if name == "levenshtein":
        return TextPart(weight, texts(dataset, features[0]))
    if kinds & {dict, list}:
        return PairPart(name, weight, Postings(pair_rows(dataset, features)))
    matrices = [matrix(dataset, feature) for feature in features]
    return VectorPart(name, weight, np.hstack(matrices))


@saveable
class NearestNeighborsModel(Model):
    """Reference rows to search in; made by `create`."""

    def __init__(self, dataset, label, distance, options, started):
        names = list(dict.fromkeys(name for part, _, _ in distance for name in part))
        self._components = [
            _part(dataset, features, name, weight if len(distance) > 1 else 1.0)
            for features, name, weight in distance
        ]
        self._labels = _labels(dataset, label)
        self._reference = dataset.select_columns(
            names if label is None or label in names else [label, *names]
        )
        unpacked = unpacked_names(dataset, names)
        text_names = [name for name in names if dataset._columns[name].dtype is str]
        self._fields = {
            "distance": distance,
            "distance_for_summary_struct": distance[0][1] if len(distance) == 1 else distance,
            "features": names,
            "label": label,
            "method": options["method"],
            "num_distance_components": len(distance),
            "num_examples": len(dataset),
            "num_features": len(names),
            "num_unpacked_features": len(unpacked) + len(text_names),
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
        return self._answer(self._queries(dataset), labels, _count(k), _radius(radius))

    def _queries(self, dataset):
        """Return the queries' features for each distance; what is missing is the mean's."""
        check_schema(dataset, self._reference, self.features)
        result = []
        for (features, _, _), part in zip(self.distance, self._components):
            means = {name: filling(self._reference, name) for name in features}
            if isinstance(part, TextPart):
                result.append(texts(dataset, features[0], ""))
            elif isinstance(part, PairPart):
                # As in Turi Create, keys that no reference row has do not count.
                rows = pair_rows(dataset, features, means)
                result.append([part.postings.known(row) for row in rows])
            else:
                result.append(
                    np.hstack([matrix(dataset, name, **means[name]) for name in features])
                )
        return result

    def _reaches(self, query, radius):
        """Tell whether Turi Create's ball tree of a single leaf looks at its rows for a query.

        It does not for one that is as far from the first row as the radius and the farthest
        row together, which leaves this row out at the radius 0.
        """
        one_leaf = self.method == "ball_tree" and self.tree_depth == 1
        if radius is None or not one_leaf or not isinstance(self._components[0], VectorPart):
            return True
        part = self._components[0]
        farthest = part.to_rows(part.matrix[0], np.arange(len(part))).max()
        return part.to_rows(query, np.array([0]))[0] - farthest < radius

    def _answer(self, queries, labels, k, radius, skip_self=False):
        rows, distances, ranks, sources = [], [], [], []
        wanted = k if k is None or not skip_self else k + 1
        found = search(self._components, queries, wanted, radius)
        for number, (near, distance) in enumerate(found):
            if not self._reaches(queries[0][number], radius):
                near, distance = near[:0], distance[:0]
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
        queries = self._queries(self._reference)
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
        distance = check_composite(state["distance"])
        model = cls(frame, state["label"], distance, state["options"], time.perf_counter())
        model._fields["training_time"] = float(state["training_time"])
        return model


def _method(dataset, method, distance):
    if len(distance) > 1:
        return "brute_force"
    if method != "auto":
        return method
    features, name, _ = distance[0]
    columns = [dataset._columns[feature] for feature in features]
    width = sum(len(c.value(0)) if hasattr(c.value(0), "__len__") else 1 for c in columns)
    numeric = all(column.dtype in (int, float, list, array.array) for column in columns)
    tree = name in _TREE_DISTANCES and numeric and width <= _MANY_FEATURES
    return "ball_tree" if tree else "brute_force"


def _labels(dataset, label):
    if label is None:
        return NumberColumn(np.arange(len(dataset), dtype=np.int64))
    column = dataset._columns[label]
    if column.dtype not in (int, str):
        raise TypeError("Row labels must be integers or strings.")
    return column


def _query_labels(dataset, label):
    column = _labels(dataset, None) if label is None else dataset._columns[label]
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
        raise ValueError("Input 'radius' must be an integer or float.")
    if radius < 0:
        raise ValueError("Input 'radius' must be non-negative.")
    return float(radius)


__all__ = ["NearestNeighborsModel", "create"]
