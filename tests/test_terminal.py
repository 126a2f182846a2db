"""Pictures in terminals: what is written is read back as the terminal would."""

import base64
import io
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from image_retrieval import terminal

RED, BLUE = (250, 10, 20), (20, 30, 200)


@pytest.fixture
def pictures():
    halves = np.empty((30, 40, 3), np.uint8)
    halves[:, :20], halves[:, 20:] = RED, BLUE
    return [(halves, "query"), (np.full((9, 9, 3), 90, np.uint8), "1 a caption that is too long")]


def written(pictures, way, columns=80, **environ):
    stream = io.StringIO()
    terminal.show(pictures, way, stream, columns, environ)
    return stream.getvalue()


def near(pixel, color, tolerance=4):
    return np.abs(np.asarray(pixel[:3], int) - color).max() <= tolerance


def check_strip(image):
    """The strip of two pictures: each centered in nothing, and nothing between them."""
    assert image.size == (400, 200)
    pixels = np.asarray(image.convert("RGBA"))
    assert near(pixels[20, 20], RED) and near(pixels[20, 150], BLUE)
    assert near(pixels[50, 290], (90, 90, 90))
    assert pixels[50, 195, 3] == 0 and pixels[190, 20, 3] == 0


def test_kitty_gets_a_png_in_chunks_of_at_most_4096_characters():
    random = np.random.RandomState(0).randint(0, 256, (60, 60, 3)).astype(np.uint8)
    text = written([(random, "noise")], "kitty")
    chunks = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert len(chunks) > 1 and max(len(data) for _, data in chunks) <= 4096
    assert "a=T,f=100,q=2,c=20,r=10,m=1" in chunks[0][0]
    assert [keys for keys, _ in chunks[1:]] == ["m=1"] * (len(chunks) - 2) + ["m=0"]
    image = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in chunks))))
    assert image.size == (200, 200)


def test_kitty_and_iterm2_show_the_pictures(pictures):
    text = written(pictures, "kitty")
    data = "".join(re.findall(r"\x1b_G[^;]*;([^\x1b]*)\x1b\\", text))
    check_strip(Image.open(io.BytesIO(base64.b64decode(data))))
    text = written(pictures, "iterm2")
    (keys, data), *rest = re.findall(r"\x1b\]1337;File=([^:]*):([^\a]*)\a", text)
    assert rest == [] and "inline=1" in keys and "width=40;height=10" in keys
    check_strip(Image.open(io.BytesIO(base64.b64decode(data))))


def read_sixel(text):
    """Return what a terminal would paint, as RGBA."""
    body = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)(.*)\x1b\\', text, re.DOTALL)
    width, height = int(body.group(1)), int(body.group(2))
    pixels, palette = np.zeros((height + 6, width, 4), np.uint8), {}
    x = y = color = 0
    for token in re.finditer(
        r"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([$-])|([?-~])", body.group(3)
    ):
        code, r, g, b, count, repeated, move, single = token.groups()
        if code is not None and r is not None:
            palette[int(code)] = [int(int(part) * 255 / 100) for part in (r, g, b)]
        elif code is not None:
            color = int(code)
        elif move:
            x, y = 0, y + 6 * (move == "-")
        else:
            n, bits = int(count or 1), ord(repeated or single) - 63
            for row in range(6):
                if bits >> row & 1:
                    pixels[y + row, x : x + n] = [*palette[color], 255]
            x += n
    return Image.fromarray(pixels[:height], "RGBA")


def test_sixel_paints_the_pictures_and_nothing_beside_them(pictures):
    image = read_sixel(written(pictures, "sixel").splitlines()[0])
    assert image.size == (400, 200)
    pixels = np.asarray(image)
    assert near(pixels[20, 20], RED, 8) and near(pixels[20, 150], BLUE, 8)
    assert near(pixels[50, 290], (90, 90, 90), 8)
    assert pixels[50, 195, 3] == 0 and pixels[190, 20, 3] == 0


@pytest.mark.parametrize(
    ("environ", "first"),
    [
        ({"COLORTERM": "truecolor"}, "\x1b[38;2;250;10;20m\x1b[48;2;250;10;20m▀"),
        ({}, "\x1b[38;5;196m\x1b[48;5;196m▀"),
    ],
)
def test_half_blocks_have_a_color_for_each_half(pictures, environ, first):
    lines = written(pictures, "blocks", **environ).splitlines()
    assert lines[0].startswith(first)
    assert len(lines) == 11 and all(line.endswith("\x1b[0m") for line in lines[:-1])
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    assert max(map(len, plain[:-1])) <= 40
    assert plain[-1] == "query               1 a caption that is"


def test_a_narrow_terminal_gets_one_picture_a_row(pictures):
    assert len(written(pictures, "blocks", columns=30).splitlines()) == 22
    assert written(pictures, "none") == ""


class Stream(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "iTerm.app"}, "blocks"),
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, "none"),
        ({"TERM": "dumb"}, "none"),
        ({}, "none"),
    ],
)
def test_the_way_follows_what_the_terminal_says_of_itself(environ, way, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert terminal.best_way(Stream(), environ) == way
    assert terminal.best_way(io.StringIO(), environ) == "none"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(
    ("answer", "way"), [(b"\x1b[?62;4;22c", "sixel"), (b"\x1b[?62;22c", "blocks"), (b"", "blocks")]
)
def test_a_terminal_is_asked_for_sixel_and_may_stay_silent(answer, way):
    import pty

    keyboard, screen = pty.openpty()
    environment = {
        **os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip
    for name in ("TMUX", "TERM_PROGRAM", "KITTY_WINDOW_ID", "LC_TERMINAL", "NO_COLOR"):
        environment.pop(name, None)
    code = "from image_retrieval import terminal; print('way:', terminal.best_way())"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=screen, stdout=screen, env=environment
    ) as program:
        os.close(screen)
        shown = read_until(keyboard, b"\x1b\\[c")
        os.write(keyboard, answer)
        shown += read_until(keyboard, b"way: [a-z0-9]+\\s")
    os.close(keyboard)
    assert f"way: {way}".encode() in shown
    assert program.returncode == 0


def read_until(keyboard, wanted):
    shown, end = b"", time.monotonic() + 60
    while not re.search(wanted, shown) and time.monotonic() < end:
        shown += os.read(keyboard, 1024)
    return shown
