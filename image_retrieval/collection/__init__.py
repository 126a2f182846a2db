"""A folder of one's own pictures as a data set that grows and shrinks with it."""

from image_retrieval.collection.opening import Collection, find_collection, open_collection
from image_retrieval.collection.updating import Update, update

__all__ = ["Collection", "Update", "find_collection", "open_collection", "update"]
