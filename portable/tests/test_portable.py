"""What only the portable edition does: refusing, naming gaps, saving models, showing tables."""

import doctest
import importlib
import json
import pkgutil
import subprocess
import sys

import numpy as np
import public_names
import pytest
from edition import ROOT, portable_only
from frames import raw_image

pytestmark = portable_only


@pytest.fixture
def tc():
    import turicreate

    return turicreate


def test_both_editions_together_are_refused(tmp_path):
    info = tmp_path / "turicreate-6.4.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: turicreate\nVersion: 6.4.1\n")
    folders = [str(tmp_path), str(ROOT / "portable")]
    script = f"import sys; sys.path[:0] = {folders!r}; import turicreate"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 1
    last = result.stderr.strip().split("\n")[-1]
    assert last.startswith("ImportError: turicreate 6.4.1 and its portable edition are both")
    assert "pip uninstall turicreate-portable" in last


def test_the_version_says_which_edition_it_is(tc):
    assert tc.__version__ == "6.4.1+portable"


def lacking(call):
    from turicreate import NotInPortableEdition

    with pytest.raises(NotInPortableEdition) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert "portable edition" in message
    assert "the real one" in message
    return message


def test_a_missing_part_is_named_and_points_at_the_real_one(tc):
    sframe = tc.SFrame({"a": [1, 2], "v": [[1.0], [2.0]]})
    calls = {
        "turicreate.image_similarity": lambda: tc.image_similarity,
        "turicreate.recommender is not": lambda: tc.recommender,
        "SFrame.from_sql": lambda: tc.SFrame.from_sql,
        "SFrame.to_sql": lambda: sframe.to_sql,
        "lsh": lambda: tc.nearest_neighbors.create(sframe, features=["v"], method="lsh"),
        "similarity_graph": lambda: tc.nearest_neighbors.create(
            sframe, features=["v"]
        ).similarity_graph(),
        "get_deep_features": lambda: tc.image_analysis.get_deep_features(sframe["a"], "x"),
        "l1_penalty": lambda: tc.logistic_classifier.create(sframe, "a", l1_penalty=1.0),
        "https": lambda: tc.SFrame("https://example.org/x"),
    }
    for word, call in calls.items():
        assert word in lacking(call)


@pytest.mark.parametrize("place", public_names.PLACES)
def test_every_public_name_of_the_real_edition_is_here_or_refused_by_name(tc, place):
    recorded = json.loads((ROOT / "portable/tests/public_names.json").read_text("utf-8"))
    owner = public_names.place(tc, place)
    assert len(recorded[place]) > 1
    for name in recorded[place]:
        try:
            getattr(owner, name)
        except tc.NotInPortableEdition as error:
            assert name in str(error)


def test_every_refusal_points_at_a_heading_that_exists(tc):
    from turicreate.missing import SECTION

    readme = (ROOT / "portable" / "README.md").read_text("utf-8")
    assert f"\n## {SECTION}\n" in readme
    assert SECTION in lacking(lambda: tc.recommender)


def test_a_typing_error_is_no_gap(tc):
    for call in (lambda: tc.imag, lambda: tc.SFrame().hed, lambda: tc.SArray().sume):
        with pytest.raises(AttributeError) as caught:
            call()
        assert type(caught.value) is AttributeError
    assert not hasattr(tc, "recommender")


def test_unseeded_random_rows(tc):
    sframe = tc.SFrame({"a": list(range(1000))})
    one, other = sframe.random_split(0.8)
    assert sorted([*one["a"], *other["a"]]) == list(range(1000))
    assert 700 < len(one) < 900
    assert len(sframe.sample(0.25, exact=True)) == 250
    assert list(one["a"]) != list(sframe.random_split(0.8)[0]["a"])
    assert sorted(sframe.shuffle()["a"]) == list(range(1000))


@pytest.fixture
def points(tc):
    rng = np.random.RandomState(0)
    vectors = rng.rand(300, 20)
    return tc.SFrame(
        {
            "id": [7 * row for row in range(300)],
            "v": [row.tolist() for row in vectors],
            "label": ["abc"[number] for number in vectors[:, :3].argmax(axis=1)],
            "two": (vectors[:, 0] > 0.5).astype(int).tolist(),
        }
    )


