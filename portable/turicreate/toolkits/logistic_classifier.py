"""`logistic_classifier`: logistic regression with two or more classes.

It finds the optimum of the same penalized loss as Turi Create, which stops after ten steps by
default; with enough steps there, both agree.
"""

import time

import numpy as np

from ..columns import NumberColumn, VectorColumn
from ..infer import column_from_values
from ..missing import lacks
from ..sarray import SArray
from ..sframe import SFrame
from . import evaluation
from ._checks import feature_names, matrix, need_columns, need_frame, unpacked_names
from ._l2_logistic import fit
from ._main import ToolkitError
from .model import Model, saveable

_SOLVERS = ("auto", "newton", "lbfgs", "gd", "fista")
_NEWTON_COEFFICIENTS = 500
_FEW_ROWS = 100
_OUTPUTS = ("class", "probability", "margin", "probability_vector")
_METRICS = (
    "accuracy",
    "auc",
    "confusion_matrix",
    "f1_score",
    "log_loss",
    "precision",
    "recall",
    "roc_curve",
)


def create(
    dataset,
    target,
    features=None,
    l2_penalty=0.01,
    l1_penalty=0.0,
    solver="auto",
    feature_rescaling=True,
    convergence_threshold=0.01,
    step_size=1.0,
    lbfgs_memory_level=11,
    max_iterations=10,
    class_weights=None,
    validation_set="auto",
    verbose=True,
    seed=None,
):
    """Return a logistic regression model.

    Parameters
    ----------
    dataset : SFrame
    target : str
        The column of classes, integers or strings.
    features : list of str, optional
        Columns of numbers or vectors; all but the target without it.
    l2_penalty : float
        Weight of the squared coefficients of the rescaled features.
    validation_set : SFrame, 'auto' or None
        'auto' leaves out a random 5 % of more than 100 rows, None trains on all rows.
    solver, convergence_threshold, step_size, lbfgs_memory_level, max_iterations, verbose
        Accepted; the optimum itself is found whatever they say.
    """
    started = time.perf_counter()
    need_frame(dataset)
    _check_options(l2_penalty, l1_penalty, solver, max_iterations, class_weights, seed)
    need_columns(dataset, [target])
    if dataset[target].dtype not in (int, str):
        raise ToolkitError(f"Column type of target '{target}' must be int or str.")
    names = feature_names(dataset, features, [target])
    need_columns(dataset, names)
    dataset, validation = _split(dataset, validation_set)
    classes = sorted(set(dataset[target].dropna()))
    if len(classes) < 2:
        raise ToolkitError(
            "One-class classification is not currently supported. Please check your target column."
        )
    X = np.hstack([matrix(dataset, name) for name in names])
    y = np.array([classes.index(label) for label in dataset[target].tolist()])
    intercepts, weights, steps = fit(X, y, len(classes), l2_penalty, feature_rescaling)
    fields = {
        "l2_penalty": l2_penalty,
        "l1_penalty": l1_penalty,
        "solver": solver,
        "feature_rescaling": int(feature_rescaling),
        "convergence_threshold": convergence_threshold,
        "step_size": step_size,
        "lbfgs_memory_level": lbfgs_memory_level,
        "max_iterations": max_iterations,
        "target": target,
        "features": names,
        "training_iterations": steps,
        **_facts(dataset, names, y, classes),
    }
    if solver == "auto":
        newton = fields["num_coefficients"] <= _NEWTON_COEFFICIENTS
        fields["solver"] = "newton" if newton else "lbfgs"
    model = LogisticClassifier(fields, intercepts, weights)
    model._measure("training", dataset)
    if validation is not None:
        model._measure("validation", validation)
    fields["training_time"] = time.perf_counter() - started
    return model


def _facts(dataset, names, y, classes):
    """Return the fields of a model that say what it was trained on."""
    unpacked = unpacked_names(dataset, names)
    return {
        "classes": classes,
        "class_weights": dict.fromkeys(classes, 1.0),
        "num_classes": len(classes),
        "num_coefficients": (len(unpacked) + 1) * (len(classes) - 1),
        "num_examples": len(y),
        "num_examples_per_class": {c: int(n) for c, n in zip(classes, np.bincount(y))},
        "num_features": len(names),
        "num_unpacked_features": len(unpacked),
        "training_solver_status": "SUCCESS: Optimal solution found.",
        "unpacked_features": unpacked,
        "widths": [matrix(dataset[:1], name).shape[1] for name in names],
    }


