"""Deep features: pictures to vectors through a pre-trained network."""

from image_retrieval.features.backbone import backbones, get_backbone
from image_retrieval.features.extracting import extract, extract_map
from image_retrieval.features.extraction import (
    Extraction,
    JoinedExtraction,
    as_extraction,
    extraction_from_record,
    identified,
    join,
)
from image_retrieval.features.own import onnx_backbone
from image_retrieval.features.records import read_extractions, write_extractions
from image_retrieval.features.words import as_texts, extract_text, zero_shot

__all__ = [
    "Extraction",
    "JoinedExtraction",
    "as_extraction",
    "as_texts",
    "backbones",
    "extract",
    "extract_map",
    "extract_text",
    "extraction_from_record",
    "get_backbone",
    "identified",
    "join",
    "onnx_backbone",
    "read_extractions",
    "write_extractions",
    "zero_shot",
]
