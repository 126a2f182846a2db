"""InceptionV3 without its weights of ImageNet: seeded random ones through the same file door."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_retrieval import evaluate, index
from image_retrieval.errors import DownloadError, InputError
from image_retrieval.features import (
    as_extraction,
    backbones,
    extract,
    extract_map,
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
from tests.keras_files import SIZES, random_pixels, random_weights, write_keras_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
SIZE = 75
# Of the largest feature.
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("tensorflow").keras


@pytest.fixture(scope="module")
def fixture():
    """Features that Keras computed with weights drawn from the same seed."""
    with np.load(Path(__file__).parent / "fixtures" / "inception_v3.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def weights(fixture, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.h5"
    return write_keras_file(path, random_weights(json.loads(str(fixture["layers"]))))


@pytest.fixture(autouse=True)
def nothing_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture
def unchecked(monkeypatch):
    """Random weights have another hash; other tests are about the warning."""
    monkeypatch.setattr(inception_v3, "_warn_of_other_hash", lambda path: None)


def pictures(n=6):
    """Return pictures of one color each with a little noise, in pairs of one color."""
    random = np.random.default_rng(0)
    colors = np.repeat(random.integers(0, 226, (n // 2, 1, 1, 3)), 2, axis=0)
    return (colors + random.integers(0, 30, (n, 60, 90, 3))).astype(np.uint8)


def assert_equal(found, expected):
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max())


@pytest.mark.parametrize("size", SIZES)
def test_features_are_those_that_keras_computed(fixture, weights, unchecked, size):
    how = as_extraction("inception_v3", weights, size=size)
    X = extract(random_pixels(size), how, weights=weights, progress=False)
    assert_equal(X, fixture[f"mixed10_{size}"])


@pytest.mark.parametrize("layer", ["mixed0", "mixed3", "mixed7", "mixed8"])
def test_earlier_layers_are_those_of_keras(fixture, weights, unchecked, layer):
    size = SIZES[-1]
    how = {"size": size, "layer": layer, "weights": weights, "progress": False}
    X = extract(random_pixels(size), "inception_v3", **how)
    assert_equal(X, fixture[f"{layer}_{size}"])


@pytest.mark.long
def test_features_are_keras_own(tmp_path, unchecked, keras):
    """The file and the features both by the installed Keras."""
    from tools.reference_inception import keras_map, keras_model

    model, _ = keras_model()
    path = tmp_path / "random.h5"
    model.save_weights(str(path))
    for size in (299, 128, SIZE):
        pixels = random_pixels(size, n=1)
        found = extract_map(pixels, "inception_v3", size=size, weights=path, progress=False)
        assert_equal(found, keras_map(model, pixels))


def test_convolutions_have_the_shapes_and_the_order_of_keras_files(fixture):
    shapes = [
        tuple(shape)
        for _, held in json.loads(str(fixture["layers"]))
        for name, shape in held
        if "kernel" in name
    ]
    order = inception_v3.convolutions()
    assert [step["place"] for step in order] == list(range(94))
    assert [tuple(step["shape"]) for step in order] == shapes


@pytest.mark.long
def test_every_layer_has_its_own_depth_and_the_pooled_vector_is_the_maps_mean(weights, unchecked):
    how = {"size": SIZE, "weights": weights, "progress": False}
    depths = {"mixed0": 256, "mixed2": 288, "mixed4": 768, "mixed8": 1280, "mixed10": 2048}
    for layer, d in depths.items():
        maps = extract_map(pictures()[:1], "inception_v3", layer=layer, **how)
        assert maps.shape[3] == d
        X = extract(pictures()[:1], "inception_v3", layer=layer, **how)
        np.testing.assert_allclose(X, maps.mean(axis=(1, 2)), rtol=1e-3, atol=1e-5)


@pytest.mark.long
def test_every_tensor_of_a_batch_norm_counts(fixture, tmp_path, unchecked):
    drawn = random_weights(json.loads(str(fixture["layers"])))
    pixels = random_pixels(SIZE, n=1)
    features = []
    for changed in (None, "beta", "moving_mean", "moving_variance"):
        layers = [(layer, list(held)) for layer, held in drawn]
        held = dict(layers)["batch_normalization"]
        if changed:
            at = [changed in name for name, _ in held].index(True)
            held[at] = (held[at][0], held[at][1] + 1)
        network = inception_v3.load(weights=write_keras_file(tmp_path / f"{changed}.h5", layers))
        features.append(network(pixels))
    for other in features[1:]:
        assert np.abs(other - features[0]).max() > 1e-3 * np.abs(features[0]).max()


def test_the_graph_has_no_padding_and_no_batch_norm_of_its_own(weights):
    import onnx

    graph = onnx.load_from_string(inception_v3.make_graph(weights)).graph
    operators = {node.op_type for node in graph.node}
    assert operators.isdisjoint({"Pad", "BatchNormalization"})
    assert [node.op_type for node in graph.node].count("Conv") == 94


def test_unpooled_features_are_the_flattened_map(weights, unchecked):
    size = 107  # the smallest side with a map of 2x2 places
    options = {"size": size, "weights": weights, "progress": False}
    X = extract(pictures()[:1], "inception_v3", pooling=None, **options)
    maps = extract_map(pictures()[:1], "inception_v3", **options)
    assert maps.shape == (1, 2, 2, 2048) and X.shape == (1, 4 * 2048)
    assert np.allclose(X[0], maps.ravel(), rtol=1e-4)


def test_pictures_are_resized_and_scaled_as_the_record_says(weights, unchecked):
    how = {"size": SIZE, "weights": weights, "progress": False}
    resized = [
        Image.fromarray(i).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for i in pictures()
    ]
    expected = extract(resized, "inception_v3", **how)
    np.testing.assert_array_equal(extract(pictures(), "inception_v3", **how), expected)


def test_the_record_holds_the_hash_of_the_file_in_use(weights, unchecked, tmp_path):
    import hashlib

    how = as_extraction("inception_v3", weights, size=SIZE)
    assert how.weights == hashlib.sha256(weights.read_bytes()).hexdigest()
    other = write_keras_file(tmp_path / "other.h5", [])
    with pytest.raises(InputError, match="these features need weights with"):
        extract(pictures(), how, weights=other)


def test_tensorflow_is_never_imported(weights):
    code = (
        "import sys, numpy; from image_retrieval.features import extract;"
        f"x = extract(numpy.zeros((1, 75, 75, 3), numpy.uint8), 'inception_v3', size=75,"
        f"    weights={str(weights)!r});"
        "assert x.shape == (1, 2048);"
        "sys.exit(not {'turicreate', 'tensorflow', 'keras', 'torch'}.isdisjoint(sys.modules))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    assert subprocess.run(command, check=False).returncode == 0


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


@pytest.mark.long
def test_published_facts_are_keras_own(keras):
    """The address and hash, against the source of the installed Keras."""
    import inspect

    from keras.src.applications import inception_v3 as source

    text = inspect.getsource(source)
    assert source.WEIGHTS_PATH_NO_TOP == URL
    assert MD5 in text and FILE in text


def test_another_hash_warns_and_names_both(weights, monkeypatch):
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
        "'efficientnet_lite2' works now",
    ):
        assert part in message
    assert not (tmp_path / "keras" / "models" / FILE).exists()


def test_a_download_that_keras_made_is_used(tmp_path):
    assert find_weights() is None and not has_weights()
    assert "inception_v3" in backbones() and "inception_v3" not in backbones(here=True)
    path = tmp_path / "keras" / "models" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    assert find_weights() == path and has_weights()
    assert backbones(here=True) == backbones()


def test_the_variable_can_keep_the_backbone_from_being_used_by_itself(tmp_path, monkeypatch):
    test_a_download_that_keras_made_is_used(tmp_path)
    monkeypatch.setenv(VARIABLE, "none")
    assert not has_weights()
    # Whoever asks for it by name still gets it.
    assert find_weights() == tmp_path / "keras" / "models" / FILE


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "gone.h5"))
    with pytest.raises(InputError, match=f"{VARIABLE}=.*gone.h5.* is not a weights file"):
        has_weights()


def tiny(kernels=94, norms=94, side=1, variance=1.0):
    """Return the layers of a file that is too small to be InceptionV3's."""
    kernel = np.ones((side, side, 1, 1), np.float32)
    moments = [("beta:0", np.zeros(1)), ("moving_mean:0", np.zeros(1))]
    moments.append(("moving_variance:0", np.full(1, variance)))
    return [(f"conv2d_{n}", [("kernel:0", kernel)]) for n in range(kernels)] + [
        (f"batch_normalization_{n}", moments) for n in range(norms)
    ]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (tiny(), r"conv2d_0 \(1, 1, 1, 1\) where \(3, 3, 3, 32\) belongs"),
        (tiny(kernels=2, norms=2), "2 convolutions and 2 batch norms"),
        (tiny(norms=95), "94 convolutions and 95 batch norms"),
        ([*tiny(), ("dense", [("kernel:0", np.ones((2, 3))), ("bias:0", np.ones(3))])], "94 conv"),
        ([], "0 convolutions"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, layers, words):
    path = write_keras_file(tmp_path / "other.h5", layers)
    with pytest.raises(InputError, match=f"not InceptionV3's weights .{words}") as caught:
        inception_v3.make_graph(path)
    assert "\n" not in str(caught.value) and URL in str(caught.value)


