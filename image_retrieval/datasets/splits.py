"""The usual ways to split a data set into training and test pictures."""

import numpy as np

from image_retrieval.datasets.cards import Option, Split
from image_retrieval.datasets.rows import split_rows

SHARE = {"test_size": Option(0.3, "fraction of each label's pictures to hold out for testing")}


def official(listing, options):
    """Split as the data set's authors did."""
    return Split(*(np.flatnonzero(listing.parts == part) for part in ("train", "test")))


def by_share(listing, options):
    """Keep a share of each label for testing, chosen by the seed; rows in the order of ids.

    Pictures of one origin go to the same side: a query must not find itself in another cut.
    """
    origins = listing.origins if all(listing.origins) else None
    return Split(*split_rows(listing.labels, options.test_size, options.seed, origins))


def shuffled(listing, options):
    """Split as `by_share`, and bring the rows into an order by the seed."""
    # RandomState's streams are frozen, those of default_rng may change with NumPy's version.
    random = np.random.RandomState(options.seed)
    split = by_share(listing, options)
    return Split(random.permutation(split.train), random.permutation(split.test))
