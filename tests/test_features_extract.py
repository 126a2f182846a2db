import subprocess
import sys
import threading
import tracemalloc
from functools import partial

import numpy as np
import pytest
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.features import extract, extract_map
from image_retrieval.features import extracting as extract_module
from image_retrieval.features.preprocessing import resize


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (21, 24, 32, 3), np.uint8)


@pytest.fixture(scope="module")
def features(pictures):
    """Each picture on its own, so that nothing can be mixed up."""
    return np.concatenate([extract(picture, size=64) for picture in pictures])


@pytest.mark.parametrize("batch_size", [1, 4, 7, 32])
def test_order_and_values_do_not_depend_on_the_batch_size(pictures, features, batch_size):
    X = extract(pictures, size=64, batch_size=batch_size)
    assert X.shape == (21, 1280)
    np.testing.assert_allclose(X, features, atol=1e-5)


def test_the_same_twice(pictures, features):
    np.testing.assert_array_equal(extract(pictures, size=64), extract(pictures, size=64))


def test_every_form_of_pictures_gives_the_same(pictures, features, tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(len(pictures))]
    for file, picture in zip(files, pictures):
        Image.fromarray(picture).save(file)
    forms = {
        "list": list(pictures),
        "generator": (picture for picture in pictures),
        "pillow": [Image.fromarray(picture) for picture in pictures],
        "paths": files,
        "strings": [str(file) for file in files],
        "opened files": [Image.open(file) for file in files],
    }
    for name, form in forms.items():
        np.testing.assert_allclose(extract(form, size=64), features, atol=1e-5, err_msg=name)


def test_turicreate_images_are_taken(pictures, features):
    turicreate = pytest.importorskip("turicreate")
    images = turicreate.SArray(
        [
            turicreate.Image(
                _image_data=picture.tobytes(),
                _width=32,
                _height=24,
                _channels=3,
                _format_enum=2,
                _image_data_size=picture.size,
            )
            for picture in pictures
        ]
    )
    np.testing.assert_allclose(extract(images, size=64), features, atol=1e-5)
    np.testing.assert_allclose(extract(images[3], size=64), features[3:4], atol=1e-5)


def test_pictures_of_different_sizes_and_modes():
    gray = np.full((5, 9), 128, np.uint8)
    color = np.full((40, 20, 3), 128, np.uint8)
    X = extract([gray, color, Image.new("RGBA", (3, 3), (128, 128, 128, 255))], size=64)
    assert X.std() > 0
    np.testing.assert_allclose(X, np.repeat(X[:1], 3, axis=0), atol=1e-5)


def test_one_pillow_picture_given_many_times(tmp_path, pictures, features):
    Image.fromarray(pictures[2]).save(tmp_path / "a.png")
    X = extract([Image.open(tmp_path / "a.png")] * 8, size=64)
    np.testing.assert_allclose(X, np.repeat(features[2:3], 8, axis=0), atol=1e-5)


def test_a_generator_that_reuses_its_array(pictures, features):
    def frames():
        frame = np.empty_like(pictures[0])
        for picture in pictures:
            frame[...] = picture
            yield frame

    np.testing.assert_allclose(extract(frames(), size=64), features, atol=1e-5)


def test_no_pictures_give_no_rows():
    for nothing in ([], iter(()), np.empty((0, 32, 32, 3), np.uint8)):
        X = extract(nothing, size=64)
        assert X.shape == (0, 1280)
        assert X.dtype == np.float32
    assert extract_map([], size=64).shape == (0, 2, 2, 1280)
    assert extract([], size=64, pooling=None).shape == (0, 2 * 2 * 1280)


def test_flip_averages_with_the_mirror_image(pictures, features):
    mirrored = extract(pictures[:, :, ::-1], size=64)
    both = extract(pictures, size=64, flip=True)
    assert np.abs(mirrored - features).max() > 0.1
    np.testing.assert_allclose(both, (features + mirrored) / 2, atol=1e-5)


def test_flip_puts_the_mirror_images_map_back_in_place(pictures):
    plain = extract_map(pictures[:3], size=64)
    mirrored = extract_map(pictures[:3, :, ::-1], size=64)
    both = extract_map(pictures[:3], size=64, flip=True)
    np.testing.assert_allclose(both, (plain + mirrored[:, :, ::-1]) / 2, atol=1e-5)
    pooled = extract(pictures[:3], size=64, flip=True)
    np.testing.assert_allclose(both.mean(axis=(1, 2)), pooled, atol=1e-5)


