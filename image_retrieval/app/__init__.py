"""The search page: a widget that takes a picture and shows its neighbors."""

from image_retrieval.app.marks import rocchio
from image_retrieval.app.session import Session
from image_retrieval.app.shelf import Shelf, open_shelf
from image_retrieval.app.uploads import read_upload
from image_retrieval.app.widget import SearchApp

__all__ = ["SearchApp", "Session", "Shelf", "open_shelf", "read_upload", "rocchio"]
