"""What the cluster's tests share."""

import numpy as np
from PIL import Image


def draw(folder):
    """Return a folder with a dozen pictures of noise, each with a label."""
    for number in range(12):
        path = folder / ("cats", "dogs")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.RandomState(number).randint(0, 256, (16, 16, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(str(path))
    return folder
