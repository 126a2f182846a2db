"""The images the course works on: where they are, and how they are made."""

from image_retrieval.datasets.location import DataLocation, load, locate

__all__ = ["DataLocation", "load", "locate"]
