"""Natural-looking backgrounds, shared by all labels.

That every label stands on every background is on purpose: pixels then follow the
background, as they do in photographs, and only what a network sees follows the object.
"""

import numpy as np
from PIL import Image

# Colors from top to bottom, RGB.
SKY = ((96, 150, 214), (186, 212, 236))
DUSK = ((116, 108, 152), (236, 178, 142))
CLOUDS = ((150, 162, 176), (216, 220, 224))
GRASS = ((112, 152, 70), (70, 112, 44))
FIELD = ((186, 170, 96), (146, 126, 66))
ROAD = ((136, 136, 140), (94, 94, 100))
EARTH = ((158, 122, 88), (108, 80, 56))
SAND = ((222, 204, 162), (190, 166, 122))
WATER = ((104, 156, 178), (52, 100, 132))
SNOW = ((226, 232, 240), (196, 206, 220))
WALL = ((206, 196, 182), (176, 162, 148))
LEAVES = ((58, 92, 48), (38, 66, 36))

ABOVE = (SKY, SKY, SKY, DUSK, CLOUDS, WALL, LEAVES)
BELOW = (GRASS, GRASS, FIELD, ROAD, ROAD, EARTH, SAND, WATER, SNOW)


def scene(random, width, height):
    """Return a background: something above, something below, a horizon between.

    Parameters
    ----------
    random : numpy.random.RandomState
    width, height : int

    Returns
    -------
    ndarray of float64, shape (height, width, 3)
        Values of about 0..255.
    """
    above, below = pick(random, ABOVE), pick(random, BELOW)
    rows = np.linspace(0, 1, height)[:, None]
    waves = smooth_noise(random, width, height, cells=3)[:1] * random.uniform(0, 0.15)
    horizon = random.choice([0.0, 1.0, random.uniform(0.2, 0.8)], p=[0.25, 0.2, 0.55]) + waves
    share_below = np.clip((rows - horizon) * height / 4, 0, 1)[:, :, None]
    picture = gradient(above, rows) * (1 - share_below) + gradient(below, rows) * share_below
    return light(random, picture + texture(random, width, height))


def gradient(colors, rows):
    """Return a column of colors between two, shape (height, 1, 3)."""
    top, bottom = (np.asarray(color, dtype=np.float64) for color in colors)
    return (top + (bottom - top) * rows)[:, None, :]


def texture(random, width, height):
    """Return noise of several sizes, as clouds, grass and earth have, shape (h, w, 3)."""
    strength = random.uniform(3, 15)
    total = np.zeros((height, width, 3))
    for cells, weight in ((3, 1.0), (8, 0.7), (20, 0.5)):
        total += weight * smooth_noise(random, width, height, cells)[:, :, None]
        total += (
            0.25
            * weight
            * np.dstack([smooth_noise(random, width, height, cells) for _ in range(3)])
        )
    return strength * total


def light(random, picture):
    """Return the picture under another light: brighter or darker, warmer or cooler."""
    brightness = random.uniform(0.78, 1.15)
    warmth = random.uniform(-0.07, 0.07)
    return picture * brightness * np.array([1 + warmth, 1, 1 - warmth])


def smooth_noise(random, width, height, cells):
    """Return noise of mean 0 and deviation about 1, smooth at the scale of 1/cells."""
    grid = random.standard_normal((cells + 2, cells + 2)).astype(np.float32)
    field = Image.fromarray(grid, mode="F").resize((width, height), Image.BICUBIC)
    return np.asarray(field, dtype=np.float64)


def pick(random, choices):
    """Return one of `choices`."""
    return choices[random.randint(len(choices))]
