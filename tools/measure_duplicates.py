"""Measure what `image_retrieval.duplicates` finds of planted copies, kind by kind.

usage: python -m tools.measure_duplicates [DATA ...]   (names or folders, `sample` by default)

Copies of 200 images, changed in each of the ways there are, are planted among the training
images. Recall is the share of them that is found with their original. Of the other pairs that
are found, those that were there before are listed: somebody has to look at them.
"""

import sys

import numpy as np

from image_retrieval import datasets, duplicates
from image_retrieval.features import extract
from image_retrieval.images import as_rgb_list
from image_retrieval.sframes import sframe_vectors

COUNT = 200


def measure(name):
    """Print the figures of one data set."""
    train = datasets.load(name)[0]
    ids, X = sframe_vectors(train, "deep_features")
    images = as_rgb_list(train["image"])
    origins = np.array(datasets.origins(train))
    print(f"\n{datasets.locate(name).description}")
    threshold = duplicates.propose_threshold(X)
    print(f"proposed: {threshold}")
    before = duplicates.find(X, images)
    own = origins[before["first"]] == origins[before["second"]]
    print(f"pairs among the images themselves: {len(before)}, of one origin: {own.sum()}")
    for first, second, distance, correlation in before[
        ["first", "second", "distance", "correlation"]
    ].values:
        print(f"  {ids[int(first)]} {ids[int(second)]}: {distance:.3f} {correlation:.3f}")
    rows = sorted(np.random.RandomState(1).permutation(len(images))[:COUNT].tolist())
    for kind in duplicates.kinds():
        report(kind, train, X, images, rows, duplicates.group(before))


def report(kind, train, X, images, rows, groups):
    """Print recall and precision for copies of one kind, by all rules and by features alone."""
    copies = [duplicates.altered(images[row], kind) for row in rows]
    added = extract(copies, train.extractions["deep_features"], progress=False)
    pairs = duplicates.find(np.concatenate([X, added]), images + copies)
    # A copy of a picture that has a copy itself is rightly paired with both.
    group_of = {row: n for n, group in enumerate(duplicates.group(pairs)) for row in group}
    places = range(len(X), len(X) + len(rows))
    found = [group_of.get(place, -1) == group_of.get(row, -2) for place, row in zip(places, rows)]
    planted = pairs[pairs["second"] >= len(X)]
    wrong = [
        {int(a), rows[int(b) - len(X)]}
        for a, b in zip(planted["first"], planted["second"])
        if rows[int(b) - len(X)] != a
    ]
    explained = sum(any(pair <= set(group) for group in groups) for pair in wrong)
    threshold = duplicates.propose_threshold(np.concatenate([X, added])).distance
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (X[rows], added)]
    near = 1 - np.einsum("ij,ij->i", *unit) <= threshold
    print(
        f"{kind:<11} recall {np.mean(found):.3f} (features alone {near.mean():.3f}), "
        f"pairs of a copy with another picture: {len(wrong)} of {len(planted)}, "
        f"{explained} of them with a copy that was there before"
    )


if __name__ == "__main__":
    for each in sys.argv[1:] or ["sample"]:
        measure(each)
