import numpy as np
import pytest
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb, as_rgb_list, is_one_picture, iterate_rgb

RED = (255, 0, 0)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def test_an_rgb_array_stays_as_it_is_in_a_copy(pixels):
    for array in (pixels, pixels[:, ::-1], np.asfortranarray(pixels)):
        rgb = as_rgb(array)
        assert rgb.dtype == np.uint8
        assert rgb.flags.c_contiguous
        assert (rgb == array).all()
        rgb[:] = 0
    assert pixels.any()


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1)])
def test_gray_arrays_get_three_equal_channels(pixels, shape):
    gray = pixels[:, :, 0].reshape(shape)
    rgb = as_rgb(gray)
    assert rgb.shape == (5, 7, 3)
    assert (rgb == pixels[:, :, :1]).all()


def test_transparency_is_laid_over_white():
    array = np.zeros((1, 3, 4), np.uint8)
    array[0, 1] = [255, 0, 0, 255]
    array[0, 2] = [0, 0, 0, 128]
    for image in (array, Image.fromarray(array)):
        assert as_rgb(image)[0].tolist() == [[255, 255, 255], [255, 0, 0], [127, 127, 127]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "HSV"])
def test_every_pillow_mode_becomes_rgb(mode):
    white = Image.new("RGB", (4, 3), "white")
    rgb = as_rgb(white.convert(mode))
    assert rgb.shape == (3, 4, 3)
    assert (rgb == 255).all()


def test_a_palette_with_a_transparent_entry_is_laid_over_white(tmp_path):
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "p.png", transparency=0)
    assert as_rgb(tmp_path / "p.png")[0].tolist() == [[255, 255, 255], [255, 0, 0]]


def test_sixteen_bit_gray_keeps_its_shades(tmp_path):
    deep = np.array([[0, 0x1234, 0x80FF, 0xFFFF]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert as_rgb(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 0x12, 0x80, 0xFF]


def test_a_file_is_turned_upright(tmp_path):
    image = Image.new("RGB", (4, 2), "white")
    image.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    image.save(tmp_path / "turned.png", exif=exif)
    rgb = as_rgb(str(tmp_path / "turned.png"))
    assert rgb.shape == (4, 2, 3)
    assert rgb[0, 1].tolist() == list(RED)


def test_turi_create_images_are_known_by_their_pixels(pixels):
    class Stub:
        pixel_data = pixels

    assert (as_rgb(Stub()) == pixels).all()
    assert is_one_picture(Stub())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((4, 4, 3)), "array of uint8, got an array of float64"),
        (np.zeros((4, 4, 2), np.uint8), r"got \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), r"got \(0, 4, 3\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"got \(1, 4, 4, 3\)"),
        (None, "got NoneType"),
        ("nowhere.png", "nowhere.png: no such picture file"),
    ],
)
def test_what_is_no_picture_is_named(value, message):
    with pytest.raises(InputError, match=message) as caught:
        as_rgb(value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_whole_pictures_are_named(tmp_path):
    text, cut, folder = tmp_path / "notes.jpg", tmp_path / "cut.jpg", tmp_path / "folder.jpg"
    text.write_text("no picture")
    Image.effect_noise((64, 64), 50).save(cut)
    cut.write_bytes(cut.read_bytes()[:600])
    folder.mkdir()
    for path, message in (
        (text, "not a picture"),
        (cut, "cannot be read"),
        (folder, "a folder, not"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            as_rgb(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_damaged_files_give_an_input_error_or_a_picture(tmp_path, pixels, form):
    path = tmp_path / "picture"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(path, form, **({} if form in ("GIF", "BMP") else {"exif": exif}))
    whole, random = path.read_bytes(), np.random.default_rng(0)
    failed = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 3):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(bytes(damaged))
        try:
            assert as_rgb(path).dtype == np.uint8
        except InputError as error:
            failed += 1
            assert "\n" not in str(error)
    assert failed


def test_lists_keep_every_size_and_order(pixels):
    small = np.zeros((2, 2), np.uint8)
    listed = as_rgb_list([pixels, small, Image.fromarray(pixels)])
    assert [image.shape for image in listed] == [(5, 7, 3), (2, 2, 3), (5, 7, 3)]
    assert len(as_rgb_list(np.stack([pixels] * 4))) == 4
    assert len(as_rgb_list(pixels)) == 1


def test_iteration_reads_one_picture_at_a_time(pixels):
    read = []

    def pictures():
        for number in range(3):
            read.append(number)
            yield pixels

    next(iterate_rgb(pictures()))
    assert read == [0]


def test_the_position_of_a_bad_picture_is_named(pixels):
    with pytest.raises(InputError, match="picture 1: .* got NoneType"):
        as_rgb_list([pixels, None])
    with pytest.raises(InputError, match="pictures must be a sequence, got int"):
        as_rgb_list(5)
