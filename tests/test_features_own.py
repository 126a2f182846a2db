"""Networks of one's own: small ONNX models, compared with NumPy."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.features import (
    Extraction,
    as_extraction,
    backbone,
    backbones,
    extract,
    extract_map,
    extraction_from_record,
    identified,
    onnx_backbone,
)
from tests import onnx_models

PICTURES = np.random.RandomState(0).randint(0, 256, (5, 16, 16, 3)).astype(np.uint8)
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]
X = ((PICTURES / 255 - MEAN) / STD).astype(np.float32)
PREPARED = {"mean": MEAN, "std": STD}


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(backbone, "_own", {})


@pytest.fixture
def model(tmp_path):
    return onnx_models.convolutional(tmp_path / "mine.onnx")


def toml(path, **options):
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in options.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("last", ["nchw", "nhwc"])
@pytest.mark.parametrize(("n", "size"), [("n", "h"), (1, "h"), (3, 16), (8, 16)])
def test_a_convolutional_network_gives_what_numpy_does(tmp_path, n, size, last):
    path = onnx_models.convolutional(tmp_path / "net.onnx", n, size, last)
    own = onnx_backbone(path, size=16, layout=last, **PREPARED)
    expected = onnx_models.convolutional_map(X)
    maps = extract_map(PICTURES, own, progress=False)
    assert maps.dtype == np.float32 and maps.flags.c_contiguous
    np.testing.assert_allclose(maps, expected, atol=1e-4)
    pooled = extract(PICTURES, "net", progress=False)
    np.testing.assert_allclose(pooled, expected.mean(axis=(1, 2)), atol=1e-4)
    assert pooled.dtype == np.float32 and own.d == 5
    assert extract([], "net").shape == (0, 5)


@pytest.mark.parametrize("n", ["n", 1, 4])
def test_a_transformers_tokens_give_what_numpy_does(tmp_path, n):
    path = onnx_models.transformer(tmp_path / "vit.onnx", n)
    tokens = onnx_models.transformer_tokens(X)
    output = {"output": "last_hidden_state", **PREPARED}
    own = onnx_backbone(path, layout="tokens", leading=1, **output)
    assert (own.size, own.min_size, own.max_size, own.d) == (16, 16, 16, 6)
    maps = extract_map(PICTURES, own, progress=False)
    np.testing.assert_allclose(maps, tokens[:, 1:].reshape(5, 4, 4, 6), atol=1e-4)
    pooled = extract(PICTURES, own, progress=False)
    np.testing.assert_allclose(pooled, tokens[:, 1:].mean(axis=1), atol=1e-4)
    first = onnx_backbone(path, "vit_cls", layout="first token", **output)
    np.testing.assert_allclose(extract(PICTURES, first), tokens[:, 0], atol=1e-4)
    ready = onnx_backbone(path, "vit_pooled", output="pooler_output", **PREPARED)
    np.testing.assert_allclose(extract(PICTURES, ready), tokens.mean(axis=1), atol=1e-4)
    records = {as_extraction(name) for name in ("vit", "vit_cls", "vit_pooled")}
    assert len({record.layer for record in records}) == 3


def test_a_flipped_picture_of_tokens_is_mirrored_back(tmp_path):
    path = onnx_models.convolutional(tmp_path / "net.onnx")
    own = onnx_backbone(path, size=16, layout="nchw", **PREPARED)
    both = extract_map(PICTURES, own, flip=True)
    mirrored = extract_map(PICTURES[:, :, ::-1], own)[:, :, ::-1]
    np.testing.assert_allclose(both, (extract_map(PICTURES, own) + mirrored) / 2, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "lanczos", "nearest"])
def test_pictures_are_resized_by_the_filter_it_names(model, interpolation):
    picture = np.random.RandomState(1).randint(0, 256, (40, 30, 3)).astype(np.uint8)
    own = onnx_backbone(model, size=8, layout="nchw", interpolation=interpolation, **PREPARED)
    chosen = Image.Resampling[interpolation.upper()]
    resized = np.asarray(Image.fromarray(picture).resize((8, 8), chosen))
    np.testing.assert_array_equal(extract(picture, own), extract(resized, own))
    assert as_extraction(own).normalization.endswith("bilinear") == (interpolation == "bilinear")


def test_a_toml_file_says_all_of_it(tmp_path, model):
    path = toml(tmp_path / "mine.toml", size=16, layout="nchw", **PREPARED)
    how = Extraction(str(path))
    expected = onnx_models.convolutional_map(X).mean(axis=(1, 2))
    np.testing.assert_allclose(extract(PICTURES, str(path)), expected, atol=1e-4)
    np.testing.assert_allclose(extract(PICTURES, how), expected, atol=1e-4)
    assert str(how) == "mine at 16 px" and how.backbone == "mine"
    assert how.normalization == f"(x / 255 - {MEAN}) / {STD}"
    assert how == identified(how) and len(how.weights) == 64
    assert extract_map(PICTURES, str(path), size=8).shape == (5, 2, 2, 5)
    assert backbones()[-1] == "mine"


def test_a_record_finds_its_network_in_another_process(tmp_path, model):
    path = toml(tmp_path / "mine.toml", size=16, layout="nchw", **PREPARED)
    expected = extract(PICTURES, str(path))
    record = json.dumps(as_extraction(str(path)).as_record())
    np.save(tmp_path / "pictures.npy", PICTURES)
    code = (
        "import json, sys, numpy; from image_retrieval.features import *;"
        f"how = extraction_from_record(json.loads({record!r}));"
        f"X = extract(numpy.load({str(tmp_path / 'pictures.npy')!r}), how, progress=False);"
        f"numpy.save({str(tmp_path / 'found.npy')!r}, X)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=str(tmp_path))
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), expected)


def test_where_the_file_lies_makes_no_other_extraction_and_what_it_says_does(tmp_path, monkeypatch):
    found = []
    for folder, std in (("a", STD), ("b", STD), ("c", MEAN)):
        monkeypatch.setattr(backbone, "_own", {})
        (tmp_path / folder).mkdir()
        onnx_models.convolutional(tmp_path / folder / "mine.onnx")
        path = tmp_path / folder / "mine.toml"
        found.append(Extraction(str(toml(path, size=16, layout="nchw", mean=MEAN, std=std))))
    assert found[0] == found[1] != found[2]
    assert len(set(found)) == 2


def test_a_file_that_changed_is_not_taken_for_the_one_in_the_record(tmp_path, model, monkeypatch):
    path = toml(tmp_path / "mine.toml", size=16, layout="nchw", **PREPARED)
    record = Extraction(str(path)).as_record()
    monkeypatch.setattr(backbone, "_own", {})
    toml(path, size=16, layout="nchw", mean=MEAN, std=MEAN)
    with pytest.raises(InputError, match="mine normalizes pixels by"):
        extract(PICTURES, extraction_from_record(record))
    monkeypatch.setattr(backbone, "_own", {})
    toml(path, size=16, layout="nchw", **PREPARED)
    model.write_bytes(onnx_models.convolutional(tmp_path / "other.onnx", 1).read_bytes())
    with pytest.raises(InputError, match="these features need weights with"):
        extract(PICTURES, extraction_from_record(record))
    monkeypatch.setattr(backbone, "_own", {})
    path.unlink()
    with pytest.raises(InputError, match="mine.toml: cannot read it"):
        extract(PICTURES, extraction_from_record(record))


def test_one_name_is_one_network(model):
    first = onnx_backbone(model, size=16, layout="nchw", **PREPARED)
    assert onnx_backbone(model, size=16, layout="nchw", **PREPARED) == first
    with pytest.raises(InputError, match="another backbone is called 'mine'; give this one a name"):
        onnx_backbone(model, size=16, layout="nchw", mean=STD, std=STD)
    with pytest.raises(InputError, match="another backbone is called 'pixels'"):
        onnx_backbone(model, "pixels", size=16, layout="nchw", **PREPARED)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": None}, "size=None must be the side"),
        ({"size": 0}, "size=0 must be"),
        ({"size": 3}, r"cannot take x \(1, 3, 3, 3\)"),
        ({"mean": None}, "mean=None must be three numbers.*0.485"),
        ({"mean": [1, 2]}, "mean=.1, 2. must be three"),
        ({"std": ["a", 1, 2]}, "std=.* must be three"),
        ({"std": [0, 1, 1]}, "std=.* must be three numbers above 0"),
        ({"interpolation": "cubic"}, "interpolation='cubic' is not known; .*bicubic"),
        ({"output": "logits"}, "no output 'logits'; give output= as one of: map"),
        ({"layout": "vector"}, r"shape \(1, 5, 4, 4\), which is not layout='vector'; .*nchw, nhwc"),
        ({"layout": "tokens"}, "not layout='tokens'; there are: nchw, nhwc"),
        ({"layout": "chw"}, "not layout='chw'"),
        ({"leading": -1}, "leading=-1 must be"),
        ({"text": {"model": "a"}}, "must give model and tokenizer"),
    ],
)
def test_what_does_not_fit_is_one_line(model, options, words):
    given = {"size": 16, "layout": "nchw", **PREPARED, **options}
    with pytest.raises(InputError, match=words) as caught:
        onnx_backbone(model, **given)
    assert "\n" not in str(caught.value)


def broken(change):
    def make(path):
        path = onnx_models.convolutional(path)
        change(path)
        return path

    return make


def no_square(path):
    return onnx_models.save(
        path,
        [("ReduceMean", ["x"], "y", {"axes": [2], "keepdims": 0})],
        {},
        [("x", 1, ("n", 3, 5, "w"))],
        [("y", 1, None)],
    )


def single(kind, shape, operator="Identity", output=1, opset=13, inputs=1):
    def make(path):
        names = [f"x{number}" for number in range(inputs)]
        nodes = [(operator, names[:1], "y", {} if operator != "Cast" else {"to": output})]
        return onnx_models.save(
            path, nodes, {}, [(n, kind, shape) for n in names], [("y", output, None)], opset
        )

    return make


FOREIGN = {
    "no file": (lambda path: path, "cannot read it"),
    "junk": (broken(lambda path: path.write_bytes(b"junk" * 99)), "no ONNX model|cannot run it"),
    "empty": (broken(lambda path: path.write_bytes(b"")), "cannot run it"),
    "cut short": (broken(lambda p: p.write_bytes(p.read_bytes()[:-40])), "no ONNX model"),
    "external data": (broken(onnx_models.spread), "keeps weights in other files"),
    "opset": (single(1, ("n", 3, 16, 16), opset=999), "cannot run it .*; export it with an older"),
    "operator": (single(1, ("n", 3, 16, 16), "Magic"), "cannot run it .*Magic"),
    "two inputs": (single(1, ("n", 3, 16, 16), inputs=2), "it takes x0, x1; export one"),
    "whole numbers": (single(2, ("n", 3, 16, 16), "Cast"), r"is tensor\(uint8\)"),
    "gray": (single(1, ("n", 1, 16, 16)), r"float32 pictures \(n, 3, h, w\)"),
    "flat": (single(1, ("n", 3)), r"float32 pictures \(n, 3, h, w\)"),
    "not square": (single(1, ("n", 3, 16, 20)), "not square"),
    "half open": (no_square, "not square"),
    "labels": (single(1, ("n", 3, 16, 16), "Cast", output=7), "not floating-point numbers"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_model_is_refused_in_one_line(tmp_path, kind):
    make, words = FOREIGN[kind]
    with pytest.raises(InputError, match=words) as caught:
        onnx_backbone(make(tmp_path / "model.onnx"), size=16, layout="nchw", **PREPARED)
    assert "\n" not in str(caught.value) and "model.onnx" in str(caught.value)


def test_weights_in_other_files_are_found_wherever_they_hide(tmp_path):
    from onnx import TensorProto, helper

    from image_retrieval.features.onnx_file import OnnxFile

    hidden = TensorProto(name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    hidden.external_data.add(key="location", value="/etc/passwd")
    inner = helper.make_graph([], "inner", [], [], [hidden])
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    graph = helper.make_graph([node], "outer", [], [])
    (tmp_path / "if.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(InputError, match="keeps weights in other files"):
        OnnxFile(tmp_path / "if.onnx")


def test_a_fixed_size_is_the_only_one(tmp_path):
    path = onnx_models.transformer(tmp_path / "vit.onnx")
    how = {"output": "last_hidden_state", "layout": "tokens", **PREPARED}
    with pytest.raises(InputError, match="size=32 must be .*, and it takes 16 px only"):
        onnx_backbone(path, size=32, leading=1, **how)
    with pytest.raises(InputError, match="17 tokens, 0 of them leading, leave no square"):
        onnx_backbone(path, **how)
    with pytest.raises(InputError, match="several outputs; give output= as one of: last_hidden"):
        onnx_backbone(path, **PREPARED)
    onnx_backbone(path, leading=1, **how)
    with pytest.raises(InputError, match="size=32 .* at least 16 and at most 16"):
        Extraction("vit", 32)


def test_a_vector_has_no_map(tmp_path):
    own = onnx_backbone(
        onnx_models.convolutional(tmp_path / "net.onnx", last="vector"), size=16, **PREPARED
    )
    expected = onnx_models.convolutional_map(X).mean(axis=(1, 2))
    np.testing.assert_allclose(extract(PICTURES, own), expected, atol=1e-4)
    with pytest.raises(InputError, match="one vector per picture, with no map"):
        extract_map(PICTURES, own)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("size = ", "no TOML"),
        ("sizes = 16", "no use for 'sizes'; there are model, name, size"),
        ("model = 'gone.onnx'\nmean = [0,0,0]\nstd = [1,1,1]", "gone.onnx: cannot read it"),
        ("mean = [0, 0, 0]", "std=None must be three numbers"),
    ],
)
def test_a_damaged_description_is_one_line(tmp_path, model, text, words):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        Extraction(str(tmp_path / "mine.toml"))
    assert "\n" not in str(caught.value)


def test_a_strangers_model_runs_in_the_command_line_with_its_toml_file_alone(
    tmp_path, model, capsys, monkeypatch
):
    pytest.importorskip("turicreate")
    from image_retrieval import cli, datasets, index

    path = toml(tmp_path / "mine.toml", size=16, layout="nchw", **PREPARED)
    for number, picture in enumerate(PICTURES):
        folder = tmp_path / "pictures" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{number}.png")
    command = ["folder", str(tmp_path / "pictures"), "--output", str(tmp_path / "built")]
    assert cli.main([*command, "--backbone", str(path), "--test-size", "0.4"]) == 0
    assert "Features: mine at 16 px." in capsys.readouterr().out
    # As in another process, which has only what was written.
    monkeypatch.setattr(backbone, "_own", {})
    train, _ = datasets.load(tmp_path / "built")
    images = index.create(train)
    assert str(images.extraction) == "mine at 16 px" and images.d == 5
    found = images.query(train["image"], k=1, progress=False)
    assert list(found["reference_label"]) == list(train["id"])
    assert np.allclose(list(found["distance"]), 0, atol=1e-3)
    assert cli.main([*command, "--backbone", f"{path}:0"]) == 2
    assert "size=0 cannot be used with mine" in capsys.readouterr().err
