"""Every data set finds its own pictures, however they are given, and real ones find their like."""

import numpy as np
import pytest
from PIL import Image

from image_retrieval import datasets, evaluate, index
from image_retrieval.features import Extraction, extract
from image_retrieval.images import as_rgb
from image_retrieval.postprocess import default_recipe
from image_retrieval.sframes import sarray_to_images, sarray_to_vectors

# The rows whose pictures are asked for.
ROWS = (0, 8, 18)


@pytest.fixture(scope="module")
def cifar10(shared_data, tmp_path_factory):
    archive = shared_data / "cifar-10-binary-subset.tar.gz"
    output = tmp_path_factory.mktemp("cifar10") / "data"
    return datasets.build("cifar10", archive, output, train=2005, test=800, progress=False)


@pytest.fixture(scope="module")
def caltech101(shared_data, tmp_path_factory):
    archive = shared_data / "101_ObjectCategories-subset.tar.gz"
    output = tmp_path_factory.mktemp("caltech101") / "data"
    return datasets.build("caltech101", archive, output, progress=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Thirty photographs of several sizes and formats, and other features than the default."""
    source = tmp_path_factory.mktemp("pictures")
    for number, row in enumerate(datasets.load("sample", dataset="caltech101")[0][0:180:6]):
        path = source / row["label"] / f"{number}.{('png', 'jpg', 'webp')[number % 3]}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(as_rgb(row["image"])).save(path)
    output = tmp_path_factory.mktemp("folder") / "data"
    extraction = Extraction(size=96, flip=True)
    return datasets.build("folder", source, output, extraction, recipe=True, progress=False)


@pytest.fixture(scope="module")
def sample():
    return datasets.locate("sample")


@pytest.fixture(scope="module")
def sample_caltech101():
    return datasets.locate("sample", "caltech101")


# Thousands of photographs, which take half a minute.
REAL = [pytest.param(name, marks=pytest.mark.long) for name in ("caltech101", "cifar10")]


@pytest.fixture(params=["sample", "sample_caltech101", "folder", *REAL])
def location(request):
    """Where each of the data sets lies; real ones where their archives are."""
    return datasets.locate(request.getfixturevalue(request.param).folder)


def png(pixels, path):
    Image.fromarray(pixels).save(path)
    return path


# Each way to give a picture: from an SFrame's cell, and a path to write to.
WAYS = {
    "cell": lambda cell, path: cell,
    "array": lambda cell, path: as_rgb(cell),
    "Pillow image": lambda cell, path: Image.fromarray(as_rgb(cell)),
    "file": lambda cell, path: png(as_rgb(cell), path),
    "file's name": lambda cell, path: str(png(as_rgb(cell), path)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_however_given_has_the_features_of_its_row(location, tmp_path, way):
    train, _ = datasets.load(location.folder)
    stored = sarray_to_vectors(train["deep_features"])
    for row in ROWS:
        picture = WAYS[way](train[row]["image"], tmp_path / f"{row}.png")
        X = extract(picture, location.extraction, progress=False)
        distances = np.linalg.norm(stored - X, axis=1)
        assert distances.argmin() == row
        assert distances[row] < 1e-3 * np.linalg.norm(stored[row])


def asked(found, train, row):
    """Return whether a picture found its own row first, at a distance of about 0."""
    first = train[row]
    limit = 1e-3 * np.linalg.norm(first["deep_features"])
    return found[0]["reference_label"] == first["id"] and found[0]["distance"] < limit


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_however_given_finds_its_row_before_and_after_save_and_load(
    location, tmp_path, way
):
    train, _ = datasets.load(location.folder)
    made = index.create(train)
    made.save(tmp_path / "index")
    for engine in (made, index.load(tmp_path / "index")):
        for row in ROWS:
            picture = WAYS[way](train[row]["image"], tmp_path / f"{row}.png")
            assert asked(engine.query(picture, k=1, progress=False), train, row)


@pytest.mark.parametrize("engine", index.engines())
def test_a_picture_finds_its_row_in_every_engine(folder, tmp_path, engine):
    train, _ = datasets.load(folder.folder)
    made = index.create(train, engine=engine)
    made.save(tmp_path / "index")
    for engine in (made, index.load(tmp_path / "index")):
        for row in ROWS:
            assert asked(engine.query([train[row]["image"]], k=1, progress=False), train, row)


def test_pixels_are_an_extraction_like_any_other(location):
    rows = datasets.load(location.folder)[1][0:20]
    X = extract(rows["image"], location.extractions["image_array"], progress=False)
    assert np.array_equal(sarray_to_vectors(rows["image_array"]), X)
    shapes = {image.shape for image in sarray_to_images(rows["image"])}
    if shapes == {(32, 32, 3)}:
        assert np.array_equal(X, np.reshape(sarray_to_images(rows["image"]), (len(rows), 3072)))


def test_the_record_says_how_a_folder_was_built_with_its_recipe(folder):
    located = datasets.locate(folder.folder)
    assert located.extraction == folder.extraction
    assert (located.extraction.size, located.extraction.flip) == (96, True)
    train, test = datasets.load(folder.folder)
    raw = [extract(part["image"], size=96, flip=True, progress=False) for part in (train, test)]
    recipe = default_recipe().fit(raw[0])
    for part, X in zip((train, test), raw):
        stored = sarray_to_vectors(part["deep_features"])
        assert np.allclose(stored, recipe.transform(X), atol=1e-5)
        assert part.extractions["deep_features"] == located.extraction


def precision(built, column="deep_features", recipe=None, labels=list):
    """Return precision@5 of the test images among the training images."""
    tables = datasets.load(built.folder)
    X = [sarray_to_vectors(table[column]) for table in tables]
    if recipe:
        X = [recipe.fit(X[0]).transform(part) for part in X]
    y = [labels(table["label"]) for table in tables]
    ranking = evaluate.rank_features(X[0], y[0], X[1], y[1], depth=5)
    return evaluate.precision_at_k(ranking, 5).mean()


@pytest.mark.long
def test_real_cifar10_reaches_the_courses_figures(cifar10):
    """The course's central claim, on photographs: chance is 0.25."""
    assert (sum(cifar10.train.values()), sum(cifar10.test.values())) == (2005, 800)
    assert precision(cifar10) >= 0.72
    assert precision(cifar10, recipe=default_recipe()) >= 0.755
    assert precision(cifar10, "image_array") < 0.45


@pytest.mark.long
def test_real_caltech101_reaches_the_courses_figures(caltech101):
    assert caltech101.unreadable == ()
    assert (sum(caltech101.train.values()), sum(caltech101.test.values())) == (378, 162)
    deep = precision(caltech101)
    assert deep >= 0.92
    assert precision(caltech101, labels=merged) >= 0.97
    assert precision(caltech101, "image_array") <= deep - 0.2


def merged(labels):
    """Return labels with both kinds of faces as one."""
    return ["Faces" if label == "Faces_easy" else label for label in labels]
