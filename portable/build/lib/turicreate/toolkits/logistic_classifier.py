"""`logistic_classifier`: logistic regression with two or more classes.

The steps are Turi Create's own (see `_solvers`), so that a model is the same though it stops,
as it does by default, after ten of them.
"""

import time

import numpy as np

from ..missing import lacks
from ..sframe import SFrame
from ._checks import feature_names, filling, matrix, need_columns, need_frame, unpacked_names
from ._logistic_loss import LogisticLoss
from ._logistic_model import LogisticClassifier
from ._main import ToolkitError
from ._solvers import lbfgs, newton

_SOLVERS = ("auto", "newton", "lbfgs", "gd", "fista")
_NEWTON_COEFFICIENTS = 500
_MOST_NEWTON_COEFFICIENTS = 10_000
_MOST = 2147483647
_RANGES = {
    "convergence_threshold": (1e-10, 1e20),
    "l1_penalty": (0, 1e20),
    "l2_penalty": (0, 1e20),
    "lbfgs_memory_level": (1, _MOST),
    "max_iterations": (1, _MOST),
    "step_size": (1e-10, 1e20),
}
_FEW_ROWS = 100
_UNUSED_FIELDS = {"simple_mode": 0, "disable_posttrain_evaluation": 0}


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
        'auto' leaves out a random 5 % of 100 rows or more, None trains on all rows.
    seed : int, optional
        Chooses the rows that 'auto' leaves out, the real edition's.
    solver : {'auto', 'newton', 'lbfgs'}
        'auto' takes Newton's method for up to 500 coefficients, else L-BFGS.
    convergence_threshold : float
        The largest component of the loss's gradient at which to stop before `max_iterations`.
    lbfgs_memory_level : int
        Number of earlier steps that L-BFGS estimates the curvature from.
    step_size, verbose
        Without effect with these solvers; no progress is printed.
    """
    started = time.perf_counter()
    need_frame(dataset)
    options = {
        "l2_penalty": l2_penalty,
        "l1_penalty": l1_penalty,
        "solver": solver,
        "feature_rescaling": int(feature_rescaling),
        "convergence_threshold": convergence_threshold,
        "step_size": step_size,
        "lbfgs_memory_level": lbfgs_memory_level,
        "max_iterations": max_iterations,
    }
    _check_options(options, class_weights)
    need_columns(dataset, [target])
    if dataset[target].dtype not in (int, str):
        raise ToolkitError(f"Column type of target '{target}' must be int or str.")
    names = feature_names(dataset, features, [target])
    chosen = [target] if features is None else [*features, target]
    for name in chosen:
        if chosen.count(name) > 1:
            raise ValueError(f"There are duplicate keys in key list: {name!r}")
    need_columns(dataset, names)
    dataset, validation = _split(dataset, validation_set, seed)
    classes = sorted(set(dataset[target].dropna()))
    if len(classes) < 2:
        raise ToolkitError(
            "One-class classification is not currently supported. Please check your target column."
        )
    if dataset[target].countna():
        raise ToolkitError(
            "Target column has missing value.                    Please use dropna() to drop "
            "rows with missing target values."
        )
    X = np.hstack([matrix(dataset, name) for name in names])
    y = np.array([classes.index(label) for label in dataset[target].tolist()])
    facts = _facts(dataset, names, y, classes)
    options["solver"] = _solver(solver, facts["num_coefficients"])
    loss = LogisticLoss(X, y, len(classes), l2_penalty, feature_rescaling)
    solution = _solve(loss, options)
    fields = {"target": target, "features": names, **options, **facts, **_UNUSED_FIELDS}
    model = LogisticClassifier(fields, loss.rescaled(solution.point), loss.errors(solution.hessian))
    model._measure("training", dataset)
    if validation is not None:
        model._measure("validation", validation)
    model._tell(loss, solution, started, dataset, validation)
    return model


def _solver(name, coefficients):
    if name == "auto":
        return "newton" if coefficients <= _NEWTON_COEFFICIENTS else "lbfgs"
    if name == "newton" and coefficients > _MOST_NEWTON_COEFFICIENTS:
        raise ToolkitError(
            "Number of coefficients is too large for Newton method. "
            "Try using the option solver='lbfgs'."
        )
    return name


def _solve(loss, options):
    threshold, steps = options["convergence_threshold"], options["max_iterations"]
    # As in Turi Create, whatever overflows ends the steps and is told by the status.
    with np.errstate(all="ignore"):
        if options["solver"] == "newton":
            return newton(loss, threshold, steps)
        return lbfgs(loss, threshold, steps, options["lbfgs_memory_level"])


def _facts(dataset, names, y, classes):
    """Return the fields of a model that say what it was trained on."""
    unpacked = unpacked_names(dataset, names)
    return {
        "classes": classes,
        "class_weights": dict.fromkeys(classes, 1.0),
        "num_classes": len(classes),
        "num_coefficients": (len(unpacked) + 1) * (len(classes) - 1),
        "num_examples": len(y),
        "num_examples_per_class": {
            c: int(n) for c, n in zip(classes, np.bincount(y.astype(np.intp)))
        },
        "num_features": len(names),
        "num_unpacked_features": len(unpacked),
        "unpacked_features": unpacked,
        "means": [filling(dataset, name)["mean"].tolist() for name in names],
        "widths": [matrix(dataset[:1], name).shape[1] for name in names],
    }


def _check_options(options, class_weights):
    if options["feature_rescaling"] not in (0, 1):
        raise ToolkitError(
            "Expected boolean value for option 'feature_rescaling'. Cannot interpret "
            f"{options['feature_rescaling']} as True or False."
        )
    for name, (least, most) in _RANGES.items():
        if not least <= options[name] <= most:
            raise ToolkitError(f"Option '{name}' must be in the range [{least:.10g}, {most:.10g}].")
    solver = options["solver"]
    if solver not in _SOLVERS:
        raise ToolkitError(
            "Option 'solver' must be one of ('auto', 'newton', 'lbfgs', 'gd', or 'fista')."
        )
    if solver == "gd":
        raise ToolkitError(
            "Solver gd is not supported.\nSupported solvers are (auto, newton, lbfgs, fista)"
        )
    if options["l1_penalty"]:
        raise lacks("logistic_classifier.create(l1_penalty=...)", "use l2_penalty")
    if solver == "fista":
        raise lacks("logistic_classifier.create(solver='fista')", "use 'auto'")
    if class_weights is not None:
        raise lacks("logistic_classifier.create(class_weights=...)")


def _split(dataset, validation_set, seed):
    """Return the rows to train on and those to validate on, or None."""
    if validation_set is None:
        return dataset, None
    if isinstance(validation_set, SFrame):
        return dataset, validation_set if len(validation_set) else None
    if validation_set != "auto":
        raise TypeError(
            "Unrecognized value for validation_set."
            if isinstance(validation_set, str)
            else "validation_set must be either 'auto', None, or an SFrame matching the training "
            "data."
        )
    if len(dataset) < _FEW_ROWS:
        return dataset, None
    return dataset.random_split(0.95, seed=seed, exact=True)


__all__ = ["LogisticClassifier", "create"]
