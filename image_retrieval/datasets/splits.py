"""The usual ways to split a data set into training and test pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.datasets.cards import Option, Split
from image_retrieval.datasets.rows import split_rows

if TYPE_CHECKING:
    from image_retrieval.datasets.cards import Listing

SHARE = {"test_size": Option(0.3, "fraction of each label's pictures to hold out for testing")}


def official(listing: Listing, options: Any) -> Split:
    """Split as the data set's authors did."""
    return Split(*(np.flatnonzero(listing.parts == part) for part in ("train", "test")))


def by_share(listing: Listing, options: Any) -> Split:
    """Keep a share of each label for testing, chosen by the seed; rows in the order of ids.

    Pictures of one origin go to the same side: a query must not find itself in another cut.
    """
    origins = listing.origins if all(listing.origins) else None
    return Split(*split_rows(listing.labels, options.test_size, options.seed, origins))


def shuffled(listing: Listing, options: Any) -> Split:
    """Split as `by_share`, and bring the rows into an order by the seed."""
    # RandomState's streams are frozen, those of default_rng may change with NumPy's version.
    random = np.random.RandomState(options.seed)
    split = by_share(listing, options)
    return Split(random.permutation(split.train), random.permutation(split.test))
