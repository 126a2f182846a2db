"""The trained logistic regression: its coefficients, predictions and figures."""

import array
import time

import numpy as np

from ..columns import NumberColumn, VectorColumn
from ..infer import column_from_values
from ..missing import refuse_by_name
from ..printing import type_title
from ..sarray import SArray
from ..sframe import SFrame
from . import _metrics
from ._checks import matrix, need_columns, need_frame
from ._main import ToolkitError
from .model import Model, saveable

_OUTPUTS = ("class", "probability", "margin", "probability_vector")
_METRICS = (
    "accuracy",
    "confusion_matrix",
    "roc_curve",
    "auc",
    "log_loss",
    "precision",
    "recall",
    "f1_score",
)


_HIDDEN = ("means", "widths")
_SCORES = {
    "precision": lambda tally: tally.precision,
    "recall": lambda tally: tally.recall,
    "f1_score": lambda tally: tally.fbeta(1.0),
}


@refuse_by_name
@saveable
class LogisticClassifier(Model):
    """A trained logistic regression; made by `create`."""

    def __init__(self, fields, coefficients, errors=None):
        """Take the fields, and coefficients (c - 1, d + 1), intercepts last, with their errors."""
        self._fields = fields
        self._coefficients = np.asarray(coefficients, np.float64)
        self._errors = None if errors is None else np.asarray(errors, np.float64)

    def _list_fields(self):
        return sorted([*(name for name in self._fields if name not in _HIDDEN), "coefficients"])

    @property
    def coefficients(self):
        """An SFrame `name, index, class, value, stderr`: intercepts and a row for each feature.

        The standard errors come from Newton's method only, and need more rows than coefficients.
        """
        names = [("(intercept)", None)]
        for name, width in zip(self.features, self.widths):
            single = width == 1 and f"{name}[0]" not in self.unpacked_features
            names += [(name, None if single else str(index)) for index in range(width)]
        values = np.roll(self._coefficients, 1, axis=1).reshape(-1).tolist()
        errors = [None] * len(values)
        if self._errors is not None:
            errors = np.roll(self._errors, 1, axis=1).reshape(-1).tolist()
        columns = {
            "name": (str, [name for name, _ in names] * (self.num_classes - 1)),
            "index": (str, [index for _, index in names] * (self.num_classes - 1)),
            "class": (
                type(self.classes[0]),
                [label for label in self.classes[1:] for _ in names],
            ),
            "value": (float, values),
            "stderr": (float, errors),
        }
        return SFrame._of(
            {name: column_from_values(cells, kind) for name, (kind, cells) in columns.items()}
        )

    def _get(self, field):
        return self.coefficients if field == "coefficients" else super()._get(field)

    def _matrix(self, dataset, action="auto"):
        """Return the features of rows as one array (n, d), missing ones filled with the mean."""
        if action not in ("auto", "impute", "error", "none"):
            raise ToolkitError(f"Missing value type '{action}' not supported.")
        if action == "none":
            raise ToolkitError(
                'Model doesn\'t support missing value, please set missing_value_action to "impute"'
            )
        need_frame(dataset)
        if action == "error":
            need_columns(dataset, self.features)
            return np.hstack([matrix(dataset, *part) for part in zip(self.features, self.widths)])
        parts = zip(self.features, self.widths, self._fields["means"])
        return np.hstack([matrix(dataset, *part) for part in parts])

    def _margins(self, dataset, action):
        return _margins(self._matrix(dataset, action), self._coefficients)

    def _probabilities(self, dataset, action="auto"):
        return _probabilities(self._margins(dataset, action))

    def _as_frame(self, dataset):
        """Return rows given as dictionaries as an SFrame of the features."""
        rows = [dataset] if isinstance(dataset, dict) else dataset
        columns = {
            name: SArray([row.get(name) for row in rows], array.array if width else float)
            for name, width in zip(self.features, self._is_vector())
        }
        return SFrame._of({name: column._column for name, column in columns.items()})

    def _is_vector(self):
        return [
            width > 1 or f"{name}[0]" in self.unpacked_features
            for name, width in zip(self.features, self.widths)
        ]

    def _likeliest(self, shares):
        # Of two equally likely classes Turi Create takes the second, of more the first.
        if self.num_classes == 2:
            return (shares[:, 1] >= 0.5).astype(int)
        return shares.argmax(axis=1)

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
        if isinstance(dataset, (list, dict)):
            if not dataset:
                return SArray([], type(self.classes[0]))
            dataset = self._as_frame(dataset)
        if output_type == "margin":
            return SArray._of(NumberColumn(self._margins(dataset, missing_value_action)[:, 0]))
        return self._answers(self._probabilities(dataset, missing_value_action), output_type)

    def _answers(self, shares, output_type):
        """Return the probabilities of all classes as a column of that type."""
        if output_type == "probability_vector":
            return SArray._of(VectorColumn.from_matrix(shares))
        if output_type == "probability":
            return SArray._of(NumberColumn(shares[:, 1].copy()))
        return SArray._of(self._labels(self._likeliest(shares)))

    def classify(self, dataset, missing_value_action="auto"):
        """Return an SFrame `class, probability`."""
        dataset = self._as_frame(dataset) if isinstance(dataset, (list, dict)) else dataset
        shares = self._probabilities(dataset, missing_value_action)
        columns = {
            "class": self._labels(self._likeliest(shares)),
            "probability": NumberColumn(shares.max(axis=1)),
        }
        return SFrame._of(columns)

    def predict_topk(self, dataset, output_type="probability", k=3, missing_value_action="auto"):
        """Return an SFrame `id, class, probability` (or margin or rank) of the k likeliest."""
        if output_type not in ("rank", "margin", "probability"):
            raise ToolkitError(
                f"{output_type} is not a valid option for output_type.  Expected one of: rank, "
                "margin, probability"
            )
        if not isinstance(k, (int, np.integer)):
            raise ToolkitError(
                "Type conversion failure in flexible_type converter: expected integer; got "
                f"{type_title(type(k))}"
            )
        if k <= 0:
            raise ToolkitError("The parameter 'k' must be positive.")
        if k > self.num_classes:
            raise ToolkitError(
                f"The training data contained {self.num_classes} classes. The parameter 'k' must "
                "be less than or equal to the number of classes in the training data."
            )
        dataset = self._as_frame(dataset) if isinstance(dataset, (list, dict)) else dataset
        margins = self._margins(dataset, missing_value_action)
        shares = _probabilities(margins)
        order = np.argsort(-shares, axis=1, kind="stable")[:, :k]
        if output_type == "rank":
            values = np.tile(np.arange(k), len(shares))
        else:
            scores = np.hstack([np.zeros((len(margins), 1)), margins])
            scores = scores if output_type == "margin" else shares
            values = np.take_along_axis(scores, order, axis=1).reshape(-1)
        columns = {
            "id": NumberColumn(np.repeat(np.arange(len(shares)), k)),
            "class": self._labels(order.reshape(-1)),
            output_type: NumberColumn(values),
        }
        return SFrame._of(columns)

    def evaluate(self, dataset, metric="auto", missing_value_action="auto", with_predictions=False):
        """Return a dictionary of figures on rows whose classes are known."""
        if metric not in ("auto", *_METRICS):
            raise ToolkitError(
                f"Evaluation metric '{metric}' not recognized. The supported evaluation metrics "
                f"are {('auto', *_METRICS)}."
            )
        if self.target not in dataset.column_names():
            raise ToolkitError(f"Column name {self.target} does not exist.")
        wanted = sorted(_METRICS) if metric == "auto" else (metric,)
        labels, targets = self._class_numbers(dataset[self.target])
        shares = self._probabilities(dataset, missing_value_action)
        found = {name: self._figure(name, labels, targets, shares) for name in wanted}
        if with_predictions and set(wanted) & {"auc", "log_loss", "roc_curve"}:
            columns = {"probs": VectorColumn.from_matrix(shares)}
            columns["class"] = self._labels(self._likeliest(shares))
            found["predictions"] = SFrame._of(columns)
        return found

    def _class_numbers(self, targets):
        """Return labels and the number of each row's; those unknown to the model come last."""
        numbers = {label: number for number, label in enumerate(self.classes)}
        found = [numbers.setdefault(label, len(numbers)) for label in targets.tolist()]
        return list(numbers), np.array(found, np.int64)

    def _figure(self, name, labels, targets, shares):
        """Return one figure, from class numbers (n,) and probabilities (n, c)."""
        if name == "log_loss":
            return _metrics.loss_of_many(targets, shares)
        if name in ("auc", "roc_curve"):
            found = _metrics.curves(targets, shares)
            found = found[1:] if self.num_classes == 2 else found
            if name == "auc":
                return sum(one.area() for one in found) / len(found)
            numbers = range(self.num_classes) if len(found) > 1 else None
            return _metrics.curve_frame(found, numbers)
        predicted = self._likeliest(shares)
        if name == "accuracy":
            return float((predicted == targets).mean())
        if name == "confusion_matrix":
            pairs = [[labels[number] for number in side] for side in (targets, predicted)]
            return _metrics.confusion(*pairs, type(self.classes[0]))
        found = _metrics.tallies(targets.tolist(), predicted.tolist())
        return _metrics.averaged(found, "macro", _SCORES[name])

    def _measure(self, which, dataset):
        """Keep the figures of the rows trained or validated on."""
        for name, value in self.evaluate(dataset).items():
            self._fields[f"{which}_{name}"] = value
        pairs = self._fields[f"{which}_confusion_matrix"]
        self._fields[f"{which}_report_by_class"] = _report_by_class(pairs)

    def _tell(self, loss, solution, started, dataset, validation):
        """Keep what the solver did: its steps, and where it stopped."""
        fields = self._fields
        fields["training_iterations"] = solution.steps
        fields["training_solver_status"] = solution.status
        fields["training_loss"] = solution.likelihood
        fields["training_time"] = time.perf_counter() - started
        fields["validation_data"] = SFrame()
        if validation is not None:
            fields["validation_data"] = validation[[*self.features, self.target]]
            fields["validation_loss"] = self.validation_log_loss * len(validation)
        fields["progress"] = self._progress(loss, solution, dataset, validation)

    def _progress(self, loss, solution, dataset, validation):
        """Return an SFrame of the solver's steps, as text, as Turi Create keeps it."""
        names = ["Iteration", "Passes", *solution.columns, "Elapsed Time"]
        cells = [[*row.numbers, f"{row.seconds:.6f}"] for row in solution.progress]
        steps = [loss.rescaled(row.point) for row in solution.progress]
        for name, rows in (("Training", dataset), ("Validation", validation)):
            if rows is not None:
                names.append(f"{name} Accuracy")
                X, known = self._matrix(rows), self._class_numbers(rows[self.target])
                for coefficients, row in zip(steps, cells):
                    shares = _probabilities(_margins(X, coefficients))
                    row.append(f"{self._figure('accuracy', *known, shares):.6f}")
        columns = zip(*cells) if cells else [[] for _ in names]
        return SFrame._of(
            {name: column_from_values(list(map(str, c)), str) for name, c in zip(names, columns)}
        )

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
        values = np.roll(self._coefficients, 1, axis=1)
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
        errors = None if self._errors is None else self._errors.tolist()
        frames = {
            name: {column: list(value[column]) for column in value.column_names()}
            for name, value in self._fields.items()
            if isinstance(value, SFrame) and name != "validation_data"
        }
        coefficients = self._coefficients.tolist()
        state = {"fields": fields, "frames": frames}
        return {**state, "coefficients": coefficients, "errors": errors}, None

    @classmethod
    def _from_state(cls, state, frame):
        fields = dict(state["fields"])
        for name in ("class_weights", "num_examples_per_class"):
            fields[name] = dict(zip(fields["classes"], fields[name]))
        for name, columns in state["frames"].items():
            fields[name] = SFrame({column: SArray(cells) for column, cells in columns.items()})
        fields["validation_data"] = SFrame()
        model = cls(fields, state["coefficients"], state["errors"])
        shape = (fields["num_classes"] - 1, sum(fields["widths"]) + 1)
        if any(a is not None and a.shape != shape for a in (model._coefficients, model._errors)):
            raise ValueError("the coefficients do not fit the features")
        return model