def _check_options(l2_penalty, l1_penalty, solver, max_iterations, class_weights, seed):
    if solver not in _SOLVERS:
        raise ToolkitError(
            "Option 'solver' must be one of ('auto', 'newton', 'lbfgs', 'gd', or 'fista')."
        )
    if not 0 <= l2_penalty <= 1e20:
        raise ToolkitError("Option 'l2_penalty' must be in the range [0, 1e+20].")
    if not 1 <= max_iterations <= 2147483647:
        raise ToolkitError("Option 'max_iterations' must be in the range [1, 2147483647].")
    if l1_penalty:
        raise lacks("logistic_classifier.create(l1_penalty=...)", "use l2_penalty")
    if class_weights is not None:
        raise lacks("logistic_classifier.create(class_weights=...)")
    if seed is not None:
        raise lacks(
            "logistic_classifier.create(seed=...)",
            "its validation rows come from Turi Create's own random numbers; pass a "
            "validation_set of your own, or None",
        )


def _split(dataset, validation_set):
    """Return the rows to train on and those to validate on, or None."""
    if validation_set is None:
        return dataset, None
    if isinstance(validation_set, SFrame):
        return dataset, validation_set if len(validation_set) else None
    if validation_set != "auto":
        raise TypeError("validation_set must be None, 'auto' or an SFrame")
    if len(dataset) <= _FEW_ROWS:
        return dataset, None
    return dataset.random_split(0.95, exact=True)


