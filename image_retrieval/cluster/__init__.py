"""Extraction on many machines with Ray, and insertion into a Milvus server."""

from image_retrieval.cluster.extracting import Extracted, extract, reader
from image_retrieval.cluster.inserting import insert
from image_retrieval.cluster.parts import open_parts

__all__ = ["Extracted", "extract", "insert", "open_parts", "reader"]
