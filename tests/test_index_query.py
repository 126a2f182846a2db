"""Tables and images around the engines, and Turi Create's own results."""

import subprocess
import sys

import numpy as np
import pytest
from index_reference import features

from image_retrieval import datasets, index
from image_retrieval.errors import InputError
from image_retrieval.index import table


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
    assert found.column_names() == list(table.COLUMNS)
    assert found.column_types() == [int, int, float, int]


def test_images_go_through_the_extractor(monkeypatch):
    pytest.importorskip("turicreate")
    seen = []

    def extract(images, **options):
        seen.append((np.shape(images), options))
        return features(30)[: len(images)]

    monkeypatch.setattr("image_retrieval.features.extract", extract)
    images = np.zeros((3, 32, 32, 3), np.uint8)
    found = index.create(columns()).query(images, k=1, size=128)
    assert list(found["reference_label"]) == [3, 13, 23]
    assert seen == [((3, 32, 32, 3), {"size": 128})]


def test_tables_need_no_turicreate():
    code = (
        "import sys; from image_retrieval import index; import numpy as np\n"
        "e = index.create({'id': [4, 5], 'deep_features': [[0.0, 1], [1, 0]]})\n"
        "print(index.neighbors(*e.search([0, 1], k=2)))\n"
        "bad = {'turicreate', 'tensorflow', 'pymilvus', 'hnswlib'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    out = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    assert b"'reference_label': [4, 5]" in out


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
    with pytest.raises(InputError, match="names a column, but the queries are no table"):
        engine.query(features(2), label="id")
    with pytest.raises(InputError, match="3 query labels for 2 queries"):
        engine.query(features(2), label=[1, 2, 3])
