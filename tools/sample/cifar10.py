"""The bundled sample of the course: CIFAR-10's shape, drawn."""

from dataclasses import replace
from itertools import cycle

import numpy as np

from image_retrieval.datasets.cards import TEST, TRAIN, Picture
from image_retrieval.datasets.cifar10 import FIXED_ROWS, LABELS, SAMPLE
from image_retrieval.datasets.rows import choose_rows
from image_retrieval.datasets.splits import official
from tools.sample import drawings
from tools.sample.compose import Placement, picture

SIDE = 32
ROWS = {TRAIN: 2005, TEST: 800}
# CIFAR-10 numbers its images up to here; ids of the sample have gaps as the course's have.
POSITIONS = {TRAIN: 50_000, TEST: 10_000}


def read(folder, options):
    """Yield the pictures; `folder` holds the rendered drawings."""
    for name, *rows in draw(folder, options.seed):
        part = "train" if name == TRAIN else "test"
        for number, pixels, label, origin in zip(*rows):
            yield Picture(label, pixels, id=number, part=part, origin=origin)


def draw(folder, seed, rows=ROWS):
    """Yield the name, ids, pictures, labels and origins of each side.

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
    origins : list of str
        The drawing that each was made from.
    """
    random = np.random.RandomState(seed)
    sides = {label: drawings.split(random, listed) for label, listed in drawings.listed().items()}
    for side, (name, count) in enumerate(rows.items()):
        chosen = {label: sides[label][side] for label in LABELS}
        labels = _labels(random, count, FIXED_ROWS if side == 0 else None)
        images, origins = _pictures(random, labels, chosen, folder)
        ids = np.sort(random.choice(POSITIONS[name], count, replace=False))
        yield name, ids.tolist(), images, labels, origins


def _labels(random, count, fixed):
    """Return `count` labels in random order, as many of each as can be."""
    pool = random.permutation(np.resize(LABELS, count)).tolist()
    return [pool[row] for row in choose_rows(pool, count, seed=0, fixed=fixed)]


def _pictures(random, labels, chosen, folder):
    """Return a picture for each label, taking its drawings in turn, and their origins."""
    turns = {label: cycle(listed) for label, listed in chosen.items()}
    of_rows = [next(turns[label]) for label in labels]
    cuts = {drawing: drawings.load(folder, drawing) for drawing in set(of_rows)}
    images = np.empty((len(labels), SIDE, SIDE, 3), np.uint8)
    for image, drawing in zip(images, of_rows):
        image[...] = picture(random, cuts[drawing], SIDE, SIDE, Placement())
    return images, [drawings.origin(drawing) for drawing in of_rows]


CARD = replace(SAMPLE, read=read, split=official, seed=1)
