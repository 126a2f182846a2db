"""Draw the bundled sample, `image_train_data/` and `image_test_data/`, from its sources.

The pixels depend on the seed and on the versions of the drawings, the renderer, NumPy and
Pillow, all of which are pinned; the deep features are computed from them.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from image_retrieval.datasets.cifar10 import FEATURE_SIZE, FIXED_ROWS, LABELS, choose_rows
from image_retrieval.errors import ImageRetrievalError
from image_retrieval.features import extract
from image_retrieval.files import atomic_file
from image_retrieval.sframes import image_sframe
from tools.sample import drawings
from tools.sample.compose import Placement, picture
from tools.sample.credits import artwork_page
from tools.sample.save import save_sframe

ROOT = Path(__file__).resolve().parent.parent.parent
SEED = 1
SIDE = 32
ROWS = {"image_train_data": 2005, "image_test_data": 800}
# CIFAR-10 numbers its images up to here; ids of the sample have gaps as the course's have.
POSITIONS = {"image_train_data": 50_000, "image_test_data": 10_000}


def main(arguments=None):
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.sample.build", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT, help="folder for the two SFrames")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    try:
        work = ROOT / "build" / "sample"
        folder = drawings.render(work)
        for name, sframe in build(folder, options.seed):
            save_sframe(sframe, options.output / name)
            print(f"{name}: {len(sframe):,} images")
        with atomic_file(options.output / "ARTWORK.md") as temporary:
            temporary.write_text(artwork_page(work), encoding="utf-8")
    except ImageRetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def build(folder, seed=SEED, rows=ROWS):
    """Yield the name and SFrame of each side; `folder` holds the rendered drawings."""
    for name, ids, images, labels in draw(folder, seed, rows):
        features = extract(images, "efficientnet_lite0", size=FEATURE_SIZE)
        yield name, image_sframe(ids, images, labels, deep_features=features)


def draw(folder, seed=SEED, rows=ROWS):
    """Yield the name, ids, pictures and labels of each side.

    Parameters
    ----------
    folder : Path
        Rendered drawings.
    seed : int
        Of everything: the split of the drawings, the order, the pictures.
    rows : dict of str to int
        Images of each side.

    Yields
    ------
    name : str
    ids : list of int
        Positions in a longer order, as in CIFAR-10.
    images : ndarray of uint8, shape (n, 32, 32, 3)
    labels : list of str
    """
    random = np.random.RandomState(seed)
    sides = {label: drawings.split(random, listed) for label, listed in drawings.listed().items()}
    for side, (name, count) in enumerate(rows.items()):
        cuts = {
            label: [drawings.load(folder, drawing) for drawing in sides[label][side]]
            for label in LABELS
        }
        labels = _labels(random, count, FIXED_ROWS if side == 0 else None)
        images = _pictures(random, labels, cuts)
        ids = np.sort(random.choice(POSITIONS[name], count, replace=False))
        yield name, ids.tolist(), images, labels


def _labels(random, count, fixed):
    """Return `count` labels in random order, as many of each as can be."""
    pool = random.permutation(np.resize(LABELS, count)).tolist()
    return [pool[row] for row in choose_rows(pool, count, seed=0, fixed=fixed)]


def _pictures(random, labels, cuts):
    """Return a picture for each label, taking its drawings in turn."""
    used = dict.fromkeys(cuts, 0)
    images = np.empty((len(labels), SIDE, SIDE, 3), np.uint8)
    for image, label in zip(images, labels):
        drawing = cuts[label][used[label] % len(cuts[label])]
        image[...] = picture(random, drawing, SIDE, SIDE, Placement())
        used[label] += 1
    return images


if __name__ == "__main__":
    sys.exit(main())
