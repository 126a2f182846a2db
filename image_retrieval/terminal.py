"""Pictures in a terminal, by whichever way it understands.

Sources: Kitty's graphics protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol/),
iTerm2's inline images (https://iterm2.com/documentation-images.html), and Sixel as in the VT330
and VT340 manual, chapter 14 (https://vt100.net/docs/vt3xx-gp/chapter14.html). All others that
have colors get half blocks: a character for two pixels.
"""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Mapping, Sequence

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    pass

WAYS = ("kitty", "iterm2", "sixel", "blocks", "none")
# Of a picture, in characters, and a character in pixels.
_WIDE, _HIGH = 20, 10
_CHARACTER = (10, 20)
_CHUNK = 4096
_PATIENCE = 0.3  # seconds for a terminal to say what it is
_KITTY = {"kitty", "ghostty"}
_ITERM2 = {"iTerm.app", "iTerm2", "WezTerm", "mintty", "vscode", "rio"}


def best_way(stream: Any = None, environ: Mapping[str, str] | None = None) -> str:
    """Return how the terminal of a stream shows pictures.

    Parameters
    ----------
    stream : file, optional
        Standard output when not given.
    environ : mapping, optional
        The environment variables; the process's own when not given.

    Returns
    -------
    str
        One of `WAYS`; "none" where it is no terminal, or one without colors.
    """
    stream, environ = stream or sys.stdout, os.environ if environ is None else environ
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if not stream.isatty() or term in ("", "dumb") or environ.get("NO_COLOR"):
        return "none"
    # What multiplexes terminals passes graphics on only if told to.
    if not environ.get("TMUX") and not term.startswith(("screen", "tmux")):
        if environ.get("KITTY_WINDOW_ID") or program in _KITTY or term.startswith("xterm-kitty"):
            return "kitty"
        if {program, environ.get("LC_TERMINAL")} & _ITERM2:
            return "iterm2"
        if _says_sixel(stream):
            return "sixel"
    encoding = (getattr(stream, "encoding", None) or "").lower()
    return "blocks" if encoding.startswith("utf") else "none"


