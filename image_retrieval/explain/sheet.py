"""A gallery that shows, under each neighbor, why it was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval import explore
from image_retrieval.errors import InputError
from image_retrieval.explain.coloring import key, overlay
from image_retrieval.explain.shares import distance_shares, joined_shares, similarity_shares
from image_retrieval.explore.hits import answers
from image_retrieval.features import as_extraction, extract_map
from image_retrieval.tables import extractions_of

if TYPE_CHECKING:
    from image_retrieval.explain.shares import Shares
    from image_retrieval.explore.sheets import Gallery
    from image_retrieval.signatures import (
        AnyExtraction,
        AnyPicture,
        How,
        Pictures,
        Recipe,
        StrPath,
        Table,
    )

_COLUMN = "deep_features"
# The few largest pixel differences would leave all others gray.
_FULL_COLOR = 95  # percentile of the shares of a row


def gallery(
    neighbors: Table,
    reference: Table,
    query: Any,
    k: int | None = None,
    query_by: str | None = None,
    extraction: How | None = None,
    recipe: Recipe = None,
    title: str | None = None,
    thumbnail: int = 96,
    weights: StrPath | None = None,
) -> Gallery:
    """Show neighbors as `explore.gallery` does, with what makes each similar or different.

    Below each neighbor are the query and the neighbor in gray. Orange parts make the two more
    similar, and the deeper the color, the more so; blue parts make them less similar. Colors
    can be compared along the row of one query; the key below the query gives the range of the
    shares. Of features that are not pooled, such as pixels, blue shows where the two differ, and
    the twentieth part of the row's pixels that differ most has the deepest blue.

    Parameters
    ----------
    neighbors, reference, query, k, query_by, title, thumbnail
        As for `image_retrieval.explore.gallery`.
    extraction : Extraction, JoinedExtraction or str, optional
        How the searched features were made, see `image_retrieval.features.as_extraction`;
        `"pixels"` for pixel distance. When not given, what `reference` knows of its column
        `deep_features`, or else the default extraction.
    recipe : fitted sklearn.pipeline.Pipeline, optional
        What was done to the features after that, where the extraction does not say so; see
        `image_retrieval.explain.shares.through`.
    weights : str or Path, optional
        File of weights, where they are not the backbone's usual ones.

    Returns
    -------
    image_retrieval.explore.Gallery

    Raises
    ------
    InputError
        As `explore.gallery`, `features.extract_map` and `explain.shares.through` do.
    """
    found = answers(neighbors, reference, query, k, query_by)
    extraction = extractions_of(reference).get(_COLUMN) if extraction is None else extraction
    extraction = as_extraction(extraction, weights)
    explain = _similarity_details if _is_pooled(extraction) else _distance_details
    details = {}
    for answer in found:
        details.update(explain(answer, thumbnail, extraction, recipe, weights))
    chosen = (k, query_by, details, title, thumbnail)
    return explore.gallery(neighbors, reference, query, *chosen)


def pair_shares(
    query: AnyPicture,
    references: Pictures,
    extraction: AnyExtraction | None = None,
    recipe: Recipe = None,
    weights: StrPath | None = None,
) -> list[Shares]:
    """Return the shares of one query picture with each of several others.

    Parameters
    ----------
    query : picture
    references : sequence of pictures
        Anything `image_retrieval.images.as_rgb` takes.
    extraction, recipe, weights
        As for `gallery`; the features must be pooled. Without an extraction it is the default.

    Returns
    -------
    list of Shares
        Of a joined extraction, on a grid that is fine enough for all parts.
    """
    extraction = as_extraction(extraction, weights)
    if not _is_pooled(extraction):
        raise InputError(f"shares are of pooled features, and {extraction} is not pooled")
    if recipe is not None and (len(extraction.parts) > 1 or extraction.parts[0].recipe is not None):
        raise InputError(f"{extraction} has a recipe of its own; leave recipe= out")
    pictures = [query, *references]
    parts = [_part_shares(pictures, part, recipe, weights) for part in extraction.parts]
    return [joined_shares(shares) for shares in zip(*parts)]


def _part_shares(pictures, part, recipe, weights):
    if part.recipe is not None:
        from image_retrieval.postprocess import loads  # scikit-learn takes time to import

        recipe = loads(part.recipe)
    query, *maps = extract_map(pictures, part, progress=False, weights=weights)
    return [similarity_shares(query, other, recipe) for other in maps]


def _is_pooled(extraction):
    return all(part.pooling is not None for part in extraction.parts)


def _similarity_details(answer, size, extraction, recipe, weights):
    query, pictures = answer.query.pixels, [hit.item.pixels for hit in answer.hits]
    found = pair_shares(query, pictures, extraction, recipe, weights)
    limit = max(np.abs(part).max() for shares in found for part in (shares.query, shares.neighbor))
    yield (
        (answer.query_label, None),
        [(key(-limit, limit, size), f"share: {-limit:.2g} to {limit:.2g}")],
    )
    for hit, shares in zip(answer.hits, found):
        in_query = overlay(query, shares.query, limit, size)
        in_neighbor = overlay(hit.item.pixels, shares.neighbor, limit, size)
        captions = "in the query", f"similarity {shares.similarity:.3f}"
        yield (answer.query_label, hit.item.id), list(zip((in_query, in_neighbor), captions))


def _distance_details(answer, size, extraction, recipe, weights):
    if recipe is not None or len(extraction.parts) > 1 or extraction.recipe is not None:
        raise InputError(
            f"{extraction}: after a recipe, or joined, it cannot be split into positions"
        )
    pictures = [answer.query.pixels, *(hit.item.pixels for hit in answer.hits)]
    query, *maps = extract_map(pictures, extraction, progress=False, weights=weights)
    found = [distance_shares(query, other) for other in maps]
    limit = np.percentile(found, _FULL_COLOR)
    caption = f"squared difference: 0 to {limit:,.0f} or more"
    yield (answer.query_label, None), [(key(0, -limit, size), caption)]
    for hit, shares in zip(answer.hits, found):
        picture = overlay(hit.item.pixels, -shares, limit, size)
        yield (answer.query_label, hit.item.id), [(picture, "where they differ")]