def test_a_variance_below_zero_is_refused(fixture, tmp_path):
    layers = random_weights(json.loads(str(fixture["layers"])))
    dict(layers)["batch_normalization_8"][-1][1][3] = -1
    path = write_keras_file(tmp_path / "negative.h5", layers)
    with pytest.raises(InputError, match="a variance below 0 after conv2d_8"):
        inception_v3.make_graph(path)


def test_the_command_line_builds_a_data_set_with_it(weights, tmp_path, unchecked, capsys):
    pytest.importorskip("turicreate")
    from image_retrieval import cli, datasets

    for number, picture in enumerate(pictures()):
        folder = tmp_path / "pictures" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number}.png")
    output = str(tmp_path / "built")
    command = ["folder", str(tmp_path / "pictures"), "--output", output, "--test-size", "0.4"]
    how = ["--backbone", f"inception_v3:{SIZE}", "--weights", str(weights)]
    assert cli.main([*command, *how]) == 0
    assert f"Features: inception_v3 at {SIZE} px" in capsys.readouterr().out
    train, _ = datasets.load(output)
    assert index.create(train).extraction == as_extraction("inception_v3", weights, size=SIZE)
    assert cli.main([*command, "--backbone", "inception_v3", "--weights", "gone.h5"]) == 2
    assert "gone.h5" in capsys.readouterr().err


@pytest.mark.network
def test_keras_weights_see_a_difference(tmp_path):
    """Downloads the real file; run with -m network."""
    X = extract(pictures(), "inception_v3", progress=False)
    assert X.shape == (6, 2048) and X.std() > 0.1
    assert (tmp_path / "keras" / "models" / FILE).is_file()


def test_a_layer_it_does_not_have_is_named(weights, unchecked):
    with pytest.raises(InputError, match="no layer 'mixed99'; it has"):
        inception_v3.make_graph(weights, layer="mixed99")
