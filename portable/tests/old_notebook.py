"""The image week of an old course, as its notebooks had it: what it prints is a contract.

    .venv/bin/python portable/tests/old_notebook.py --record

writes what the real edition prints to `old_notebook.txt`.
"""

import contextlib
import io
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORDED = HERE / "old_notebook.txt"
#: Turi Create says what it is about to draw; the portable edition prints no progress.
PROGRESS = ("Materializing ", "Warning: Skipping column", "Further warnings of unsupported")


def notebook(turicreate):
    """Run the cells."""
    image_train = turicreate.SFrame(str(ROOT / "image_train_data"))
    image_test = turicreate.SFrame(str(ROOT / "image_test_data"))
    image_train.show()
    image_train["label"].show()
    print(image_train)
    print(image_train["label"].summary())
    train, validation = image_train.random_split(0.8, seed=0)
    print(len(train), len(validation))
    print(train["id"][:5])
    classify(turicreate, train, image_test)
    search(turicreate, image_train)
    labels(turicreate, image_train, image_test)


def classify(turicreate, train, image_test):
    """Classify by pixels and by deep features."""
    few = train.sample(0.2, seed=1)
    for features in ("image_array", "deep_features"):
        model = turicreate.logistic_classifier.create(
            few, target="label", features=[features], validation_set=None, verbose=False
        )
        print(image_test[0:3]["label"], model.predict(image_test[0:3]))
        found = model.evaluate(image_test)
        print(round(found["accuracy"], 3))
        print(found["confusion_matrix"].sort(["target_label", "predicted_label"]))


def search(turicreate, image_train):
    """Find the neighbors of a cat and of an automobile."""
    model = turicreate.nearest_neighbors.create(
        image_train, features=["deep_features"], label="id", verbose=False
    )
    for row in (18, 8):
        near = model.query(image_train[row : row + 1], verbose=False)
        near["distance"] = near["distance"].apply(lambda distance: round(distance, 4))
        print(near)
        rows = image_train.filter_by(near["reference_label"], "id")
        print(rows[["id", "label"]])


def labels(turicreate, image_train, image_test):
    """Search among the images of each label, and tell dogs by the nearest of all."""
    models, means = {}, {}
    cats = image_test[image_test["label"] == "cat"]
    for label in ("dog", "cat", "automobile", "bird"):
        part = image_train[image_train["label"] == label]
        models[label] = turicreate.nearest_neighbors.create(
            part, features=["deep_features"], label="id", verbose=False
        )
        means[label] = models[label].query(cats[0:1], k=5, verbose=False)["distance"].mean()
    print({label: round(mean, 4) for label, mean in means.items()})
    dogs = image_test[image_test["label"] == "dog"]
    distances = turicreate.SFrame(
        {
            f"dog-{label}": model.query(dogs, k=1, verbose=False)["distance"]
            for label, model in models.items()
        }
    )
    print(distances.apply(lambda row: {name: round(row[name], 3) for name in sorted(row)})[:2])
    correct = distances.apply(lambda row: int(row["dog-dog"] == min(row.values())))
    print(correct.sum(), len(dogs), round(correct.sum() / len(dogs), 4))
    counts = image_train.groupby("label", {"n": turicreate.aggregate.COUNT()}).sort("label")
    print(counts)


def printed():
    """Return what the notebook prints with the edition that is installed."""
    import contract
    import turicreate

    contract.hush(turicreate)
    turicreate.visualization.set_target("none")
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            notebook(turicreate)
    finally:
        turicreate.visualization.set_target("auto")
    lines = output.getvalue().rstrip().split("\n")
    return "\n".join(line for line in lines if not line.startswith(PROGRESS)) + "\n"


if __name__ == "__main__":
    if "--record" in sys.argv[1:]:
        RECORDED.write_text(printed(), encoding="utf-8")
    else:
        print(printed(), end="")