def show(
    pictures: Sequence[Any],
    way: str,
    stream: Any = None,
    columns: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> None:
    """Write pictures side by side, each with a caption below it.

    Parameters
    ----------
    pictures : list of (ndarray of uint8 (h, w, 3), str)
    way : str
        One of `WAYS`; nothing is written for "none".
    stream : file, optional
        Standard output when not given.
    columns : int, optional
        Width of the terminal in characters.
    environ : mapping, optional
    """
    stream, environ = stream or sys.stdout, os.environ if environ is None else environ
    columns = columns or shutil.get_terminal_size().columns
    per_row = max(1, columns // _WIDE)
    for start in range(0, len(pictures) if way != "none" else 0, per_row):
        row = pictures[start : start + per_row]
        stream.write(_drawn([pixels for pixels, _ in row], way, environ) + "\n")
        captions = (caption[: _WIDE - 1].ljust(_WIDE) for _, caption in row)
        stream.write("".join(captions).rstrip() + "\n")
    stream.flush()


def _drawn(pictures, way, environ):
    across = _WIDE * len(pictures)
    if way == "blocks":
        rich = environ.get("COLORTERM") in ("truecolor", "24bit")
        return _blocks(_strip(pictures, (1, 2)), rich)
    strip = _strip(pictures, _CHARACTER)
    draw = {"kitty": _kitty, "iterm2": _iterm2, "sixel": _sixel}[way]
    return draw(strip, across)


def _strip(pictures, character):
    """Return pictures side by side as RGBA, each as large as fits into its place."""
    width, height = _WIDE * character[0], _HIGH * character[1]
    strip = Image.new("RGBA", (width * len(pictures), height))
    for place, pixels in enumerate(pictures):
        image = Image.fromarray(pixels)
        scale = min((width - character[0]) / image.width, height / image.height)
        size = [max(1, int(side * scale)) for side in image.size]
        few = max(image.size) < max(size)
        image = image.resize(size, Image.Resampling.NEAREST if few else Image.Resampling.LANCZOS)
        strip.paste(image, (place * width, 0))
    return strip


def _base64_png(strip):
    file = io.BytesIO()
    strip.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _kitty(strip, columns):
    data = _base64_png(strip)
    parts = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    # q=2: no answer, which would come in as if it were typed.
    heads = [f"a=T,f=100,q=2,c={columns},r={_HIGH},", *[""] * (len(parts) - 1)]
    more = [1] * (len(parts) - 1) + [0]
    return "".join(f"\x1b_G{head}m={m};{part}\x1b\\" for head, m, part in zip(heads, more, parts))


def _iterm2(strip, columns):
    size = f"width={columns};height={_HIGH};preserveAspectRatio=0"
    return f"\x1b]1337;File=inline=1;{size}:{_base64_png(strip)}\a"


def _sixel(strip, columns):
    seen = np.asarray(strip)[:, :, 3] > 0
    flat = strip.convert("RGB").quantize(255)
    codes = np.where(seen, np.asarray(flat).astype(int), -1)
    palette = np.array(flat.getpalette()[:765]).reshape(-1, 3) * 100 // 255
    colors = "".join(
        f"#{code};2;{red};{green};{blue}"
        for code, (red, green, blue) in enumerate(palette.tolist())
    )
    bands = [_band(codes[top : top + 6]) for top in range(0, len(codes), 6)]
    return f'\x1bP0;1;0q"1;1;{strip.width};{strip.height}{colors}{"-".join(bands)}\x1b\\'


def _band(codes):
    """Return six rows of pixels: for each color, a character a column with a bit a row."""
    bits = (1 << np.arange(len(codes)))[:, None]
    rows = []
    for code in np.unique(codes[codes >= 0]).tolist():
        values = ((codes == code) * bits).sum(axis=0) + 63
        text = "".join(map(chr, values.tolist()))
        rows.append(f"#{code}" + re.sub(r"(.)\1{3,}", _repeated, text))
    return "$".join(rows)


def _repeated(run):
    return f"!{len(run.group())}{run.group(1)}"


def _blocks(strip, rich):
    pixels = np.asarray(strip).astype(int)
    lines = []
    for top, bottom in zip(pixels[::2], pixels[1::2]):
        cells = zip(top.tolist(), bottom.tolist())
        lines.append("".join(_block(*cell, rich) for cell in cells).rstrip() + "\x1b[0m")
    return "\n".join(lines)


def _block(top, bottom, rich):
    if not top[3]:
        return "\x1b[0m "
    below = f"\x1b[48;{_color(bottom, rich)}m" if bottom[3] else "\x1b[49m"
    return f"\x1b[38;{_color(top, rich)}m{below}\N{UPPER HALF BLOCK}"


def _color(pixel, rich):
    red, green, blue = pixel[:3]
    if rich:
        return f"2;{red};{green};{blue}"
    # The 6 x 6 x 6 colors of a palette of 256.
    return f"5;{16 + 36 * round(red / 51) + 6 * round(green / 51) + round(blue / 51)}"


def _says_sixel(stream):
    """Ask the terminal for its attributes, of which 4 is Sixel."""
    try:
        import termios
        import tty
    except ImportError:  # Windows
        return False
    if not (sys.stdin and sys.stdin.isatty()):
        return False
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        stream.write("\x1b[c")
        stream.flush()
        attributes = re.search(rb"\x1b\[\?([\d;]+)c", _answer(keyboard))
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
    return attributes is not None and b"4" in attributes.group(1).split(b";")


def _answer(keyboard):
    from select import select

    answer = b""
    while not answer.endswith(b"c") and select([keyboard], [], [], _PATIENCE)[0]:
        answer += os.read(keyboard, 64)
    return answer
