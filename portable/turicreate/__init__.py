"""The portable edition of Turi Create: the part that the image retrieval course uses.

Pure Python on NumPy, pandas and Pillow, with Turi Create's own names, arguments, defaults,
errors and printed tables. What it lacks says so by name. It must not be installed together
with the real `turicreate`.
"""

from . import (
    _guard,  # noqa: F401  (refuses an environment that has the real one, first)
    aggregate,
    config,
    sframe_format,
    visualization,
)
from .builder import SArrayBuilder
from .image import Image
from .missing import MODULE_NAMES, NotInPortableEdition, lacks
from .sarray import SArray, load_sarray
from .sframe import SFrame, load_sframe
from .sketch import Sketch
from .toolkits import (
    distances,
    evaluation,
    image_analysis,
    logistic_classifier,
    nearest_neighbor_classifier,
    nearest_neighbors,
)
from .toolkits.image_analysis import load_images
from .toolkits.model import load_model
from .visualization import Plot, plot, show

__version__ = "6.4.1+portable"

__all__ = [
    "Image",
    "NotInPortableEdition",
    "Plot",
    "SArray",
    "SArrayBuilder",
    "SFrame",
    "Sketch",
    "aggregate",
    "config",
    "distances",
    "evaluation",
    "image_analysis",
    "load_images",
    "load_model",
    "load_sarray",
    "load_sframe",
    "logistic_classifier",
    "nearest_neighbor_classifier",
    "nearest_neighbors",
    "plot",
    "sframe_format",
    "show",
    "visualization",
]


def __getattr__(name):
    if name in MODULE_NAMES:
        raise lacks(f"turicreate.{name}", MODULE_NAMES[name])
    raise AttributeError(f"module 'turicreate' has no attribute '{name}'")
