"""What the training and the test images of a split share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.duplicates.pairing import EXACT, find
from image_retrieval.duplicates.prints import Prints, picture_prints
from image_retrieval.index.validation import as_vectors

if TYPE_CHECKING:
    from image_retrieval.duplicates.threshold import Threshold
    from image_retrieval.signatures import Array, ArrayLike, Pictures


@dataclass(frozen=True, eq=False)
class Leak:
    """The copies that a split has on both of its sides.

    Attributes
    ----------
    pairs : pandas.DataFrame
        `train` and `test` (row numbers), `kind`, `distance`, `correlation` and `mirrored`.
    n_train, n_test : int
    """

    pairs: Any
    n_train: int
    n_test: int

    @property
    def train_rows(self) -> Array:
        """The training images that have a copy among the test images, ascending."""
        return np.unique(self.pairs["train"]).astype(int)

    @property
    def test_rows(self) -> Array:
        """The test images that have a copy among the training images, ascending."""
        return np.unique(self.pairs["test"]).astype(int)

    def __str__(self) -> str:
        leaked, exact = len(self.test_rows), self.pairs[self.pairs["kind"] == EXACT]
        verb = "has a copy" if leaked == 1 else "have a copy"
        return (
            f"{leaked:,} of {self.n_test:,} test images ({leaked / max(self.n_test, 1):.1%}) "
            f"{verb} among the {self.n_train:,} training images, "
            f"{exact['test'].nunique():,} of them an exact one"
        )


def leak(
    X_train: ArrayLike,
    images_train: Pictures | Prints,
    X_test: ArrayLike,
    images_test: Pictures | Prints,
    threshold: float | Threshold | None = None,
) -> Leak:
    """Find which test images have a copy among the training images.

    Parameters
    ----------
    X_train : array of float, shape (m, d)
    images_train : sequence of m pictures, or Prints
    X_test : array of float, shape (n, d)
    images_test : sequence of n pictures, or Prints
    threshold : float or Threshold, optional
        See `find`.

    Returns
    -------
    Leak
        Copies of copies count: what a group of them has on one side is paired with what it
        has on the other where the two were found to be copies, directly or as exact copies.
    """
    X = [as_vectors(part) for part in (X_train, X_test)]
    sides = [
        each if isinstance(each, Prints) else picture_prints(each)
        for each in (images_train, images_test)
    ]
    prints = Prints(
        sides[0].hashes + sides[1].hashes, np.concatenate([side.thumbnails for side in sides])
    )
    pairs = find(np.concatenate(X), prints, threshold)
    return Leak(_across(pairs, prints.hashes, len(X[0])), len(X[0]), len(X[1]))


def _across(pairs, hashes, n_train):
    """Return the pairs that lie on both sides, those of exact copies written out."""
    import pandas as pd

    same: dict[Any, list[Any]] = {}
    for row in {*pairs["first"], *pairs["second"]}:
        same.setdefault(hashes[row], []).append(row)
    found: dict[Any, Any] = {}
    for pair in pairs.to_dict("records"):
        ours, theirs = (same[hashes[pair.pop(name)]] for name in ("first", "second"))
        for a, b in ((min(a, b), max(a, b)) for a in ours for b in theirs):
            if a < n_train <= b:
                found.setdefault((a, b - n_train), pair)
    rows = [{"train": a, "test": b, **pair} for (a, b), pair in found.items()]
    names = ["train", "test", *pairs.columns[2:]]
    return pd.DataFrame(rows, columns=names).sort_values(
        ["kind", "distance", "train", "test"], ignore_index=True
    )
