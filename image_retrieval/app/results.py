"""Results to look at and to take along: thumbnails, heat maps, a CSV file, an HTML page."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Sequence

import numpy as np
from PIL import Image

from image_retrieval import explore
from image_retrieval.app.shelf import DEEP, PIXELS
from image_retrieval.errors import InputError
from image_retrieval.explain import overlay, pair_shares
from image_retrieval.explain.shares import distance_shares
from image_retrieval.features import extract_map
from image_retrieval.images import shrink
from image_retrieval.tables import NEIGHBOR_COLUMNS

if TYPE_CHECKING:
    from image_retrieval.app.session import Found, Query
    from image_retrieval.app.shelf import Shelf
    from image_retrieval.explore.sheets import Gallery
    from image_retrieval.signatures import Array

_TINY = 64  # pixels a side up to which a PNG is small, and a JPEG's errors would be seen


def address(pixels: Array, size: int = 160) -> str:
    """Return a picture, its longer side at most `size` pixels, as a `data:` address."""
    pixels = shrink(pixels, size)
    kind = "PNG" if max(pixels.shape) <= _TINY else "JPEG"
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=85)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def heat_maps(shelf: Shelf, query: Query, row: int, features: str = DEEP) -> tuple[Array, Array]:
    """Return what makes the query and a reference alike, see `image_retrieval.explain`.

    Parameters
    ----------
    shelf : Shelf
    query : Query
    row : int
    features : {"deep features", "pixels"}

    Returns
    -------
    in_query, in_neighbor : ndarray of uint8, shape (h, w, 3)
        Orange where they are alike, blue where they differ.

    Raises
    ------
    InputError
        When there is no picture to explain, or the features cannot be split into places.
    """
    if query.pixels is None:
        raise InputError("words have no places to color; search with a picture to see why")
    pair = query.pixels, shelf.picture(row)
    if features == PIXELS:
        shares = -distance_shares(*extract_map(pair, PIXELS, progress=False))
        shares = (shares, shares)
    elif shelf.extraction is None:
        raise InputError("it is not known how these features were made, so nothing can say why")
    else:
        found = pair_shares(pair[0], pair[1:], shelf.extraction)[0]
        shares = (found.query, found.neighbor)
    limit = max(np.abs(part).max() for part in shares)
    return tuple(overlay(pixels, part, limit) for pixels, part in zip(pair, shares))


def as_csv(shelf: Shelf, found: Sequence[Found]) -> str:
    """Return neighbors as a CSV file: rank, id, label and distance.

    Text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV
    Injection).
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("rank", "id", "label", "distance"))
    for one in found:
        id_, label = map(_harmless, (shelf.ids[one.row], str(shelf.labels[one.row])))
        writer.writerow((one.rank, id_, label, f"{one.distance:.6g}"))
    return file.getvalue()


def as_gallery(shelf: Shelf, query: Query, found: Sequence[Found]) -> Gallery:
    """Return neighbors as an `image_retrieval.explore.Gallery`."""
    rows = [one.row for one in found]
    values = [(0, shelf.ids[one.row], one.distance, one.rank) for one in found]
    neighbors = dict(zip(NEIGHBOR_COLUMNS, zip(*values)))
    reference = {
        "id": [shelf.ids[row] for row in rows],
        "image": [shelf.picture(row) for row in rows],
        "label": shelf.labels[rows].tolist(),
    }
    asked = None
    if query.pixels is not None:
        asked = {"id": [None], "image": [query.pixels], "label": [query.label]}
    title = f"Neighbors of {query.name}"
    return explore.gallery(
        neighbors, reference, asked, query_by="row" if asked else None, title=title
    )


def as_page(gallery: Gallery) -> str:
    """Return a gallery as one HTML document that needs nothing else."""
    with TemporaryDirectory() as folder:
        gallery.save(Path(folder) / "results.html")
        return (Path(folder) / "results.html").read_text(encoding="utf-8")


def _harmless(value):
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if risky else value
