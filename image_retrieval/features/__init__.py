"""Deep features: pictures to vectors through a pre-trained network."""

from image_retrieval.features.backbone import backbones, get_backbone
from image_retrieval.features.extract import extract, extract_map
from image_retrieval.features.pixels import pixel_vectors

__all__ = ["backbones", "extract", "extract_map", "get_backbone", "pixel_vectors"]
