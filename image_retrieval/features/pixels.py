"""Raw pixels as features: the baseline that deep features are measured against.

They are floating-point numbers, because differences of unsigned bytes wrap around.
"""

import numpy as np

from image_retrieval.features.backbone import Backbone


def load(pooling=None, weights=None):
    """Return the pixels themselves as a map; pooled, they are a picture's mean color."""
    sides = (1, 2) if pooling else ()
    return lambda pixels: pixels.mean(axis=sides, dtype=np.float64).astype(np.float32)


BACKBONE = Backbone(
    name="pixels", d=3, size=32, min_size=1, normalization="x", load=load, pooling=None
)
