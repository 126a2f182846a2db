"""Calls that both editions must answer alike: the names they use, and answers as plain data."""

import array
import datetime
import re
from pathlib import Path

import numpy as np
import texts
from frames import raw_image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORDED = HERE / "contract.json"


def hush(turicreate):
    """Keep Turi Create's progress tables, which it prints without being asked, out of the way."""
    if hasattr(turicreate, "_connect"):
        turicreate._connect.main.get_server().print_callback = lambda message: None


def calls():
    """Return the expressions of the files in `calls`, in their order."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "calls").glob("*.txt"))]
    lines = [line for text in texts for line in text.split("\n")]
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def names():
    """Return what the expressions may use, with the installed edition as `turicreate`."""
    import turicreate

    SArray, SFrame = turicreate.SArray, turicreate.SFrame
    sample = SFrame(str(ROOT / "image_train_data"))
    return {
        **basics(turicreate),
        **columns(SArray, SFrame),
        **tables(turicreate),
        **models(turicreate),
        "sample": sample,
        "search": turicreate.nearest_neighbors.create(
            sample, features=["deep_features"], label="id", verbose=False
        ),
    }


def basics(turicreate):
    """Return modules and short names."""
    import pandas

    return {
        "turicreate": turicreate,
        "tc": turicreate,
        "agg": turicreate.aggregate,
        "pd": pandas,
        "SArray": turicreate.SArray,
        "SFrame": turicreate.SFrame,
        "aggregate": turicreate.aggregate,
        "np": np,
        "nan": float("nan"),
        "array": array,
        "datetime": datetime,
        "re": re,
        "text": texts.text,
        "written": texts.written,
        "in_order": in_order,
    }


def in_order(sframe, name):
    """Return types and rows, with the lists of a column sorted.

    Turi Create's cores race for the order of what `DISTINCT` lists.
    """
    rows = [{**row, name: row[name] and sorted(row[name], key=str)} for row in sframe]
    return [sframe.column_types(), rows]


def columns(SArray, SFrame):
    """Return small columns of every kind."""
    nan = float("nan")
    return {
        "whole": SArray([1, 2, None, 4]),
        "floats": SArray([1.5, nan, 3, None]),
        "words": SArray(["a", "b", None, "a"]),
        "vectors": SArray([[1, 2], [3, 4], None, [5, 6]]),
        "pairs": SArray([[1.0, 2], [3, 4], [0, 1], [5, 6]]),
        "numbers": SArray([3, -7, 0, 5]),
        "lists": SArray([["a", 1], [], None, ["b"]]),
        "dicts": SArray([{"a": 1}, {}, None, {"b": 2.5}]),
        "frame": SFrame(
            {
                "k": ["x", "y", "x", "y"],
                "n": [1, 2, None, 4],
                "v": [[1.0, 2], [3, 4], [5, 6], [7, 8]],
            }
        ),
        "words_frame": SFrame(
            {
                "s": ["abc", "abd", "xyz"],
                "d": [{"a": 1, "b": 2}, {"b": 3}, {}],
                "l": [["a", "b"], ["b"], ["c", "c"]],
                "n": [1, 2, 6],
                "v": [[1.0, 2], [3, 4], [5, 9]],
            }
        ),
        "targets": SArray(["a", "b", "a", "c", "b", "a", "c"]),
        "predictions": SArray(["a", "a", "a", "c", "b", "b", "b"]),
    }


def tables(turicreate):
    """Return tables of the shapes that the course's have, from a fixed seed."""
    SFrame, rng = turicreate.SFrame, np.random.RandomState(0)
    count = 60
    vectors = rng.rand(count, 16)
    pixels = rng.randint(0, 256, (count, 4, 5, 3)).astype("uint8")
    third = np.argmax(vectors[:, :3] + 0.5 * rng.rand(count, 3), axis=1)
    name = vectors[:, 0] + 0.3 * rng.rand(count) > 0.6
    long_table = {
        "id": list(range(count)),
        "label": ["cat", "a very long label that goes beyond thirty characters", None] * 20,
        "deep_features": [array.array("d", row.tobytes()) for row in rng.rand(count, 100)],
        "a_name_of_a_column_that_is_longer_than_thirty": rng.rand(count).tolist(),
        "list": [[1, "a", None], [], None] * 20,
        "when": [datetime.datetime(2020, 1, 2, 3, 4, 5, 678)] * count,
    }
    return {
        "points": SFrame(
            {
                "id": [10 * row for row in range(count)],
                "f": [row.tolist() for row in vectors],
                "x": rng.rand(count).tolist(),
                "name": ["dog" if one else "cat" for one in name],
                "third": ["abc"[number] for number in third],
            }
        ),
        "twins": SFrame(
            {"f": [[0.0], [1.0], [1.0], [0.0], [1.0], [0.0]], "id": [5, 4, 3, 2, 1, 0]}
        ),
        "images": SFrame({"id": [1, 2], "image": [raw_image(turicreate, p) for p in pixels[:2]]}),
        "long_table": SFrame(long_table),
        "wide_table": SFrame({f"c{number:02}": [1, 2] for number in range(45)}),
    }


