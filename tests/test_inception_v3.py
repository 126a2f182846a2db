"""InceptionV3 without its weights of ImageNet: seeded random ones through the same file door."""

import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from image_retrieval import evaluate, index
from image_retrieval.errors import DownloadError, InputError
from image_retrieval.features import (
    extract,
    extract_map,
    extracting,
    get_backbone,
    inception_v3,
)
from image_retrieval.features.inception_v3 import (
    FILE,
    MD5,
    URL,
    VARIABLE,
    find_weights,
    has_weights,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SIZE = 75


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("tensorflow").keras


@pytest.fixture(scope="module")
def model(keras):
    keras.utils.set_random_seed(0)
    return keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    model.save_weights(str(path))
    return path


@pytest.fixture(autouse=True)
def nothing_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    # Networks are kept by the file that was asked for, and these tests change what None means.
    extracting._loaded.cache_clear()


@pytest.fixture
def unchecked(monkeypatch):
    """Random weights have another hash; other tests are about the warning."""
    monkeypatch.setattr(inception_v3, "_warn_of_other_hash", lambda path: None)


def pictures(n=6):
    """Return pictures of one color each with a little noise, in pairs of one color."""
    random = np.random.default_rng(0)
    colors = np.repeat(random.integers(0, 226, (n // 2, 1, 1, 3)), 2, axis=0)
    return (colors + random.integers(0, 30, (n, 60, 90, 3))).astype(np.uint8)


def test_features_are_keras_own(model, weights, keras, unchecked):
    images = pictures()
    X = extract(images, "inception_v3", size=SIZE, weights=weights, batch_size=2, progress=False)
    assert X.shape == (6, 2048) and X.dtype == np.float32
    resized = [Image.fromarray(i).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for i in images]
    x = np.stack([np.asarray(image) for image in resized]).astype(np.float32)
    x = keras.applications.inception_v3.preprocess_input(x)
    expected = np.asarray(model(x, training=False))
    assert expected.std() > 0
    assert np.allclose(X, expected.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5)
    maps = extract_map(images, "inception_v3", size=SIZE, weights=weights, progress=False)
    assert maps.shape == (6, 1, 1, 2048)
    assert np.allclose(maps, expected, rtol=1e-3, atol=1e-5)


def test_unpooled_features_are_the_flattened_map(weights, unchecked):
    size = 107  # the smallest side with a map of 2x2 places
    options = {"size": size, "weights": weights, "progress": False}
    X = extract(pictures()[:1], "inception_v3", pooling=None, **options)
    maps = extract_map(pictures()[:1], "inception_v3", **options)
    assert maps.shape == (1, 2, 2, 2048) and X.shape == (1, 4 * 2048)
    assert np.allclose(X[0], maps.ravel(), rtol=1e-4)


def test_search_with_the_environments_file(weights, monkeypatch, unchecked):
    monkeypatch.setenv(VARIABLE, str(weights))
    assert has_weights()
    X = extract(pictures(), "inception_v3", size=SIZE, progress=False)
    engine = index.build(X)
    assert engine.search(X, k=1)[0][:, 0].tolist() == list(range(6))
    # Even random filters keep colors apart: the other picture of a pair is nearest.
    labels = ["a", "a", "b", "b", "c", "c"]
    assert evaluate.one_nn_accuracy(evaluate.rank_features(X, labels)) == 1.0


def test_the_backbone_says_what_it_takes():
    backbone = get_backbone("inception_v3")
    assert (backbone.d, backbone.size, backbone.min_size) == (2048, 299, 75)
    assert backbone.normalization == "x / 127.5 - 1"
    with pytest.raises(InputError, match="size=74 cannot be used"):
        extract(pictures(), "inception_v3", size=74)


def test_published_facts_are_keras_own(keras):
    """The address and hash, against the source of the installed Keras."""
    import inspect

    from keras.src.applications import inception_v3 as source

    text = inspect.getsource(source)
    assert source.WEIGHTS_PATH_NO_TOP == URL
    assert MD5 in text and FILE in text


def test_another_hash_warns_and_names_both(model, weights, monkeypatch):
    monkeypatch.setattr(inception_v3, "_architecture", lambda pooling: model)
    with pytest.warns(UserWarning, match=f"has MD5 .* where Keras publishes {MD5}"):
        inception_v3.load(weights=weights)
    import pooch

    monkeypatch.setattr(inception_v3, "MD5", pooch.file_hash(str(weights), "md5"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        inception_v3._warn_of_other_hash(weights)


def test_without_weights_and_network_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(inception_v3, "URL", "http://127.0.0.1:9/" + FILE)
    with pytest.raises(DownloadError) as caught:
        extract(pictures(), "inception_v3", progress=False)
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        f"http://127.0.0.1:9/{FILE}",
        str(tmp_path / "keras" / "models" / FILE),
        "--weights",
        VARIABLE,
        "'efficientnet_lite0' works now",
    ):
        assert part in message
    assert not (tmp_path / "keras" / "models" / FILE).exists()


def test_a_download_that_keras_made_is_used(tmp_path):
    assert find_weights() is None and not has_weights()
    path = tmp_path / "keras" / "models" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert find_weights() == path and has_weights()


def test_the_variable_can_keep_the_backbone_from_being_used_by_itself(tmp_path, monkeypatch):
    test_a_download_that_keras_made_is_used(tmp_path)
    monkeypatch.setenv(VARIABLE, "none")
    assert not has_weights()
    # Whoever asks for it by name still gets it.
    assert find_weights() == tmp_path / "keras" / "models" / FILE


def test_a_file_that_is_missing_or_no_weights_is_named(
    tmp_path, monkeypatch, unchecked, keras, model
):
    monkeypatch.setattr(inception_v3, "_architecture", lambda pooling: model)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone.h5"))
    with pytest.raises(InputError, match=f"{VARIABLE}=.*gone.h5.* is no file of weights"):
        has_weights()
    junk, other = tmp_path / "junk.h5", tmp_path / "other.weights.h5"
    junk.write_bytes(b"junk" * 100)
    keras.Sequential([keras.layers.Dense(2, input_shape=(3,))]).save_weights(str(other))
    (tmp_path / "weights").write_bytes(b"junk" * 100)
    for path in (junk, other, tmp_path / "weights"):
        with pytest.raises(InputError, match="not InceptionV3's weights") as caught:
            inception_v3.load(weights=path)
        assert "\n" not in str(caught.value) and URL in str(caught.value)


def test_without_tensorflow_one_line_says_so(weights, monkeypatch, unchecked):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(InputError, match="needs TensorFlow.*'efficientnet_lite0' works now"):
        inception_v3.load(weights=weights)


@pytest.mark.network
def test_keras_weights_see_a_difference(tmp_path):
    """Downloads the real file; run with -m network."""
    X = extract(pictures(), "inception_v3", progress=False)
    assert X.shape == (6, 2048) and X.std() > 0.1
    assert (tmp_path / "keras" / "models" / FILE).is_file()
