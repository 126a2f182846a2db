"""Words as queries: a made pair whose two networks agree by construction.

The vector of a picture is its mean color, and that of a text the mean of its words' colors.
"""

import json

import numpy as np
import pytest
from PIL import Image

from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.features import (
    Extraction,
    backbone,
    extract,
    extract_map,
    extract_text,
    extraction_from_record,
    onnx_backbone,
    zero_shot,
)
from tests import onnx_models

tokenizers = pytest.importorskip("tokenizers")

COLORS = {"red": [1, 0, 0], "green": [0, 1, 0], "blue": [0, 0, 1], "white": [1, 1, 1]}
SPECIAL = ["<pad>", "<unk>", "a", "photo", "of"]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(backbone, "_own", {})


def word_tokenizer(path):
    """Write a tokenizer of whole words."""
    words = {word: number for number, word in enumerate([*SPECIAL, *COLORS])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    made.normalizer = tokenizers.normalizers.Lowercase()
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(path))
    return path


def table():
    """Return the color of each token; words that are no colors have none."""
    rows = [[0, 0, 0]] * len(SPECIAL) + list(COLORS.values())
    return np.array(rows, np.float32)


@pytest.fixture
def pair(tmp_path):
    """The description of a pair, as a TOML file."""
    onnx_models.colors(tmp_path / "colors.onnx")
    onnx_models.color_words(tmp_path / "text.onnx", table())
    word_tokenizer(tmp_path / "tokenizer.json")
    path = tmp_path / "colors.toml"
    path.write_text(
        "size = 8\nmean = [0, 0, 0]\nstd = [1, 1, 1]\n"
        '[text]\nmodel = "text.onnx"\ntokenizer = "tokenizer.json"\nlength = 6\npad = "<pad>"\n',
        encoding="utf-8",
    )
    return str(path)


def pictures():
    return np.array([np.full((8, 8, 3), color) * 200 for color in COLORS.values()], np.uint8)


def test_words_and_pictures_that_mean_the_same_have_the_same_vector(pair):
    X = extract(pictures(), pair)
    T = extract_text(COLORS, pair)
    assert T.dtype == np.float32 and T.shape == (4, 3)
    np.testing.assert_allclose(X, T, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(extract_text("Red and blue", pair), [[0.5**0.5, 0, 0.5**0.5]])


def test_a_text_does_not_depend_on_those_beside_it_and_long_ones_are_cut(pair):
    texts = ["red", "a photo of a green red", "white " * 50, ""]
    together = extract_text(texts, pair)
    for text, vector in zip(texts, together):
        np.testing.assert_allclose(extract_text(text, pair)[0], vector, atol=1e-6)
    assert together[3].tolist() == [0, 0, 0]
    assert extract_text([], pair).shape == (0, 3)
    np.testing.assert_allclose(extract_text("a a a a a a red", pair), [[0, 0, 0]])


@pytest.mark.parametrize("engine", ["exact", "turicreate"])
def test_an_index_of_pictures_is_asked_for_words(pair, tmp_path, engine):
    pytest.importorskip("turicreate")
    names = list(COLORS)
    data = {"id": names, "deep_features": extract(pictures(), pair).tolist()}
    images = index.create(data, engine=engine, extraction=pair)
    images.save(tmp_path / "index")
    for asked in (images, index.load(tmp_path / "index")):
        assert list(asked.query("a green photo", k=1)["reference_label"]) == ["green"]
        found = asked.query(["blue", "red and white " * 99], k=1)
        assert list(found["reference_label"]) == ["blue", "white"]
        assert np.allclose(list(asked.query(names, k=1)["distance"]), 0, atol=1e-3)


def test_a_string_that_names_a_file_is_a_picture(pair, tmp_path, monkeypatch):
    data = {"id": list(COLORS), "deep_features": extract(pictures(), pair).tolist()}
    images = index.create(data, extraction=pair)
    Image.fromarray(pictures()[2]).save(tmp_path / "red.png")
    monkeypatch.chdir(tmp_path)
    for query in ("red.png", ["red.png"], tmp_path / "red.png"):
        assert list(images.query(query, k=1)["reference_label"]) == ["blue"]
    with pytest.raises(InputError, match="picture 1: .*gone"):
        images.query(["red.png", "gone.png"])
    plain = index.create(
        {"id": [1], "deep_features": [[0.0] * 1280]}, extraction="efficientnet_lite2"
    )
    with pytest.raises(InputError, match="picture 0: .*a red car"):
        plain.query("a red car")


def test_labels_come_without_training(pair):
    labels = zero_shot(extract(pictures(), pair), ["blue", "green", "red"], pair)
    assert labels[:3] == ["red", "green", "blue"]


def test_a_recipe_meant_for_pictures_goes_for_words_too(pair):
    X = extract(pictures(), pair)
    how = Extraction(pair).fitted(X)
    found = np.linalg.norm(extract(pictures(), how) - extract_text(COLORS, how), axis=1)
    np.testing.assert_allclose(found, 0, atol=1e-5)


def test_a_record_knows_which_words_go_with_it(pair, tmp_path, monkeypatch):
    how = Extraction(pair)
    record = json.loads(json.dumps(how.as_record()))
    monkeypatch.setattr(backbone, "_own", {})
    np.testing.assert_array_equal(
        extract_text("red", extraction_from_record(record)), extract_text("red", pair)
    )
    monkeypatch.setattr(backbone, "_own", {})
    onnx_models.color_words(tmp_path / "text.onnx", table() * 2)
    assert Extraction(pair) != how
    with pytest.raises(InputError, match="has no layer='image_embeds, words"):
        extract_text("red", how)


def test_pairs_have_no_map(pair, tmp_path):
    with pytest.raises(InputError, match="one vector per picture, with no map"):
        extract_map(pictures(), pair)
    path = onnx_models.convolutional(tmp_path / "net.onnx")
    text = {"model": tmp_path / "text.onnx", "tokenizer": tmp_path / "tokenizer.json"}
    with pytest.raises(InputError, match="words find pictures by vectors only"):
        onnx_backbone(
            path, size=8, mean=[0] * 3, std=[1] * 3, layout="nchw", text={**text, "pad": "<pad>"}
        )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "pad=None is not one of its tokens; give the one that fills up texts"),
        ('pad = "<end>"', "pad='<end>' is not one of its tokens"),
        ('pad = "<pad>"\nlength = 0', "length=0 must be a number of tokens"),
        ('pad = "<pad>"\noutput = "logits"', "no output 'logits'; .*text_embeds"),
        ('pad = "<pad>"\ncolor = 1', "must give model and tokenizer, and may"),
    ],
)
def test_a_pair_that_is_badly_described_is_one_line(pair, tmp_path, line, words):
    path = tmp_path / "colors.toml"
    text = path.read_text(encoding="utf-8").split("length")[0]
    path.write_text(text + line, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        Extraction(str(path))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tokenizer_or_no_network_for_words_are_one_line(pair, tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="tokenizer.json: no tokenizer .*give a tokenizer.json"):
        Extraction(pair)
    onnx_models.colors(tmp_path / "text.onnx")
    with pytest.raises(InputError, match="it takes .*tensor.float.*; it may take input_ids"):
        Extraction(pair)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="tokenizer.json: cannot read it"):
        Extraction(pair)