def models(turicreate):
    """Return short names for making models."""

    def nearest(data, **options):
        return turicreate.nearest_neighbors.create(data, verbose=False, **options)

    def classifier(data, target, features):
        return turicreate.nearest_neighbor_classifier.create(
            data, target=target, features=features, verbose=False
        )

    fitted = {}

    def logistic(data, target, features, validation_set=None, **options):
        # Several calls ask the same model, which takes seconds to fit, for something else.
        kept = id(data), id(validation_set), repr((target, features, options))
        if kept not in fitted:
            model = turicreate.logistic_classifier.create(
                data,
                target=target,
                features=features,
                validation_set=validation_set,
                verbose=False,
                **options,
            )
            fitted[kept] = data, validation_set, model  # all, lest another be given their ids
        return fitted[kept][-1]

    def converged(data, target, features, **options):
        options = {"convergence_threshold": 1e-9, "max_iterations": 100, **options}
        return logistic(data, target, features, **options)

    return {
        "nearest": nearest,
        "classifier": classifier,
        "logistic": logistic,
        "converged": converged,
    }


def answer(expression, known):
    """Return what an expression gives, or the error it raises, as JSON can hold it."""
    try:
        return plain(eval(expression, dict(known)))
    except Exception as error:
        message = texts.hidden(str(error).strip()).replace(str(ROOT), "")
        return {"error": [kind.__name__ for kind in type(error).__mro__], "message": message}


def plain(value):
    """Return a value with everything inside of it as JSON can hold it."""
    if hasattr(value, "column_names"):
        kinds = [kind.__name__ for kind in value.column_types()]
        names = value.column_names()
        return {"sframe": [[n, k, plain(list(value[n]))] for n, k in zip(names, kinds)]}
    if hasattr(value, "is_materialized"):
        return {"sarray": value.dtype.__name__, "values": plain(list(value))}
    if isinstance(value, np.ndarray):
        return {"ndarray": str(value.dtype.kind), "values": plain(value.tolist())}
    if isinstance(value, array.array):
        return {"array": plain(value.tolist())}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {"dict": [[plain(key), plain(item)] for key, item in value.items()]}
    if isinstance(value, (np.generic, bool)):
        return plain(value.item()) if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, type):
        return {"type": value.__name__}
    if isinstance(value, datetime.datetime):
        return {"datetime": value.isoformat()}
    return value if value is None or isinstance(value, (int, str)) else {"text": str(value)}


def same(one, other, tolerance=1e-12):
    """Tell whether two answers are equal, numbers but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other):
        if set(one) == {"float"}:
            return _same_float(float(one["float"]), float(other["float"]), tolerance)
        if "error" in one:
            return _same_error(one, other)
        return all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and type(one) is type(other)


def _same_float(one, other, tolerance):
    return (
        one == other
        or one != one
        and other != other
        or (abs(one - other) <= tolerance * max(1.0, abs(one), abs(other)))
    )


def _same_error(one, other):
    """Compare errors: the recorded class must be among the bases of the one raised now."""
    return one["error"][0] in other["error"] and one["message"] == other["message"]
