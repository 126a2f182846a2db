"""Raw pixels as features: the baseline that deep features are measured against.

They are floating-point numbers, because differences of unsigned bytes wrap around.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import numpy as np

from image_retrieval.features.backbone import Backbone

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, StrPath


def load(pooling: str | None = None, weights: StrPath | None = None) -> Callable[[Array], Array]:
    """Return the pixels themselves as a map; pooled, they are a picture's mean color."""
    sides = (1, 2) if pooling else ()
    return lambda pixels: pixels.mean(axis=sides, dtype=np.float64).astype(np.float32)


BACKBONE = Backbone(
    name="pixels", d=3, size=32, min_size=1, normalization="x", load=load, pooling=None
)
