"""Tables and pictures around the engines, and Turi Create's own results."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from index_reference import features
from PIL import Image

from image_retrieval import datasets, index
from image_retrieval.errors import InputError
from image_retrieval.features import Extraction, extract
from image_retrieval.index.images import ImageIndex
from image_retrieval.sframes import image_sframe, sarray_to_images, with_extractions
from image_retrieval.tables import NEIGHBOR_COLUMNS

PIXELS = Extraction("pixels", size=8)
OPTIONS = {"exact": {}, "turicreate": {}, "hnsw": {}, "milvus": {"progress": False}}
NEEDS = {"hnsw": "hnswlib", "milvus": "milvus_lite"}


def columns(n=30, seed=0):
    return {
        "id": [10 * i + 3 for i in range(n)],
        "label": ["cat", "dog", "bird"] * (n // 3),
        "deep_features": features(n, seed=seed).tolist(),
    }


@pytest.fixture
def sframe():
    return pytest.importorskip("turicreate").SFrame(columns())


def turicreate_model(sframe, metric="euclidean"):
    import turicreate as tc

    return tc.nearest_neighbors.create(
        sframe,
        features=["deep_features"],
        label="id",
        distance=metric,
        method="brute_force",
        verbose=False,
    )


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_neighbors_of_turi_create_on_the_bundled_sample(metric):
    pytest.importorskip("turicreate")
    train, test = datasets.load("sample")
    ours = index.create(train, metric=metric).query(test, k=10)
    theirs = turicreate_model(train, metric).query(test, k=10, verbose=False)
    assert len(ours) == 10 * len(test)
    assert list(ours["reference_label"]) == list(theirs["reference_label"])
    np.testing.assert_allclose(ours["distance"], theirs["distance"], rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "squared_euclidean", "cosine"])
@pytest.mark.parametrize("engine", ["exact", "turicreate", "hnsw", "milvus"])
def test_the_same_table_as_turi_create(sframe, engine, metric):
    options = {"progress": False} if engine == "milvus" else {}
    try:
        built = index.create(sframe, engine=engine, metric=metric, **options)
    except InputError as error:
        pytest.skip(str(error))
    ours = built.query(sframe[18:21], k=4)
    theirs = turicreate_model(sframe, metric).query(sframe[18:21], k=4, verbose=False)
    assert ours.column_names() == theirs.column_names()
    assert ours.column_types() == theirs.column_types()
    for name in ("query_label", "reference_label", "rank"):
        assert list(ours[name]) == list(theirs[name])
    np.testing.assert_allclose(ours["distance"], theirs["distance"], atol=2e-6)


def test_arguments_as_in_turi_create(sframe):
    built, model = index.create(sframe), turicreate_model(sframe)
    radius = model.query(sframe[:3], k=9, verbose=False)["distance"].mean()
    for options in ({"k": None, "radius": radius}, {"k": 3, "radius": radius}, {"k": 99}):
        ours = built.query(sframe[:3], label="id", **options)
        theirs = model.query(sframe[:3], label="id", verbose=False, **options)
        assert list(ours["reference_label"]) == list(theirs["reference_label"])
        assert list(ours["query_label"]) == list(theirs["query_label"])


def test_only_one_label(sframe):
    found = index.create(sframe).query(sframe[:2], k=5, where="dog")
    labels = dict(zip(sframe["id"], sframe["label"]))
    assert {labels[row] for row in found["reference_label"]} == {"dog"}


def test_vectors_and_string_ids():
    pytest.importorskip("turicreate")
    data = columns()
    data["name"] = [f"p{i}" for i in range(30)]
    found = index.create(data, label="name").query(features(30)[:2], k=2, label=["a", "b"])
    assert list(found["query_label"]) == ["a", "a", "b", "b"]
    assert found["reference_label"][0] == "p0"


def test_no_neighbors_is_an_empty_table(sframe):
    found = index.create(sframe).query(sframe[:2], k=5, radius=0.0, where="no such label")
    assert len(found) == 0
    assert found.column_names() == list(NEIGHBOR_COLUMNS)
    assert found.column_types() == [int, int, float, int]


@pytest.fixture
def pictures():
    """A table of 60 pictures that knows how its features were made."""
    pytest.importorskip("turicreate")
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (60, 12, 16, 3)).astype(np.uint8)
    X = extract(images, PIXELS, progress=False)
    table = image_sframe(range(100, 160), images, ["cat", "dog"] * 30, deep_features=X)
    return with_extractions(table, {"deep_features": PIXELS})


def forms(table, folder):
    """Return the pictures of a table as files, as arrays and as a column of the table."""
    arrays = sarray_to_images(table["image"])
    files = [folder / f"{row}.png" for row in range(len(arrays))]
    for file, pixels in zip(files, arrays):
        Image.fromarray(pixels).save(str(file))
    return {"files": files, "arrays": arrays, "column": table["image"], "table": table[["image"]]}


@pytest.mark.parametrize("engine", list(OPTIONS))
def test_every_picture_finds_itself(engine, pictures, tmp_path):
    if not find_spec(NEEDS.get(engine, "turicreate")):
        pytest.skip(f"{NEEDS[engine]} is not installed here")
    images = index.create(pictures, engine=engine, **OPTIONS[engine])
    images.save(tmp_path / "saved")
    for opened in (images, index.load(tmp_path / "saved")):
        for queries in forms(pictures, tmp_path).values():
            found = opened.query(queries, k=1, progress=False)
            assert list(found["reference_label"]) == list(range(100, 160))
            np.testing.assert_allclose(found["distance"], 0, atol=1e-4)
        one = opened.query(pictures["image"][7], k=1, progress=False)
        assert list(one["reference_label"]) == [107]


def test_every_picture_of_the_sample_finds_itself():
    pytest.importorskip("turicreate")
    train = datasets.load("sample")[0][:100]
    made = extract(train["image"], PIXELS, progress=False)
    data = {"id": list(train["id"]), "deep_features": made.tolist()}
    found = index.create(data, extraction=PIXELS).query(train["image"], k=1, progress=False)
    assert list(found["reference_label"]) == data["id"]
    assert max(found["distance"]) < 1e-6


@pytest.mark.parametrize("name", ["plain", "saved"])
def test_an_index_remembers_its_columns(name, pictures, tmp_path):
    pictures["name"], pictures["kind"] = pictures["id"].astype(str), pictures["label"]
    pictures["x"] = pictures["deep_features"]
    images = index.create(pictures, features="x", label="name", where="kind", extraction=PIXELS)
    images.save(tmp_path / "saved")
    opened = index.load(tmp_path / "saved") if name == "saved" else images
    assert (opened.features, opened.label, opened.where) == ("x", "name", "kind")
    assert opened.extraction == PIXELS
    found = opened.query(pictures[3:5], k=1, where=["cat", "dog"])
    assert list(found["reference_label"]) == ["103", "104"]
    more = pictures[:2]
    more["name"] = tuple("ab")
    assert opened.add(more).n == 62
    assert list(opened.query(more[:1], k=2)["reference_label"]) == ["100", "a"]


def test_pictures_and_vectors_can_be_added(pictures):
    images = index.create(pictures)
    new = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(1, 12, 16, 3)
    images.add(new, ids=[7], labels=["new"], progress=False)
    images.add(
        images.engine.search(np.zeros(images.d), k=1)[1] * np.ones((1, images.d)), [8], ["x"]
    )
    assert images.n == 62
    assert list(images.query(new, k=1, progress=False)["reference_label"]) == [7]


def test_a_saved_engine_loads_as_an_engine(tmp_path):
    index.build(features(9)).save(tmp_path / "saved")
    assert isinstance(index.load(tmp_path / "saved"), index.Engine)
    index.create(columns()).save(tmp_path / "saved")
    assert isinstance(index.load(tmp_path / "saved"), ImageIndex)


def test_pictures_without_an_extraction_are_refused():
    images = index.create(columns())
    for queries in (np.zeros((2, 8, 8, 3), np.uint8), {"image": [np.zeros((8, 8), np.uint8)]}):
        with pytest.raises(InputError, match=r"how 'deep_features' was made .*extraction="):
            images.query(queries)


def test_features_of_another_extraction_are_refused(pictures, sframe):
    images, other = index.create(pictures), Extraction("pixels", size=8, flip=True)
    mirrored = with_extractions(pictures, {"deep_features": other})
    for ask in (images.query, images.add):
        with pytest.raises(InputError, match="with mirror images, the index holds pixels at 8 px"):
            ask(mirrored)
    assert len(images.query(pictures, k=1)) == len(images.query(pictures[:], k=1)) == 60
    with pytest.raises(InputError, match="is pixels at 8 px, not pixels at 9 px"):
        index.create(pictures, extraction=Extraction("pixels", size=9))
    with pytest.raises(InputError, match="Q has 24 dimensions a row, the index has 192"):
        images.query(sframe)


def test_neighbors_are_a_table():
    found = index.neighbors(np.array([["a", "b"], ["c", ""]]), np.array([[0.0, 2], [1, np.inf]]))
    assert found.columns.tolist() == list(NEIGHBOR_COLUMNS)
    assert found.values.tolist() == [[0, "a", 0.0, 1], [0, "b", 2.0, 2], [1, "c", 1.0, 1]]
    named = index.neighbors(np.array([[5]]), np.array([[0.5]]), query_labels=["x"])
    assert named["query_label"].tolist() == ["x"]


@pytest.mark.parametrize(("found", "expected"), [([[1, 2], [5, 6]], 0.5), ([[2, 1], [4, 3]], 1.0)])
def test_recall_by_hand(found, expected):
    assert index.recall(found, [[1, 2], [3, 4]]) == expected


def test_recall_of_other_queries_is_refused():
    with pytest.raises(InputError, match="neighbors of the same queries"):
        index.recall([[1]], [[1], [2]])


def test_tables_need_no_turicreate():
    code = (
        "import sys; from image_retrieval import index; import numpy as np\n"
        "e = index.create({'id': [4, 5], 'deep_features': [[0.0, 1], [1, 0]]})\n"
        "print(index.neighbors(*e.search([0, 1], k=2)).reference_label.tolist())\n"
        "bad = {'turicreate', 'tensorflow', 'pymilvus', 'hnswlib'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    out = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    assert b"[4, 5]" in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"deep_features": None}, "there is no column 'deep_features'"),
        ({"id": None}, "there is no column 'id'"),
        ({"deep_features": [[0.0], [1.0, 2.0]]}, "column 'deep_features': row 1 has 2 numbers"),
        ({"label": [1, 2]}, "a label must be a string"),
    ],
)
def test_tables_that_cannot_be_indexed(change, message):
    data = {"id": [1, 2], "label": ["a", "b"], "deep_features": [[0.0, 1], [1, 0]], **change}
    data = {name: values for name, values in data.items() if values is not None}
    with pytest.raises(InputError, match=message):
        index.create(data)


def test_query_labels_that_do_not_fit():
    engine = index.create(columns())
    with pytest.raises(InputError, match="names a column, but the queries are not a table"):
        engine.query(features(2), label="id")
    with pytest.raises(InputError, match="3 query labels for 2 queries"):
        engine.query(features(2), label=[1, 2, 3])