def _margins(X, coefficients):
    return X @ coefficients[:, :-1].T + coefficients[:, -1]


def _probabilities(margins):
    """Return the share of every class, (n, c), of which the first has the margin 0."""
    margins = np.hstack([np.zeros((len(margins), 1)), margins])
    shares = np.exp(margins - margins.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def _report_by_class(pairs):
    """Return the counts, precision and recall of each class from a confusion matrix."""
    rows = []
    triples = list(zip(pairs["target_label"], pairs["predicted_label"], pairs["count"]))
    for label in sorted({triple[0] for triple in triples} | {triple[1] for triple in triples}):
        actual = sum(count for target, _, count in triples if target == label)
        predicted = sum(count for _, found, count in triples if found == label)
        right = sum(count for target, found, count in triples if target == found == label)
        rows.append(
            {
                "actual_count": actual,
                "class": label,
                "missed_predicting_this": actual - right,
                "precision": right / predicted if predicted else None,
                "predicted_correctly": right,
                "predicted_this_incorrectly": predicted - right,
                "recall": right / actual if actual else None,
            }
        )
    kinds = {"class": pairs["target_label"].dtype, "precision": float, "recall": float}
    return SFrame._of(
        {
            name: column_from_values([row[name] for row in rows], kinds.get(name, int))
            for name in rows[0]
        }
    )
