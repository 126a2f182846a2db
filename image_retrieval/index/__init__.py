"""Search engines: vectors in, nearest neighbors out, one interface for all of them."""

from image_retrieval.index.accuracy import recall
from image_retrieval.index.engine import Engine
from image_retrieval.index.images import ImageIndex, create, load, neighbors
from image_retrieval.index.registry import build, engines
from image_retrieval.index.resampling import resample

__all__ = [
    "Engine",
    "ImageIndex",
    "build",
    "create",
    "engines",
    "load",
    "neighbors",
    "recall",
    "resample",
]