def test_search_agrees_with_sorting_all_distances(tc, points):
    X = points["v"].to_numpy()
    functions = {
        "euclidean": lambda q: np.sqrt(((X - q) ** 2).sum(axis=1)),
        "squared_euclidean": lambda q: ((X - q) ** 2).sum(axis=1),
        "manhattan": lambda q: np.abs(X - q).sum(axis=1),
        "cosine": lambda q: 1 - X @ q / np.linalg.norm(X, axis=1) / np.linalg.norm(q),
        "transformed_dot_product": lambda q: np.log1p(np.exp(-X @ q)),
    }
    for name, function in functions.items():
        model = tc.nearest_neighbors.create(points, features=["v"], distance=name, verbose=False)
        found = model.query(points[:20], k=7, verbose=False)
        for query in range(20):
            rows = found[found["query_label"] == query]
            distances = function(X[query])
            order = np.argsort(distances, kind="stable")[:7]
            assert list(rows["reference_label"]) == order.tolist(), name
            assert np.allclose(list(rows["distance"]), distances[order], atol=1e-7)


def test_a_query_finds_itself_at_distance_zero(tc, points):
    model = tc.nearest_neighbors.create(points, features=["v"], label="id", verbose=False)
    found = model.query(points, label="id", k=1, verbose=False)
    assert list(found["reference_label"]) == list(points["id"])
    assert set(found["distance"]) == {0.0}


def test_models_survive_saving(tc, points, tmp_path):
    models = {
        "neighbors": tc.nearest_neighbors.create(points, features=["v"], label="id"),
        "voting": tc.nearest_neighbor_classifier.create(points, "label", ["v"]),
        "logistic": tc.logistic_classifier.create(points, "label", ["v"], validation_set=None),
        "binary": tc.logistic_classifier.create(points, "two", ["v"], validation_set=None),
    }
    for name, model in models.items():
        model.save(str(tmp_path / name))
        again = tc.load_model(str(tmp_path / name))
        assert type(again) is type(model)
        assert repr(again) == repr(model)
        method = "query" if name == "neighbors" else "classify"
        one, other = (getattr(which, method)(points[:30]) for which in (model, again))
        assert list(one) == list(other)


def test_a_damaged_model_is_one_line(tc, points, tmp_path):
    folder = tmp_path / "model"
    tc.logistic_classifier.create(points, "label", ["v"], validation_set=None).save(str(folder))
    text = (folder / "model.json").read_text()
    damaged = [
        "",
        "[]",
        "{}",
        text[:-40],
        text.replace("Logistic", "Magic"),
        text.replace("0.", "x"),
    ]
    damaged.append(text.replace('"num_classes": 3', '"num_classes": 4'))
    for broken in damaged:
        (folder / "model.json").write_text(broken)
        with pytest.raises(OSError, match="damaged model") as caught:
            tc.load_model(str(folder))
        assert "\n" not in str(caught.value)
    with pytest.raises(OSError, match="no saved model"):
        tc.load_model(str(tmp_path / "none"))


@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_logistic_loss_is_at_its_minimum(tc, points, solver):
    """The gradient of Turi Create's loss vanishes at the coefficients found."""
    model = tc.logistic_classifier.create(
        points,
        "label",
        ["v"],
        l2_penalty=0.5,
        solver=solver,
        max_iterations=200,
        convergence_threshold=1e-6,
        validation_set=None,
    )
    assert model.training_solver_status == "SUCCESS: Optimal solution found."
    X = points["v"].to_numpy()
    scales = X.mean(axis=0) ** 2 + X.var(axis=0, ddof=1)
    y = np.array([["a", "b", "c"].index(label) for label in points["label"]])
    errors = model.predict(points, output_type="probability_vector").to_numpy() - np.eye(3)[y]
    gradient = errors[:, 1:].T @ X + 2 * 0.5 * model._coefficients[:, :-1] * scales
    assert np.abs(gradient).max() < 1e-3
    assert np.abs(errors[:, 1:].sum(axis=0)).max() < 1e-3


def test_a_logistic_loss_that_overflows_is_told_by_the_status(tc):
    # Without rescaling, features this large overflow at the first step.
    huge = tc.SFrame({"v": [[1e200, 1.0], [-1e200, 2.0], [1e200, 3.0]] * 4, "y": [0, 1, 2] * 4})
    model = tc.logistic_classifier.create(
        huge, "y", ["v"], feature_rescaling=False, solver="lbfgs", validation_set=None
    )
    assert model.training_solver_status.startswith("TERMINATED")


