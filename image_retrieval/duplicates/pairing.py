"""Which pictures are copies of each other: pairs, and the groups that they form.

Two witnesses are heard. Deep features recognize what is shown, through crops, mirroring and
small sizes, but take two white cars before a gray sky for one. Thumbnails compare what is
where, by the correlation coefficient of their pixels, [1]_ and take no notice of contents.
Either alone errs; together they seldom do.

.. [1] R. Gonzalez and R. Woods, *Digital Image Processing*, 4th edition, 2018, 12.3
   (matching by correlation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.duplicates.prints import Prints, picture_prints
from image_retrieval.duplicates.threshold import METRIC, propose_threshold
from image_retrieval.errors import InputError
from image_retrieval.index import build
from image_retrieval.index.validation import as_vectors

if TYPE_CHECKING:
    from pandas import DataFrame

    from image_retrieval.duplicates.threshold import Threshold
    from image_retrieval.signatures import ArrayLike, Pictures

EXACT, NEAR = "exact", "near"
# Correlations of thumbnails: what confirms a pair that is near in feature space, and what is
# enough without that. Measured by tools/measure_duplicates.py.
CONFIRMED, ALONE = 0.85, 0.95
_MOST = 64
_AT_ONCE = 512
_COLUMNS = ("first", "second", "kind", "distance", "correlation", "mirrored")


def find(
    X: ArrayLike, images: Pictures | Prints, threshold: float | Threshold | None = None
) -> DataFrame:
    """Find the pairs of pictures that are copies of each other.

    A pair is *exact* where size and pixels are equal. It is *near* where the cosine distance
    of the features is within the threshold and the thumbnails correlate by 0.85 or more, or
    where the thumbnails correlate by 0.95. Thumbnails are compared as they are and mirrored.

    Parameters
    ----------
    X : array of float, shape (n, d)
        Deep features.
    images : sequence of n pictures, or Prints
    threshold : float or Threshold, optional
        A cosine distance; `propose_threshold(X)` when not given.

    Returns
    -------
    pandas.DataFrame
        `first` and `second` (row numbers, first < second), `kind`, `distance`, `correlation`
        and `mirrored`; exact pairs first, then by distance. Of several exact copies each is
        paired with the first one only, and that one alone with near copies, at most 64.

    Raises
    ------
    InputError
        When there is not one picture a row, or the threshold is no distance.
    """
    X = as_vectors(X)
    prints = images if isinstance(images, Prints) else picture_prints(images)
    if len(prints) != len(X):
        raise InputError(f"{len(prints)} pictures for {len(X)} vectors; give one of each")
    _, first, of = np.unique(prints.hashes, return_index=True, return_inverse=True)
    exact = [(a, b, EXACT, 0.0, 1.0, False) for b, a in enumerate(first[of].tolist()) if a != b]
    rows = np.sort(first)
    near = _near(X[rows], prints.take(rows), threshold) if len(rows) > 1 else []
    return _table(exact + [(int(rows[a]), int(rows[b]), *rest) for a, b, *rest in near])


def group(pairs: DataFrame) -> list[list[int]]:
    """Return groups of copies: rows that pairs connect, directly or through others.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As `find` returns it.

    Returns
    -------
    list of list of int
        Rows in ascending order; the largest group first, then by the first row.

    Examples
    --------
    >>> import pandas as pd
    >>> group(pd.DataFrame({"first": [0, 4, 1], "second": [2, 5, 2]}))
    [[0, 1, 2], [4, 5]]
    """
    member: dict[int, list[int]] = {}
    for a, b in zip(pairs["first"], pairs["second"]):
        ours, theirs = (member.get(int(row), [int(row)]) for row in (a, b))
        if ours is not theirs:
            ours = ours + theirs
            member.update((row, ours) for row in ours)
    found = {id(rows): sorted(rows) for rows in member.values()}
    return sorted(found.values(), key=lambda rows: (-len(rows), rows))


def _near(X, prints, threshold):
    threshold = _as_distance(propose_threshold(X) if threshold is None else threshold)
    thumbnails = [prints.vectors(mirrored) for mirrored in (False, True)]
    suspects = set(_within(X, X, threshold, METRIC))
    for Q in thumbnails:
        suspects.update(_within(thumbnails[0], Q, np.sqrt(2 - 2 * ALONE), "euclidean"))
    pairs = np.array(sorted(suspects), int).reshape(-1, 2)
    unit = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    distances = 1 - _products(unit, unit, pairs)
    alike = np.stack([_products(thumbnails[0], Q, pairs) for Q in thumbnails], axis=1)
    best = alike.max(axis=1)
    kept = ((distances <= threshold) & (best >= CONFIRMED)) | (best >= ALONE)
    columns = (*pairs[kept].T, distances[kept], best[kept], alike[kept].argmax(axis=1) == 1)
    return [(a, b, NEAR, max(0.0, d), c, bool(m)) for a, b, d, c, m in zip(*columns)]


def _as_distance(threshold):
    distance = getattr(threshold, "distance", threshold)
    if isinstance(distance, bool) or not isinstance(distance, (int, float)) or not distance >= 0:
        raise InputError(f"threshold={threshold!r} must be a cosine distance, from 0 to 2")
    return distance


def _within(X, Q, radius, metric):
    """Yield the pairs (a, b), a < b, of rows of `X` and `Q` within a radius."""
    engine = build(X, metric=metric)
    for start in range(0, len(Q), _AT_ONCE):
        ids, distances = engine.search(Q[start : start + _AT_ONCE], k=_MOST, radius=radius)
        queries, ranks = np.nonzero(np.isfinite(distances))
        for a, b in zip((queries + start).tolist(), ids[queries, ranks].tolist()):
            if a != b:
                yield min(a, b), max(a, b)


def _products(A, B, pairs):
    return np.einsum("ij,ij->i", A[pairs[:, 0]], B[pairs[:, 1]], dtype=np.float64)


def _table(rows):
    import pandas as pd  # takes longer to import than all else here

    found = pd.DataFrame(rows, columns=_COLUMNS)
    return found.sort_values(["kind", "distance", "first", "second"], ignore_index=True)
