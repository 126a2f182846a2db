"""The images the course works on: where they are, and how they are made."""

from image_retrieval.datasets.building import build
from image_retrieval.datasets.choosing import choose, example_rows, folds
from image_retrieval.datasets.location import DataLocation, load, locate
from image_retrieval.datasets.registry import register
from image_retrieval.datasets.rows import origins

__all__ = [
    "DataLocation",
    "build",
    "choose",
    "example_rows",
    "folds",
    "load",
    "locate",
    "origins",
    "register",
]
