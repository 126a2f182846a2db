"""A gallery that shows, under each neighbor, why it was found."""

import numpy as np

from image_retrieval import explore
from image_retrieval.explain.coloring import overlay
from image_retrieval.explain.shares import pixel_shares, similarity_shares
from image_retrieval.explore.hits import answers
from image_retrieval.features.preprocessing import resize_all

_STRETCHED = 32


def gallery(
    neighbors,
    reference,
    query,
    k=None,
    query_by=None,
    recipe=None,
    pixels=False,
    title=None,
    thumbnail=96,
    **extraction,
):
    """Show neighbors as `explore.gallery` does, with what makes each alike or different.

    Below each neighbor stand the query and the neighbor in gray. Orange places make the two
    more alike, the more the stronger the color; blue places make them less alike. Colors
    can be compared along the row of one query.

    Parameters
    ----------
    neighbors, reference, query, k, query_by, title, thumbnail
        As for `image_retrieval.explore.gallery`.
    recipe : fitted sklearn.pipeline.Pipeline, optional
        What was done to the features before they were searched, see
        `image_retrieval.explain.through`. Without it plain features are explained.
    pixels : bool
        Explain pixel distance instead: blue is where the two pictures differ. Pictures of
        several sizes are stretched to 32×32 first, as `pixel_vectors(images, size=32)` does.
    **extraction
        How the searched features were extracted, as for `features.extract_map`: `backbone`,
        `size`, `flip`, ...

    Returns
    -------
    image_retrieval.explore.Gallery

    Raises
    ------
    InputError
        As `explore.gallery`, `features.extract_map` and `explain.through` do.
    """
    found = answers(neighbors, reference, query, k, query_by)
    explain = _pixel_details if pixels else _feature_details
    details = {}
    for answer in found:
        details.update(explain(answer, thumbnail, recipe, extraction))
    return explore.gallery(
        neighbors, reference, query, k, query_by, details=details, title=title, thumbnail=thumbnail
    )


def pair_shares(query, references, recipe=None, **extraction):
    """Return the shares of one query picture with each of several others.

    Parameters
    ----------
    query : picture
    references : sequence of pictures
        Anything `image_retrieval.images.as_rgb` takes.
    recipe : fitted sklearn.pipeline.Pipeline, optional
    **extraction
        As for `gallery`.

    Returns
    -------
    list of Shares
    """
    # Imported here: shares of maps that are given need no network.
    from image_retrieval.features import extract_map

    query_map, *maps = extract_map([query, *references], progress=False, **extraction)
    return [similarity_shares(query_map, other, recipe) for other in maps]


def _feature_details(answer, size, recipe, extraction):
    query = answer.query.pixels
    pictures = [hit.item.pixels for hit in answer.hits]
    found = pair_shares(query, pictures, recipe, **extraction)
    limit = max(np.abs(part).max() for shares in found for part in (shares.query, shares.neighbor))
    for hit, shares in zip(answer.hits, found):
        in_query = overlay(query, shares.query, limit, size)
        in_neighbor = overlay(hit.item.pixels, shares.neighbor, limit, size)
        captions = "in the query", f"similarity {shares.similarity:.3f}"
        yield (answer.query_label, hit.item.id), list(zip((in_query, in_neighbor), captions))


def _pixel_details(answer, size, recipe, extraction):
    pictures = [answer.query.pixels, *(hit.item.pixels for hit in answer.hits)]
    if len({picture.shape for picture in pictures}) > 1:
        pictures = list(resize_all(pictures, _STRETCHED))
    found = [pixel_shares(pictures[0], picture) for picture in pictures[1:]]
    limit = max(shares.max() for shares in found)
    for hit, shares in zip(answer.hits, found):
        picture = overlay(hit.item.pixels, -shares, limit, size)
        yield (answer.query_label, hit.item.id), [(picture, "where pixels differ")]