@saveable
class LogisticClassifier(Model):
    """A trained logistic regression; made by `create`."""

    def __init__(self, fields, intercepts, weights):
        self._fields = fields
        self._intercepts = np.asarray(intercepts, np.float64)
        self._weights = np.asarray(weights, np.float64)

    def _list_fields(self):
        return sorted([*self._fields, "coefficients"])

    @property
    def coefficients(self):
        """An SFrame `name, index, class, value`: the intercept and a row for each feature."""
        names = [("(intercept)", None)]
        for name, width in zip(self.features, self.widths):
            single = width == 1 and f"{name}[0]" not in self.unpacked_features
            names += [(name, None if single else str(index)) for index in range(width)]
        rows = [
            (name, index, label, value)
            for label, intercept, weights in zip(self.classes[1:], self._intercepts, self._weights)
            for (name, index), value in zip(names, [intercept, *weights])
        ]
        kinds = {"name": str, "index": str, "class": type(self.classes[0]), "value": float}
        return SFrame._of(
            {
                name: column_from_values([row[at] for row in rows], kind)
                for at, (name, kind) in enumerate(kinds.items())
            }
        )

    def _get(self, field):
        return self.coefficients if field == "coefficients" else super()._get(field)

    def _margins(self, dataset):
        need_frame(dataset)
        need_columns(dataset, self.features)
        parts = zip(self.features, self.widths)
        X = np.hstack([matrix(dataset, name, width) for name, width in parts])
        return X @ self._weights.T + self._intercepts

    def _probabilities(self, dataset):
        margins = self._margins(dataset)
        margins = np.hstack([np.zeros((len(margins), 1)), margins])
        shares = np.exp(margins - margins.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def _labels(self, numbers):
        kind = type(self.classes[0])
        return column_from_values([self.classes[number] for number in numbers], kind)

    def predict(self, dataset, output_type="class", missing_value_action="auto"):
        """Return the class of each row, or its probability, margin or probabilities."""
        if output_type not in _OUTPUTS:
            raise ToolkitError(f"Invalid prediction type name {output_type}")
        if output_type in ("probability", "margin") and self.num_classes > 2:
            raise ToolkitError(
                f"Output type '{output_type}' is only supported for binary classification. For "
                "multi-class classification, use predict_topk() instead."
            )
        if output_type == "margin":
            return SArray._of(NumberColumn(self._margins(dataset)[:, 0]))
        shares = self._probabilities(dataset)
        if output_type == "probability_vector":
            return SArray._of(VectorColumn.from_matrix(shares))
        if output_type == "probability":
            return SArray._of(NumberColumn(shares[:, 1].copy()))
        return SArray._of(self._labels(shares.argmax(axis=1)))

    def classify(self, dataset, missing_value_action="auto"):
        """Return an SFrame `class, probability`."""
        shares = self._probabilities(dataset)
        columns = {
            "class": self._labels(shares.argmax(axis=1)),
            "probability": NumberColumn(shares.max(axis=1)),
        }
        return SFrame._of(columns)

    def predict_topk(self, dataset, output_type="probability", k=3, missing_value_action="auto"):
        """Return an SFrame `id, class, probability` (or `rank`) with the k likeliest classes."""
        if output_type not in ("probability", "rank"):
            raise lacks(f"LogisticClassifier.predict_topk(output_type={output_type!r})")
        shares = self._probabilities(dataset)
        k = min(k, self.num_classes)
        order = np.argsort(-shares, axis=1, kind="stable")[:, :k]
        values = np.take_along_axis(shares, order, axis=1).reshape(-1)
        if output_type == "rank":
            values = np.tile(np.arange(k), len(shares))
        columns = {
            "id": NumberColumn(np.repeat(np.arange(len(shares)), k)),
            "class": self._labels(order.reshape(-1)),
            output_type: NumberColumn(values),
        }
        return SFrame._of(columns)

    def evaluate(self, dataset, metric="auto", missing_value_action="auto", with_predictions=False):
        """Return a dictionary of figures on rows whose classes are known."""
        if with_predictions:
            raise lacks("LogisticClassifier.evaluate(with_predictions=True)", "call predict")
        if metric not in ("auto", *_METRICS):
            raise ToolkitError(
                f"Evaluation metric '{metric}' not recognized. The supported evaluation metrics "
                f"are {('auto', *_METRICS)}."
            )
        need_columns(dataset, [self.target])
        wanted = _METRICS if metric == "auto" else (metric,)
        return {name: self._figure(name, dataset) for name in wanted}

    def _figure(self, name, dataset):
        targets = dataset[self.target]
        function = getattr(evaluation, name)
        if name in ("auc", "log_loss", "roc_curve"):
            binary = self.num_classes == 2
            kind = "probability" if binary else "probability_vector"
            return function(targets, self.predict(dataset, kind))
        predicted = self.predict(dataset)
        if name in ("precision", "recall", "f1_score") and self.num_classes == 2:
            targets, predicted = (side == self.classes[1] for side in (targets, predicted))
        return function(targets, predicted)

    def _measure(self, which, dataset):
        """Keep the figures of the rows trained or validated on."""
        for name, value in self.evaluate(dataset).items():
            self._fields[f"{which}_{name}"] = value
        if which == "training":
            self._fields["training_loss"] = self.training_log_loss * len(dataset)

    def _sections(self):
        schema = [
            ("Number of coefficients", self.num_coefficients),
            ("Number of examples", self.num_examples),
            ("Number of classes", self.num_classes),
            ("Number of feature columns", self.num_features),
            ("Number of unpacked features", self.num_unpacked_features),
        ]
        penalties = [("L1 penalty", self.l1_penalty), ("L2 penalty", self.l2_penalty)]
        training = [
            ("Solver", self.solver),
            ("Solver iterations", self.training_iterations),
            ("Solver status", self.training_solver_status),
            ("Training time (sec)", self.training_time),
        ]
        return [
            ("Schema", schema),
            ("Hyperparameters", penalties),
            ("Training Summary", training),
            ("Settings", [("Log-likelihood", self.training_loss)]),
            ("Highest Positive Coefficients", self._extremes(1)),
            ("Lowest Negative Coefficients", self._extremes(-1)),
        ]

    def _extremes(self, sign):
        names = ["(intercept)", *self.unpacked_features]
        values = np.hstack([self._intercepts[:, None], self._weights])
        pairs = [(name, value) for row in values for name, value in zip(names, row.tolist())]
        pairs = [pair for pair in pairs if pair[1] * sign > 0]
        return sorted(pairs, key=lambda pair: -sign * pair[1])[:5]

    def _state(self):
        fields = {
            name: value for name, value in self._fields.items() if not isinstance(value, SFrame)
        }
        # JSON turns the keys of a dictionary into text; the classes hold their types.
        for name in ("class_weights", "num_examples_per_class"):
            fields[name] = list(fields[name].values())
        weights = {"intercepts": self._intercepts.tolist(), "weights": self._weights.tolist()}
        return {"fields": fields, **weights}, None

    @classmethod
    def _from_state(cls, state, frame):
        fields = dict(state["fields"])
        for name in ("class_weights", "num_examples_per_class"):
            fields[name] = dict(zip(fields["classes"], fields[name]))
        model = cls(fields, state["intercepts"], state["weights"])
        shape = (fields["num_classes"] - 1, sum(fields["widths"]))
        if model._weights.shape != shape or model._intercepts.shape != shape[:1]:
            raise ValueError("the coefficients do not fit the features")
        return model


__all__ = ["LogisticClassifier", "create"]
