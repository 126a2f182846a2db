"""Pictures that are something else, too large, or links to one another."""

import io
import os
import sys
import warnings

import numpy as np
import pytest
from fault_tools import command_line, python
from PIL import Image

from image_retrieval.datasets import load
from image_retrieval.datasets.pictures import find_files
from image_retrieval.errors import InputError
from image_retrieval.images import MAX_PIXELS, as_rgb
from image_retrieval.sframes import file_to_image

READ = "import sys; from image_retrieval.images import as_rgb; as_rgb(sys.argv[1])"


def png(width, height, mode="1"):
    stream = io.BytesIO()
    Image.new(mode, (width, height)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("side", [8200, 13300])
def test_a_picture_that_would_fill_the_memory_is_refused_from_its_header(side):
    data = png(side, side)
    assert side * side > MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (as_rgb, file_to_image):
            with pytest.raises(InputError, match=f"{side:,} x {side:,} pixels"):
                read(data)


def test_a_picture_of_any_usual_camera_is_read():
    assert as_rgb(png(8000, 6000)).shape == (6000, 8000, 3)


@pytest.mark.parametrize(
    "pixels",
    [
        np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8),
        np.arange(64, dtype=np.int32).reshape(8, 8) * 4,
        np.arange(64, dtype=np.uint16).reshape(8, 8) * 4,
    ],
    ids=["float", "int32", "uint16"],
)
def test_numbers_that_are_no_shades_are_refused_and_never_black(tmp_path, pixels):
    image = Image.fromarray(pixels)
    image.save(tmp_path / "deep.tif")
    for picture in (tmp_path / "deep.tif", image):
        with pytest.raises(InputError, match="8 bits"):
            as_rgb(picture)


@pytest.fixture
def ghostscript(tmp_path, monkeypatch):
    """Return the file that a stand-in for Ghostscript makes when it is started."""
    marker = tmp_path / "started"
    program = tmp_path / "bin" / "gs"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return marker


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_postscript_named_jpg_starts_no_program(tmp_path, ghostscript):
    (tmp_path / "eps.jpg").write_bytes(POSTSCRIPT)
    for read, picture in ((as_rgb, tmp_path / "eps.jpg"), (file_to_image, POSTSCRIPT)):
        with pytest.raises(InputError, match="not a picture of a format that is read"):
            read(picture)
    assert not ghostscript.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")
def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(str(tmp_path / "pipe.jpg"))
    done = python(READ, tmp_path / "pipe.jpg")
    assert done.stderr.splitlines()[-1].endswith("is a pipe or a device, not a file; give a file")


def pictures(folder, count=4):
    """Make a folder of pictures under the labels `cats` and `dogs`."""
    for label in ("cats", "dogs"):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            image = Image.new("RGB", (2, 2), (number, 0, 0))
            image.save(str(folder / label / f"{label}{number}.png"))
    return folder


def found(folder):
    return [str(path.relative_to(folder)) for path in find_files(folder)]


def test_links_lead_to_no_file_twice_and_no_walk_without_end(tmp_path):
    folder = pictures(tmp_path / "in")
    plain = found(folder)
    assert len(plain) == 8
    (folder / "cats" / "loop").symlink_to("..", target_is_directory=True)
    (folder / "dogs" / "loop").symlink_to("../..", target_is_directory=True)
    (folder / "cats" / "again.png").symlink_to("cats0.png")
    (folder / "birds").mkdir()
    (folder / "birds" / "cat.png").symlink_to("../cats/cats0.png")
    os.link(str(folder / "dogs" / "dogs1.png"), str(folder / "dogs" / "hard.png"))
    code = (
        "import sys; from pathlib import Path\n"
        "from image_retrieval.datasets.pictures import find_files\n"
        "print(len(find_files(Path(sys.argv[1]))))"
    )
    assert python(code, folder).stdout == "8\n"
    assert len({(folder / name).stat().st_ino for name in found(folder)}) == 8


def test_pictures_that_only_links_lead_to_are_taken(tmp_path):
    folder = pictures(tmp_path / "elsewhere")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "mine").symlink_to(folder / "cats", target_is_directory=True)
    assert found(tmp_path / "in") == [f"mine/cats{number}.png" for number in range(4)]


def test_folders_nested_very_deep_are_walked(tmp_path):
    code = (
        "import os, sys; from pathlib import Path\n"
        "from image_retrieval.datasets.pictures import find_files\n"
        "parent, deep = sys.argv[1], os.sep.join('a' * 1200)\n"
        "os.chdir(parent)\n"
        "for _ in range(1200): os.mkdir('a'); os.chdir('a')\n"
        "Path('x.png').write_bytes(b'')\n"
        "try: print(len(find_files(Path(parent))))\n"
        # What deletes old temporary folders would not get so deep.
        "finally: os.remove('x.png'); os.chdir(parent); os.removedirs(deep)"
    )
    done = python(code, tmp_path)
    assert done.stdout == "1\n", done.stderr


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names there are UTF-8")
def test_labels_are_utf8_whatever_the_terminal_is_set_to(tmp_path):
    folder = pictures(tmp_path / "in", 2)
    (folder / "cats").rename(folder / "café")
    (folder / "dogs").rename(os.fsdecode(os.fsencode(str(folder)) + b"/cat\xff"))
    done = command_line(
        "folder",
        folder,
        "--output",
        tmp_path / "out",
        "--backbone",
        "pixels",
        "--test-size",
        "0.5",
        LC_ALL="POSIX",
        PYTHONCOERCECLOCALE="0",
        PYTHONUTF8="0",
    )
    assert done.returncode == 0, done.stderr
    train, _ = load(tmp_path / "out")
    assert {*train["label"]} == {"café", "cat\\xff"}
