"""The bundled sample of the second system: nine classes of Caltech-101, drawn."""

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from image_retrieval.datasets.caltech101 import SAMPLE
from image_retrieval.datasets.cards import Picture
from image_retrieval.datasets.splits import SHARE, by_share
from tools.sample import drawings
from tools.sample.compose import Placement, draw_large, shrink

PER_LABEL = 34
# One in so many pictures is gray, as a few of the photographs are.
GRAY_EVERY = 17
FACES, CLOSE = "Faces", "Faces_easy"
WIDTHS, HEIGHTS = (130, 171), (88, 117)
_PLACEMENTS = {FACES: Placement(fill=(0.6, 0.8), turn=5, hue=0.0)}
_PLACEMENT = Placement(fill=(0.85, 1.2), turn=8, hue=0.05)
# The drawings are the same whatever seed splits the pictures.
_SEED = 0


def read(folder, options):
    """Yield the pictures as PNG files; `folder` holds the rendered drawings."""
    for number, (label, image, origin) in enumerate(draw(folder, _SEED)):
        file = BytesIO()
        Image.fromarray(image).save(file, "PNG", optimize=True)
        yield Picture(label, file.getvalue(), id=number, origin=origin)


def draw(folder, seed, per_label=PER_LABEL):
    """Yield label, picture and origin in the order of the archive's file names.

    Yields
    ------
    label : str
    image : ndarray of uint8, shape (h, w, 3), or (h, w) where it is gray
    origin : str
        The drawing; a close crop shows the one of the picture it was cut from.
    """
    random = np.random.RandomState(seed)
    listed = drawings.listed(drawings.CALTECH101)
    close = []
    for label in sorted(listed):
        cuts = [drawings.load(folder, drawing) for drawing in listed[label]]
        for number in range(per_label):
            drawing = listed[FACES if label == CLOSE else label][number % len(cuts)]
            if label == CLOSE:
                image = close[number]
            else:
                image, cropped = _picture(random, cuts[number % len(cuts)], label)
                close += [cropped] if label == FACES else []
            gray = number % GRAY_EVERY == GRAY_EVERY - 1
            yield label, _gray(image) if gray else image, drawings.origin(drawing)


def _picture(random, drawing, label):
    """Return a picture, and the close crop of the same picture around its drawing."""
    width, height = random.randint(*WIDTHS), random.randint(*HEIGHTS)
    placement = _PLACEMENTS.get(label, _PLACEMENT)
    image, box = draw_large(random, drawing, width, height, placement)
    whole = shrink(random, image, width, height)
    if label != FACES:
        return whole, None
    cropped = image.crop(_margin(random, box, image.size))
    scale = 100 / cropped.height
    return whole, shrink(random, cropped, round(cropped.width * scale), 100)


def _margin(random, box, size):
    margin = round((box[2] - box[0]) * random.uniform(0.0, 0.1))
    left, top = max(0, box[0] - margin), max(0, box[1] - margin)
    return left, top, min(size[0], box[2] + margin), min(size[1], box[3] + margin)


def _gray(image):
    return np.asarray(Image.fromarray(image).convert("L"))


CARD = replace(SAMPLE, read=read, split=by_share, options=SHARE, seed=42)