@pytest.mark.parametrize("first_step", [1e-4, 0.3, 1.0, 20.0])
@pytest.mark.parametrize("name", ["parabola", "quartic", "valley", "wave", "far"])
def test_line_search_finds_a_lower_and_flatter_point(tc, name, first_step):
    from turicreate.toolkits._line_search import line_search

    functions = {
        "parabola": lambda x: ((x - 1) ** 2, 2 * (x - 1)),
        "quartic": lambda x: ((x - 2) ** 4, 4 * (x - 2) ** 3),
        "valley": lambda x: (np.log(np.cosh(5 * (x - 3))), 5 * np.tanh(5 * (x - 3))),
        "wave": lambda x: (-np.sin(x) - 0.1 * x, -np.cos(x) - 0.1),
        "far": lambda x: ((x - 22) ** 2, 2 * (x - 22)),
    }
    function = functions[name]
    value, slope = function(0.0)
    found = line_search(function, first_step, value, slope)
    assert found.succeeded
    assert 1 <= found.evaluations <= 20
    lower, flatter = function(found.step)
    assert lower <= value + 1e-4 * found.step * slope
    assert found.step >= 25 or abs(flatter) <= 0.7 * abs(slope)


def test_line_search_gives_up_where_the_function_only_rises(tc):
    from turicreate.toolkits._line_search import line_search

    assert not line_search(lambda x: (x, 1.0), 1.0, 0.0, 1.0).succeeded
    assert not line_search(lambda x: (x, 1.0), 0.0, 0.0, -1.0).succeeded


def test_cubic_minimum_lies_where_the_slopes_meet(tc):
    from turicreate.toolkits._line_search import cubic_minimum

    # (x - 0.3)^2 between 0 and 2
    assert cubic_minimum(2.0, (0.09, 2.89), (-0.6, 3.4)) == pytest.approx(0.3, abs=1e-5)


def test_lazy_tables_print_as_in_turi_create(tc):
    sframe = tc.SFrame({"a": list(range(20))})
    part = sframe[sframe["a"] > 3]
    assert "Rows: Unknown" in repr(part)
    assert "[? rows x 1 columns]" in str(part)
    assert repr(part["a"]).split("\n")[1] == "Rows: ?"
    assert len(part) == 16
    assert "[16 rows x 1 columns]" in str(part)


def test_explore_outside_of_a_notebook_prints_rows(tc, capsys):
    tc.SFrame({"a": list(range(30))}).explore()
    printed = capsys.readouterr().out
    assert "| 29 |" in printed
    assert "[30 rows x 1 columns]" in printed


def test_show_prints_a_summary_outside_of_a_notebook(tc, capsys):
    sframe = tc.SFrame({"a": [1, 2, None, 7.5], "b": ["x", "<y>", "x", None]})
    sframe.show()
    printed = capsys.readouterr().out
    assert "a: type float, rows 4, missing 1, unique 3, mean 3.5" in printed
    assert "|   x   |   2   |" in printed
    tc.show(sframe["a"], sframe["b"])
    assert "|   x   |  1   |  1  |" in capsys.readouterr().out
    page = sframe.plot()._repr_html_()
    assert "&lt;y&gt;" in page
    assert "<y>" not in page
    assert "<circle" in tc.plot(sframe["a"], sframe["a"])._repr_html_()


def test_show_refuses_what_the_real_one_refuses(tc):
    picture = tc.SArray([raw_image(tc, np.zeros((2, 3, 3), np.uint8))])
    for call, message in (
        (picture.show, "not currently|currently not available for SArrays of type image"),
        (tc.SArray([{"a": 1}]).show, "SArrays of type dictionary"),
        (tc.SFrame().show, "SFrame is empty"),
    ):
        with pytest.raises(RuntimeError, match=message):
            call()


def test_explore_in_a_notebook_shows_pictures(tc):
    from turicreate import display

    image = raw_image(tc, np.zeros((2, 3, 3), np.uint8))
    page = display._table(["", "image", "<b>"], [[image, "x & y"]], "T")
    assert 'src="data:image/png;base64,' in page
    assert 'alt="Height: 2 Width: 3"' in page
    assert "&lt;b&gt;" in page
    assert "x &amp; y" in page


