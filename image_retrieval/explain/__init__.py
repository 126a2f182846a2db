"""Why two pictures count as similar: the parts that make up their similarity."""

from image_retrieval.explain.coloring import overlay
from image_retrieval.explain.shares import Shares, similarity_shares
from image_retrieval.explain.sheet import gallery, pair_shares

__all__ = ["Shares", "gallery", "overlay", "pair_shares", "similarity_shares"]