def test_what_takes_no_words_says_so(pair):
    with pytest.raises(InputError, match="efficientnet_lite2 at 160 px takes no words"):
        extract_text("red", None)
    with pytest.raises(InputError, match="text 1: int is not text"):
        extract_text(["red", 5], pair)


def clip_tokenizer(path):
    """Write a vocabulary as CLIP's: pairs of bytes, words that end in </w>, start and end."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges = [("c", "a"), ("ca", "r</w>"), ("r", "e"), ("re", "d</w>"), ("ca", "t</w>")]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges), start, end]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    model = tokenizers.models.BPE(
        vocabulary, merges, unk_token=end, end_of_word_suffix="</w>", continuing_subword_prefix=""
    )
    made = tokenizers.Tokenizer(model)
    lower = tokenizers.normalizers.Lowercase()
    made.normalizer = tokenizers.normalizers.Sequence([tokenizers.normalizers.NFC(), lower])
    split = tokenizers.pre_tokenizers.Split(
        tokenizers.Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"),
        "removed",
        invert=True,
    )
    byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Sequence([split, byte_level])
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(t, vocabulary[t]) for t in (start, end)]
    )
    made.save(str(path))
    return vocabulary


@pytest.mark.parametrize("mask", [True, False])
def test_a_vocabulary_as_clip_has_it(tmp_path, mask):
    vocabulary = clip_tokenizer(tmp_path / "tokenizer.json")
    table = np.random.RandomState(0).standard_normal((len(vocabulary), 3)).astype(np.float32)
    onnx_models.color_words(tmp_path / "text.onnx", table, mask)
    files = {"model": tmp_path / "text.onnx", "tokenizer": tmp_path / "tokenizer.json"}
    own = onnx_backbone(
        onnx_models.colors(tmp_path / "colors.onnx"),
        size=8,
        mean=[0] * 3,
        std=[1] * 3,
        text={**files, "length": 8, "pad": "<|endoftext|>"},
    )
    words = ["<|startoftext|>", "red</w>", "ca", "r", "s</w>", "!</w>", "<|endoftext|>"]
    expected = table[[vocabulary[word] for word in words]].sum(axis=0)
    expected = expected + (0 if mask else table[vocabulary["<|endoftext|>"]])
    found = extract_text("Red  CARS!", own)
    np.testing.assert_allclose(found[0], expected / np.linalg.norm(expected), atol=1e-5)
