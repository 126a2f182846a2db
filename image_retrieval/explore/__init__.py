"""Showing images and neighbors as pictures a person can read."""

from image_retrieval.explore.beside import side_by_side
from image_retrieval.explore.sheets import Gallery, Grid, gallery, grid

__all__ = ["Gallery", "Grid", "gallery", "grid", "side_by_side"]
