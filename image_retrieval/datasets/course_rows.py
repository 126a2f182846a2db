"""The training table of the original course, as far as it is known.

`course_rows.json` holds what is known, and says where it comes from.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

_FILE = Path(__file__).with_name("course_rows.json")
_KNOWN = ("first", "further")


def known_rows() -> tuple[Any, ...]:
    """Return the labels by id of the first rows and of the further ones, and rows by label."""
    facts = json.loads(_FILE.read_text(encoding="utf-8"))
    rows = ({int(id): label for id, label in facts[f"{name}_rows"].items()} for name in _KNOWN)
    return (*rows, facts["counts"])


def choose_course_rows(ids: Array, labels: Array, seed: int) -> list[int] | None:
    """Choose the rows that the course had: the known ones, and others like them by the seed.

    Parameters
    ----------
    ids : ndarray of int, shape (n,)
        Positions in CIFAR-10's official training order.
    labels : ndarray of str, shape (n,)
    seed : int

    Returns
    -------
    list of int, or None
        First the known first rows in their order, then the others by ascending ids, all
        above. None where the labels differ at the known ids, or there are too few pictures.
    """
    first, further, counts = known_rows()
    known, last = {**first, **further}, max(first)
    label_of = dict(zip(ids.tolist(), labels.tolist()))
    if any(label_of.get(number) != label for number, label in known.items()):
        return None
    missing = Counter(counts) - Counter(known.values())
    free = np.array([number > last and number not in known for number in label_of])
    random, rest = np.random.RandomState(seed), list(further)
    for label in sorted(missing):
        choice = random.permutation(ids[free & (labels == label)])[: missing[label]]
        if len(choice) < missing[label]:
            return None
        rest += choice.tolist()
    row = {number: position for position, number in enumerate(label_of)}
    return [row[number] for number in [*first, *sorted(rest)]]
