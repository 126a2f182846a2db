"""Search engines: vectors in, nearest neighbors out, one interface for all of them."""

from image_retrieval.index.engine import Engine
from image_retrieval.index.registry import build, engines, load
from image_retrieval.index.resampling import resample
from image_retrieval.index.table import create, neighbors, query

__all__ = ["Engine", "build", "create", "engines", "load", "neighbors", "query", "resample"]
