"""Draw the bundled sample of the second system, `caltech101_data/`, from its sources."""

import argparse
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from image_retrieval.errors import ImageRetrievalError
from image_retrieval.features import extract
from image_retrieval.sframes import image_sframe
from tools.sample import drawings
from tools.sample.build import ROOT
from tools.sample.compose import Placement, draw_large, shrink
from tools.sample.save import save_sframe

SEED = 0
PER_LABEL = 34
# One in so many pictures is gray, as a few of the photographs are.
GRAY_EVERY = 17
FACES, CLOSE = "Faces", "Faces_easy"
WIDTHS, HEIGHTS = (130, 171), (88, 117)
_PNG = 1  # Turi Create's number for the format
_PLACEMENTS = {FACES: Placement(fill=(0.6, 0.8), turn=5, hue=0.0)}
_PLACEMENT = Placement(fill=(0.85, 1.2), turn=8, hue=0.05)


def main(arguments=None):
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.sample.build_caltech101", description=__doc__
    )
    parser.add_argument("--output", type=Path, default=ROOT, help="folder for the SFrame")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    try:
        folder = drawings.render(ROOT / "build" / "sample", drawings.CALTECH101)
        sframe = build(folder, options.seed)
        save_sframe(sframe, options.output / "caltech101_data")
        print(f"caltech101_data: {len(sframe):,} images")
    except ImageRetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def build(folder, seed=SEED, per_label=PER_LABEL):
    """Return the SFrame; `folder` holds the rendered drawings."""
    import turicreate as tc

    labels, images = zip(*draw(folder, seed, per_label))
    features = extract(images, extraction="efficientnet_lite0")
    encoded = tc.SArray([_encoded(image) for image in images])
    return image_sframe(range(len(labels)), encoded, labels, efficientnet_lite0=features)


def draw(folder, seed=SEED, per_label=PER_LABEL):
    """Yield label and picture in the order of the archive's file names.

    Yields
    ------
    label : str
    image : ndarray of uint8, shape (h, w, 3), or (h, w) where it is gray
    """
    random = np.random.RandomState(seed)
    listed = drawings.listed(drawings.CALTECH101)
    close = []
    for label in sorted(listed):
        cuts = [drawings.load(folder, drawing) for drawing in listed[label]]
        for number in range(per_label):
            if label == CLOSE:
                image = close[number]
            else:
                image, cropped = _picture(random, cuts[number % len(cuts)], label)
                close += [cropped] if label == FACES else []
            yield label, _gray(image) if number % GRAY_EVERY == GRAY_EVERY - 1 else image


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


def _encoded(image):
    import turicreate as tc

    file = BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    data = file.getvalue()
    return tc.Image(
        _image_data=data,
        _image_data_size=len(data),
        _height=image.shape[0],
        _width=image.shape[1],
        _channels=1 if image.ndim == 2 else 3,
        _format_enum=_PNG,
    )


if __name__ == "__main__":
    sys.exit(main())
