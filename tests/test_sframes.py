import array
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import turicreate as tc

from image_retrieval import sframes
from image_retrieval.errors import InputError
from image_retrieval.tables import column, column_names, extractions_of, is_table


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)


def test_images_come_back_exactly(pixels):
    column = sframes.images_to_sarray(pixels)
    assert column.dtype == tc.Image
    assert len(column) == 6
    assert (column[2].height, column[2].width, column[2].channels) == (4, 5, 3)
    assert (np.stack(sframes.sarray_to_images(column)) == pixels).all()


def test_images_of_any_size_come_back_exactly(pixels, tmp_path):
    images = [pixels[0], pixels[1, :2], pixels[2, :, :1, 0]]
    sframes.image_sframe([1, 2, 3], iter(images), "abc").save(str(tmp_path / "s"))
    back = sframes.sarray_to_images(tc.SFrame(str(tmp_path / "s"))["image"])
    assert [image.shape for image in back] == [(4, 5, 3), (2, 5, 3), (4, 1, 3)]
    assert (back[1] == images[1]).all()
    assert (back[2] == images[2][:, :, None]).all()


def test_no_images_make_an_empty_column_of_images():
    column = sframes.images_to_sarray([])
    assert column.dtype == tc.Image
    assert len(column) == 0


def test_a_missing_image_is_named_by_its_row(pixels):
    column = tc.SArray([sframes.images_to_sarray(pixels)[0], None])
    with pytest.raises(InputError, match="row 1 has no image"):
        sframes.sarray_to_images(column)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_vectors_come_back_exactly(dtype):
    # More rows than are appended at a time.
    X = np.random.default_rng(0).integers(0, 200, (600, 3)).astype(dtype)
    column = sframes.vectors_to_sarray(X)
    assert column.dtype == array.array
    back = sframes.sarray_to_vectors(column)
    assert back.dtype == np.float32
    assert (back == X).all()


def test_a_matrix_in_another_memory_order_keeps_its_rows():
    X = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert [list(row) for row in sframes.vectors_to_sarray(X)] == X.tolist()


def test_no_vectors():
    assert sframes.sarray_to_vectors(sframes.vectors_to_sarray(np.empty((0, 4)))).shape == (0, 0)


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((2, 2, 2)), np.array([["a"]])])
def test_only_a_matrix_of_numbers_makes_vectors(X):
    with pytest.raises(InputError, match=r"matrix of numbers of shape \(n, d\)"):
        sframes.vectors_to_sarray(X)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0], [3.0]], "row 1 has 1 numbers where row 0 has 2"),
        ([[1.0], None], "row 1 is missing"),
        ([1.0, 2.0], "row 0 holds float, not a vector"),
        (["ab"], "row 0 holds str, not a vector"),
        ([[1.0], ["a"]], "row 1 holds list, not a vector"),
    ],
)
def test_what_are_no_vectors_is_named_by_its_row(rows, message):
    with pytest.raises(InputError, match=message):
        sframes.sarray_to_vectors(rows)


def test_ragged_and_missing_rows_of_a_column():
    with pytest.raises(InputError, match="row 1 has 1 numbers"):
        sframes.sarray_to_vectors(tc.SArray([[1.0, 2.0], [3.0]]))
    with pytest.raises(InputError, match="row 1 is missing"):
        sframes.sarray_to_vectors(tc.SArray([[1.0, 2.0], None]))


def test_the_table_has_the_courses_columns_and_types(pixels):
    X = np.arange(12, dtype=np.float32).reshape(6, 2)
    table = sframes.image_sframe(
        np.arange(6), pixels, np.array(list("abcdef")), deep_features=X, note=["x"] * 6
    )
    assert table.column_names() == ["id", "image", "label", "deep_features", "note"]
    assert table.column_types() == [int, tc.Image, str, array.array, str]
    ids, back = sframes.sframe_vectors(table, "deep_features")
    assert ids == list(range(6))
    assert (back == X).all()


def test_a_column_of_images_is_taken_as_it_is(pixels):
    column = sframes.images_to_sarray(pixels)
    table = sframes.image_sframe(range(6), column, ["x"] * 6, copy=column)
    assert table.column_types() == [int, tc.Image, str, tc.Image]


def test_columns_of_unequal_length_are_refused(pixels):
    with pytest.raises(InputError, match="column 'label' has 2 rows where 'id' has 6"):
        sframes.image_sframe(range(6), pixels, ["a", "b"])


def test_vectors_of_any_table():
    columns = {"id": [7, 8], "x": [[1, 2], [3, 4]]}
    for table in (columns, pd.DataFrame(columns), tc.SFrame(columns)):
        ids, X = sframes.sframe_vectors(table, "x")
        assert ids == [7, 8]
        assert X.tolist() == [[1, 2], [3, 4]]
    assert sframes.sframe_vectors({"x": [[1], [2]]}, "x")[0] == [0, 1]


