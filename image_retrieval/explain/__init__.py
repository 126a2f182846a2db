"""Why two pictures count as alike: the places that make up their similarity."""

from image_retrieval.explain.coloring import overlay
from image_retrieval.explain.shares import (
    Shares,
    distance_shares,
    pool,
    similarity_shares,
    through,
)
from image_retrieval.explain.sheet import gallery, pair_shares

__all__ = [
    "Shares",
    "gallery",
    "overlay",
    "pair_shares",
    "distance_shares",
    "pool",
    "similarity_shares",
    "through",
]