def test_explore_writes_floats_as_turi_create_does(tc):
    from turicreate import display

    values = [0.0, 15.732333018131587, 17.20116013154016]
    texts = [display._texts(tc.SArray(each)._column) for each in (values, [1, 2], [0.5, None])]
    assert texts == [["0.000000", "15.732333", "17.201160"], [1, 2], ["0.5", "NaN"]]


def test_arithmetic_refuses_columns_of_other_lengths(tc):
    with pytest.raises(RuntimeError, match="mismatch"):
        tc.SArray([1, 2]) + tc.SArray([1])


def test_a_distance_that_reads_past_a_vector_is_refused(tc):
    # Turi Create's answer to these differs from call to call.
    for name in ("euclidean", "cosine", "manhattan", "gaussian_kernel", "transformed_dot_product"):
        with pytest.raises(RuntimeError, match="have 1 and 5 numbers; give two of one length"):
            getattr(tc.distances, name)([1], [3, 4, 5, 6, 7])


def test_integers_beyond_64_bits_are_refused(tc):
    for values in ([2**63], [-(2**63) - 1]):
        with pytest.raises(OverflowError):
            tc.SArray(values)


def test_pandas_tables_go_in_and_out(tc):
    import pandas

    frame = pandas.DataFrame({"b": [1, 2], "a": ["x", None], "c": [0.5, float("nan")]})
    sframe = tc.SFrame(frame)
    assert sframe.column_names() == ["b", "a", "c"]
    assert list(sframe["a"]) == ["x", None]
    assert sframe.to_dataframe()["b"].tolist() == [1, 2]


def test_pictures_of_all_kinds(tc, tmp_path):
    import PIL.Image

    pixels = np.random.RandomState(0).randint(0, 256, (4, 5, 4)).astype("uint8")
    gray16 = (pixels[:, :, 0].astype("uint16")) << 8
    files = {
        "rgb.png": (PIL.Image.fromarray(pixels[:, :, :3]), 3),
        "rgba.png": (PIL.Image.fromarray(pixels), 4),
        "gray.png": (PIL.Image.fromarray(pixels[:, :, 0]), 1),
        "palette.png": (PIL.Image.fromarray(pixels[:, :, :3]).convert("P"), 3),
        "deep.png": (PIL.Image.fromarray(gray16), 1),
        "rgb.jpg": (PIL.Image.fromarray(pixels[:, :, :3]), 3),
    }
    for name, (picture, channels) in files.items():
        picture.save(tmp_path / name)
        image = tc.Image(str(tmp_path / name))
        assert (image.height, image.width, image.channels) == (4, 5, channels), name
        assert image.pixel_data.shape == ((4, 5, channels) if channels > 1 else (4, 5))
    assert (tc.Image(str(tmp_path / "rgba.png")).pixel_data == pixels).all()
    assert (tc.Image(str(tmp_path / "deep.png")).pixel_data == pixels[:, :, 0]).all()
    sframe = tc.image_analysis.load_images(str(tmp_path))
    assert [path.rsplit("/", 1)[-1] for path in sframe["path"]] == sorted(files)


@pytest.mark.parametrize("name", ["cmyk.jpg", "text.png", "none.png", "picture.gif"])
def test_pictures_that_cannot_be_read(tc, tmp_path, name):
    import PIL.Image
    from turicreate.toolkits._main import ToolkitError

    if name == "text.png":
        (tmp_path / name).write_text("no picture")
    elif name != "none.png":
        PIL.Image.new("CMYK" if "cmyk" in name else "P", (3, 3)).save(tmp_path / name)
    with pytest.raises(ToolkitError):
        tc.Image(str(tmp_path / name))


def test_a_damaged_picture_is_refused_when_decoded(tc):
    from turicreate.toolkits._main import ToolkitError

    image = tc.Image(_image_data=b"no png", _format_enum=1, _height=1, _width=1, _channels=3)
    with pytest.raises(ToolkitError, match="Cannot decode"):
        image.pixel_data  # noqa: B018


def test_the_examples_in_the_docstrings():
    package = importlib.import_module("turicreate")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, "turicreate.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in names]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) >= 8