def test_without_pooling_a_vector_is_the_whole_map(pictures):
    flat = extract(pictures[:3], size=64, pooling=None)
    np.testing.assert_array_equal(flat, extract_map(pictures[:3], size=64).reshape(3, -1))


def test_pictures_are_stretched_by_pillows_bicubic_filter(pictures):
    expected = Image.fromarray(pictures[0]).resize((64, 64), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize(pictures[0], 64), np.asarray(expected))
    square = np.zeros((64, 64, 3), np.uint8)
    np.testing.assert_array_equal(resize(square, 64), square)


@pytest.mark.parametrize("position", [0, 9, 20])
def test_a_bad_picture_is_named_by_its_position(pictures, position):
    images = list(pictures)
    images[position] = images[position].astype(np.float32)
    with pytest.raises(InputError, match=rf"^picture {position}: .*float32") as caught:
        extract(images, size=64, batch_size=4)
    assert "\n" not in str(caught.value)


def test_a_bad_file_is_named(pictures, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    with pytest.raises(InputError, match=r"picture 2: .*broken\.jpg"):
        extract([*pictures[:2], tmp_path / "broken.jpg", pictures[3]], size=64)


def test_an_error_of_the_generator_comes_through_and_no_thread_is_left(pictures):
    def failing():
        yield from pictures
        raise RuntimeError("the camera was unplugged")

    with pytest.raises(RuntimeError, match="unplugged"):
        extract(failing(), size=64, batch_size=2)
    assert not [t for t in threading.enumerate() if t.name.startswith("extract")]


@pytest.mark.parametrize("images", [None, 3, object()])
def test_what_is_no_sequence_is_refused(images):
    with pytest.raises(InputError, match="pictures must be a sequence"):
        extract(images)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"size": 31}, "size=31"),
        ({"size": 64.0}, "size=64.0"),
        ({"size": "128"}, "size='128'"),
        ({"size": True}, "size=True"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 2.5}, "batch_size=2.5"),
        ({"pooling": "max"}, "pooling='max'"),
        ({"layer": "middle"}, "layer='middle'"),
        ({"extraction": "vgg"}, "'vgg'"),
        ({"extraction": 3}, "int"),
        ({"sizes": 3}, "no 'sizes'"),
    ],
)
def test_options_that_are_not_valid_are_refused(option, words):
    with pytest.raises(InputError) as caught:
        extract([], **option)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_generator_is_read_only_a_few_batches_ahead(monkeypatch, pictures):
    monkeypatch.setattr(extract_module, "available_cores", lambda: 2)
    taken, finished = [0], []

    def network(pixels):
        finished.append((taken[0], len(finished) * 4))
        return np.zeros((len(pixels), 3), np.float32)

    monkeypatch.setattr(extract_module, "_network", lambda *_: network)

    def counted():
        for _ in range(100):
            for picture in pictures[:4]:
                taken[0] += 1
                yield picture

    assert extract(counted(), size=64, batch_size=4).shape == (400, 3)
    assert max(ahead - done for ahead, done in finished) <= 6 * 4


def test_memory_does_not_grow_with_the_number_of_pictures(monkeypatch):
    monkeypatch.setattr(
        extract_module, "_network", lambda *_: lambda pixels: pixels[:, 0, 0].astype(np.float32)
    )

    def peak(n):
        tracemalloc.start()
        extract((np.zeros((48, 48, 3), np.uint8) for _ in range(n)), size=64, progress=False)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(100)
    assert peak(1600) < peak(200) + 1600 * 300


def test_the_progress_bar_appears_when_it_takes_long_and_never_when_off(
    monkeypatch, pictures, capsys
):
    # The notebooks' environment, which the tests share, hides all bars.
    monkeypatch.setattr(extract_module, "tqdm", partial(extract_module.tqdm, disable=False))
    extract(pictures, size=64)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(extract_module, "_PATIENCE", 0)
    extract(pictures, size=64)
    assert "21/21" in capsys.readouterr().err
    extract(pictures, size=64, progress=False)
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


def test_other_progress_bars_keep_their_monitor(pictures):
    before = extract_module.tqdm.monitor_interval
    assert before > 0
    extract(pictures[:2], size=64, threads=1)
    assert extract_module.tqdm.monitor_interval == before


def test_extracting_needs_neither_turicreate_nor_tensorflow():
    code = (
        "import sys, numpy; from image_retrieval.features import extract;"
        "extract(numpy.zeros((1, 32, 32, 3), numpy.uint8), size=32);"
        "sys.exit(not {'turicreate', 'tensorflow', 'torch'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