def test_a_wrong_column_is_named():
    table = {"id": [1], "label": ["cat"]}
    with pytest.raises(InputError, match="no column 'deep'; there are id, label"):
        sframes.sframe_vectors(table, "deep")
    with pytest.raises(InputError, match="column 'label': row 0 holds str"):
        sframes.sframe_vectors(table, "label")


def test_tables_are_written_together_or_not_at_all(tmp_path, pixels):
    folder = tmp_path / "data"
    table = sframes.image_sframe(range(6), pixels, ["x"] * 6)
    sframes.write_sframes(folder, train=table, test=table[:2])
    assert len(tc.SFrame(str(folder / "train"))) == 6
    assert len(tc.SFrame(str(folder / "test"))) == 2
    with pytest.raises(AttributeError):
        sframes.write_sframes(folder, train=table[:3], test="no table")
    assert len(tc.SFrame(str(folder / "train"))) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_arrays_need_no_turi_create():
    code = (
        "import sys, image_retrieval.sframes as s; "
        "s.sframe_vectors({'x': [[1.0]]}, 'x'); assert 'turicreate' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.fixture
def recorded(pixels):
    X = np.arange(12.0).reshape(6, 2)
    plain = sframes.image_sframe(range(6), pixels, "aabbcc", deep_features=X, more=X)
    return sframes.with_extractions(plain, {"deep_features": "lite2", "other": "none"})


def test_an_sframe_carries_the_extractions_of_its_columns(recorded):
    assert isinstance(recorded, tc.SFrame)
    assert extractions_of(recorded) == {"deep_features": "lite2"}
    for plain in (recorded[:2], recorded[["id"]], recorded.copy(), {"id": [1]}, pd.DataFrame()):
        assert extractions_of(plain) == {}


def test_an_sframe_with_extractions_works_as_a_plain_one(recorded, tmp_path):
    plain = tc.SFrame(recorded)
    assert list(recorded["label"]) == list("aabbcc")
    assert [row["id"] for row in recorded] == list(range(6))
    assert repr(recorded) == repr(plain)
    assert len(recorded.filter_by(["a"], "label")) == 2
    recorded.save(str(tmp_path / "saved"))
    assert tc.SFrame(str(tmp_path / "saved")).column_names() == plain.column_names()
    model = tc.nearest_neighbors.create(recorded, features=["more"], label="id", verbose=False)
    found = model.query(recorded, label="id", k=2, verbose=False)
    assert list(found["reference_label"])[:2] == [0, 1]
    model = tc.logistic_classifier.create(
        recorded, target="label", features=["more"], validation_set=None, verbose=False
    )
    for answer in (model.predict, model.classify, model.evaluate):
        assert str(answer(recorded)) == str(answer(plain))
    assert repr(recorded.append(recorded)) == repr(plain.append(plain))
    assert repr(recorded.join(plain, on="id")) == repr(plain.join(recorded, on="id"))
    assert repr(plain.append(recorded[:])) == repr(plain.append(plain))


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.__setitem__("deep_features", table["more"]),
        lambda table: table.__delitem__("deep_features"),
        lambda table: table.remove_columns(iter(["deep_features"]), inplace=True),
        lambda table: table.rename({"deep_features": "old"}, inplace=True),
    ],
)
def test_what_replaces_a_column_is_not_what_was_extracted(recorded, change):
    change(recorded)
    if "deep_features" not in recorded.column_names():
        recorded["deep_features"] = recorded["more"]
    assert extractions_of(recorded) == {}


def test_what_is_done_to_other_columns_or_a_copy_changes_no_extraction(recorded):
    plain = tc.SFrame(recorded)
    recorded.remove_column("deep_features")
    recorded.rename({"deep_features": "x"})
    recorded["more"] = recorded["id"]
    recorded.add_column(recorded["id"], "again", inplace=True)
    assert extractions_of(recorded) == {"deep_features": "lite2"}
    assert plain.column_names() == ["id", "image", "label", "deep_features", "more"]


def test_tables_are_told_from_pictures_and_arrays(pixels):
    for table in ({"id": []}, pd.DataFrame({"id": []}), tc.SFrame({"id": [1]})):
        assert is_table(table)
        assert column_names(table) == ["id"]
    for other in (pixels, ["id"], "id", None, pd.Series([1]), tc.SArray([1])):
        assert not is_table(other)


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(InputError, match="no column 'x' in the queries; there are id, label"):
        column({"id": [1], "label": ["cat"]}, "x", "the queries")
    with pytest.raises(InputError, match="no column 'x'; there are none"):
        column({}, "x")
