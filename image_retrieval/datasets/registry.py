"""The data sets by name: a line each."""

from __future__ import annotations

from image_retrieval.datasets import caltech101, cifar10, pictures
from image_retrieval.datasets.cards import Card
from image_retrieval.errors import InputError

CARDS = {}


def register(card: Card) -> None:
    """Make a data set known by its name."""
    CARDS[card.name] = card


def get_card(dataset: str | Card) -> Card:
    """Return the card of a data set by its name; a card as it is.

    Raises
    ------
    InputError
        When none has that name.
    """
    if isinstance(dataset, Card):
        return dataset
    if dataset not in CARDS:
        raise InputError(f"dataset={dataset!r} is not known; choose one of {', '.join(CARDS)}")
    return CARDS[dataset]


register(cifar10.CARD)
register(caltech101.CARD)
register(pictures.CARD)
