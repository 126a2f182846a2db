"""The data card of the sample says what the sample holds."""

import re

import numpy as np

from conftest import ROOT
from image_retrieval import datasets


def counts(table):
    labels, origins = np.array(table["label"]), np.array(datasets.origins(table))
    return {
        label: (int((labels == label).sum()), len(set(origins[labels == label])))
        for label in sorted(set(labels))
    }


def test_the_table_counts_pictures_and_drawings():
    card = (ROOT / "docs" / "data_card.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", card, re.MULTILINE)
    train, test = map(counts, datasets.load("sample"))
    expected = [(label, *map(str, train[label] + test[label])) for label in train]
    assert rows == expected
    birds, dogs = (train[label][1] for label in ("bird", "dog"))
    assert f"{birds} drawings are behind" in card and f"and {dogs} behind" in card


def test_no_drawing_is_on_both_sides():
    train, test = (set(datasets.origins(table)) for table in datasets.load("sample"))
    assert train and test and not train & test
