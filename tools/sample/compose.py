"""Placing a drawing on a background: size, turn, tint, light, blur."""

import numpy as np
from PIL import Image, ImageFilter

from tools.sample.backgrounds import scene

# Drawn this much larger than the result, so that shrinking smooths what was drawn.
SUPERSAMPLING = 4


class Placement:
    """How large and how varied drawings are placed; all numbers are ranges (low, high).

    Parameters
    ----------
    fill : (float, float)
        The drawing's longer side, as a share of the picture's shorter one.
    turn : float
        Largest turn to either side, in degrees.
    hue : float
        Largest change of hue to either side, as a share of the color circle.
    """

    def __init__(self, fill=(0.72, 1.05), turn=12.0, hue=0.04):
        self.fill, self.turn, self.hue = fill, turn, hue


def picture(random, drawing, width, height, placement):
    """Return one finished picture.

    Parameters
    ----------
    random : numpy.random.RandomState
    drawing : PIL.Image.Image
        RGBA, transparent outside.
    width, height : int
        Size of the result in pixels.
    placement : Placement

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    image, _ = draw_large(random, drawing, width, height, placement)
    return shrink(random, image, width, height)


def draw_large(random, drawing, width, height, placement):
    """Return the picture `SUPERSAMPLING` times as large, and the box of its drawing.

    Returns
    -------
    image : PIL.Image.Image
    box : tuple of int
        Left, top, right and bottom of the drawing; parts may lie outside the image.
    """
    large = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    canvas = scene(random, *large)
    cut = vary(random, drawing, min(large), placement)
    left, top = offset(random, large[0] - cut.width), offset(random, large[1] - cut.height)
    canvas = paste(random, canvas, cut, left, top)
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    return image, (left, top, left + cut.width, top + cut.height)


def shrink(random, image, width, height):
    """Return a large picture as a camera would take it: blurred, small, with grain."""
    blurred = image.filter(ImageFilter.GaussianBlur(random.uniform(0.1, 0.6) * SUPERSAMPLING / 2))
    small = np.asarray(blurred.resize((width, height), Image.BOX), dtype=np.float64)
    grain = random.standard_normal(small.shape) * random.uniform(0.5, 3)
    return np.clip(np.rint(small + grain), 0, 255).astype(np.uint8)


def vary(random, drawing, side, placement):
    """Return the drawing flipped, turned, tinted and scaled."""
    cut = drawing.crop(drawing.getchannel("A").getbbox())
    if random.rand() < 0.5:
        cut = cut.transpose(Image.FLIP_LEFT_RIGHT)
    cut = tint(random, cut, placement.hue)
    angle = random.uniform(-placement.turn, placement.turn)
    cut = cut.rotate(angle, Image.BICUBIC, expand=True)
    longer = side * random.uniform(*placement.fill)
    scale = longer / max(cut.size)
    stretch = random.uniform(0.9, 1.1)
    size = (max(1, round(cut.width * scale * stretch)), max(1, round(cut.height * scale)))
    return cut.resize(size, Image.LANCZOS)


def tint(random, cut, hue):
    """Return the drawing in other colors: hue turned, saturation and brightness changed."""
    alpha = cut.getchannel("A")
    hsv = np.asarray(cut.convert("RGB").convert("HSV"), dtype=np.float64)
    hsv[..., 0] = (hsv[..., 0] + 255 * random.uniform(-hue, hue)) % 255
    hsv[..., 1] *= random.uniform(0.5, 1.0)
    hsv[..., 2] *= random.uniform(0.7, 1.0)
    colored = Image.fromarray(np.clip(hsv, 0, 255).astype(np.uint8), "HSV").convert("RGB")
    colored.putalpha(alpha)
    return colored


def paste(random, canvas, cut, left, top):
    """Return the canvas with the drawing and its soft shadow on it."""
    height, width = canvas.shape[:2]
    layer = Image.new("RGBA", (width, height))
    layer.paste(cut, (left, top))
    pixels = np.asarray(layer, dtype=np.float64)
    cover = pixels[..., 3:] / 255
    blur = ImageFilter.GaussianBlur(0.03 * max(cut.size))
    shadow = Image.new("L", (width, height))
    shadow.paste(cut.getchannel("A"), (left, top + round(0.05 * cut.height)))
    dark = np.asarray(shadow.filter(blur), dtype=np.float64)[..., None] / 255
    canvas = canvas * (1 - random.uniform(0.15, 0.45) * dark)
    return canvas * (1 - cover) + pixels[..., :3] * cover


def offset(random, room):
    """Return where the drawing begins: near the middle of the room, which may be negative."""
    return int(round(room * (0.5 + random.uniform(-0.35, 0.35))))
