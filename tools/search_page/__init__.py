"""Serving the search widget as a page of its own."""
