"""Near duplicates: the same picture twice, and what that does to a train/test split."""

from image_retrieval.duplicates.altering import altered, kinds
from image_retrieval.duplicates.pairing import find, group
from image_retrieval.duplicates.prints import Prints, picture_print, picture_prints
from image_retrieval.duplicates.splitting import Leak, leak
from image_retrieval.duplicates.threshold import Threshold, propose_threshold

__all__ = [
    "Leak",
    "Prints",
    "Threshold",
    "altered",
    "find",
    "group",
    "kinds",
    "leak",
    "picture_print",
    "picture_prints",
    "propose_threshold",
]
