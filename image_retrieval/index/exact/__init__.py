"""Exact search: the true nearest neighbors at the speed of a matrix product, proven."""

from image_retrieval.index.exact.engine import ExactEngine
from image_retrieval.index.exact.search import ExactSearch

__all__ = ["ExactEngine", "ExactSearch"]
