"""The command `evaluate`: its tables, its JSON and its errors of one line."""

import json

import numpy as np
import pytest
from cifar10_archives import make_archive

from image_retrieval import datasets, evaluate, intervals
from image_retrieval.cli import main
from image_retrieval.features import extract
from image_retrieval.postprocess import default_recipe

LABELS = ["bird", "cat", "dog"]


def make_rows(n, random, side=8):
    y = random.integers(0, 3, n)
    X = random.normal(size=(n, 6)).clip(0) + np.eye(3, 6)[y] * 1.5
    images = random.integers(0, 200, (n, side, side, 3)).astype(np.uint8)
    images[:, 0] += (y * 20).astype(np.uint8)[:, None, None]
    return images, X.astype(np.float32), [LABELS[i] for i in y]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A small data set in a folder, and what it holds."""
    pytest.importorskip("turicreate")
    from image_retrieval.sframes import image_sframe, write_sframes

    random = np.random.default_rng(0)
    train, test = make_rows(60, random), make_rows(20, random)
    folder = tmp_path_factory.mktemp("data") / "small"
    tables = [
        image_sframe(range(len(labels)), images, labels, deep_features=X)
        for images, X, labels in (train, test)
    ]
    write_sframes(folder, image_train_data=tables[0], image_test_data=tables[1])
    return folder, train, test


def run(capsys, *arguments):
    code = main(["evaluate", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_json_holds_the_measures_of_the_columns(data, capsys):
    folder, (_, X, y), (_, queries, labels) = data
    code, out, _ = run(capsys, "--data", folder, "--json", "--k", 1, 3)
    report = json.loads(out)
    ranking = evaluate.rank_features(X, y, queries, labels)
    assert code == 0
    assert (report["data"], report["queries"], report["references"]) == ("small", 20, 60)
    assert [row["k"] for row in report["overall"]] == [1, 3, "all"]
    assert report["overall"][1]["precision"] == evaluate.precision_at_k(ranking, 3).mean()
    assert report["overall"][2]["mAP"] == evaluate.average_precision(ranking).mean()
    alone = datasets.origins({"id": range(20)})
    errors = [intervals.of_mean(evaluate.precision_at_k(ranking, k), alone).error for k in (1, 3)]
    assert [row["± precision"] for row in report["overall"]] == [*errors, None]
    assert report["by_label_k"] == 3
    assert [row["label"] for row in report["by_label"]] == LABELS
    assert sum(row[label] for row in report["confusion"] for label in LABELS) == 20


def test_text_shows_the_same_figures(data, capsys):
    folder = data[0]
    report = json.loads(run(capsys, "--data", folder, "--json")[1])
    code, text, _ = run(capsys, "--data", folder)
    assert code == 0
    assert "60 training and 20 test images" in text
    for row in report["overall"] + report["by_label"]:
        assert f"{row['mAP']:.3f}" in text
    cats = report["confusion"][1]
    assert ["cat"] + [str(cats[label]) for label in LABELS] in [
        line.split() for line in text.splitlines()
    ]


def test_pixels_and_the_recipe_are_ranked_by_what_they_say(data, capsys):
    folder, (images, X, y), (test_images, queries, labels) = data
    pixels = [extract(part, "pixels") for part in (images, test_images)]
    recipe = default_recipe().fit(X)
    expected = {
        ("--features", "pixels"): pixels,
        ("--recipe",): [recipe.transform(X), recipe.transform(queries)],
    }
    for options, (train, test) in expected.items():
        report = json.loads(run(capsys, "--data", folder, "--json", *options)[1])
        ranking = evaluate.rank_features(train, y, test, labels)
        assert report["overall"][-1]["mAP"] == evaluate.average_precision(ranking).mean()


def test_a_label_without_references_is_null_in_json(tmp_path, capsys):
    pytest.importorskip("turicreate")
    from image_retrieval.sframes import image_sframe, write_sframes

    images, X, _ = make_rows(3, np.random.default_rng(0))
    train = image_sframe(range(3), images, ["cat"] * 3, deep_features=X)
    test = image_sframe(range(3), images, ["cat", "cat", "horse"], deep_features=X)
    write_sframes(tmp_path / "d", image_train_data=train, image_test_data=test)
    code, out, _ = run(capsys, "--data", tmp_path / "d", "--json", "--k", 2)
    horse = json.loads(out)["by_label"][1]
    assert code == 0
    assert (horse["label"], horse["recall"], horse["precision"]) == ("horse", None, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--features", "colour"], "no column 'colour'"),
        (["--k", 0], "from 1 to 60, the ranks known, got 0"),
        (["--k", 61], "got 61"),
    ],
)
def test_errors_are_one_line_and_code_2(data, capsys, options, message):
    code, out, err = run(capsys, "--data", data[0], *options)
    assert (code, out) == (2, "")
    assert message in err and err.count("\n") == 1


def test_a_recipe_is_not_put_on_features_that_have_one(tmp_path, capsys):
    archive, output = make_archive(tmp_path / "a.tar.gz"), tmp_path / "out"
    rows = ["--train", "40", "--test", "20", "--backbone", "pixels", "--recipe"]
    assert main(["cifar10", "--archive", str(archive), "--output", str(output), *rows]) == 0
    capsys.readouterr()
    assert run(capsys, "--data", output)[0] == 0
    code, _, err = run(capsys, "--data", output, "--recipe")
    assert (code, err) == (2, "error: deep_features has a recipe already; leave out --recipe\n")


def test_missing_data_is_one_line_and_code_2(tmp_path, capsys):
    code, out, err = run(capsys, "--data", tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert "nowhere" in err and err.count("\n") == 1


def test_pixels_of_real_images_stay_below_their_recipe(shared_data, tmp_path, capsys):
    """The course's central claim, on real CIFAR-10 pictures."""
    pytest.importorskip("turicreate")
    archive = shared_data / "cifar-10-binary-subset.tar.gz"
    folder = tmp_path / "real"
    built = ["--archive", str(archive), "--output", str(folder), "--train", "400", "--test", "80"]
    assert main(["cifar10", *built]) == 0
    capsys.readouterr()
    precision = [
        json.loads(run(capsys, "--data", folder, "--json", *options)[1])["overall"][1]["precision"]
        for options in (["--features", "pixels"], [], ["--recipe"])
    ]
    assert precision[0] < 0.45 < 0.6 < precision[1]
    assert precision[2] > precision[1]
