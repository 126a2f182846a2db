"""Pictures that are something else, too large, or links to one another."""

import io
import os
import warnings

import numpy as np
import pytest
from fault_tools import python
from PIL import Image

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
