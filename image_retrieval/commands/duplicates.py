"""Find pictures that are there twice, exactly or nearly.

A folder is indexed first. Of the course's data and of data sets that were built, the training
and the test images are compared, and what they share is reported: such a split leaks. The exit
code is 1 when there are no copies.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from image_retrieval.errors import printable

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = ("holiday", "sample --html copies.html")
_SHOWN = 20


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    add = parser.add_argument
    add("data", metavar="FOLDER|DATA", nargs="?", help=_DATA)
    add("--threshold", metavar="DISTANCE", type=float, help=_THRESHOLD)
    add("--html", metavar="FILE", help="write the groups as pictures in one HTML file, too")
    add("--json", action="store_true", help="print JSON instead of a report")


_DATA = "folder of pictures, or data as for search (default: what the notebooks run on)"
_THRESHOLD = "cosine distance of suspects (default: one proposed from the distances there are)"


def run(args: Namespace) -> int:
    """Print the groups of copies and return the exit code."""
    from image_retrieval import duplicates

    title, X, prints, names, split, pixels = _material(args.data)
    proposed = duplicates.propose_threshold(X)
    limit = proposed if args.threshold is None else args.threshold
    pairs = duplicates.find(X, prints, limit)
    groups = duplicates.group(pairs)
    leak = split and duplicates.leak(
        X[:split], prints.take(range(split)), X[split:], prints.take(range(split, len(X))), limit
    )
    if args.html and groups:
        _write_html(args.html, groups, names, pixels)
    report = _as_json if args.json else _as_text
    print(report(title, limit, pairs, groups, names, leak))
    return int(not groups)


def _material(data):
    """Return title, features, prints, names, training rows (None without a split) and pixels."""
    from image_retrieval import collection

    if data and (collection.find_collection(data) or _is_plain_folder(data)):
        if not collection.find_collection(data) or not _is_elsewhere(data):
            done = collection.update(data)
            if done.extracted:
                print(f"indexed {done.pictures:,} pictures", file=sys.stderr)
        made = collection.open_collection(data)
        names, paths = list(made.pictures["path"]), list(made.pictures["path"])
        title = f"{len(names):,} pictures in {made.source.name}"
        return title, made.vectors(), made.prints(), names, None, _Files(made.source, paths)
    return _split_material(data)


def _is_plain_folder(data):
    from image_retrieval.datasets.cards import FOLDERS
    from image_retrieval.datasets.registry import CARDS

    folder = Path(data).expanduser()
    holds = any((folder / name).is_dir() for name in FOLDERS)
    return folder.is_dir() and data not in ("sample", *CARDS) and not holds


def _is_elsewhere(data):
    from image_retrieval.collection import find_collection

    return find_collection(data) == Path(data).expanduser()


def _split_material(data):
    import numpy as np

    from image_retrieval import datasets, duplicates
    from image_retrieval.images import as_rgb_list
    from image_retrieval.sframes import sframe_vectors

    tables = datasets.load(data)
    ids, X = zip(*(sframe_vectors(table, "deep_features") for table in tables))
    images = [image for table in tables for image in as_rgb_list(table["image"])]
    labels = [label for table in tables for label in table["label"]]
    sides = [side for side, table in zip(("train", "test"), tables) for _ in range(len(table))]
    names = [f"{side} {key} {label}" for side, key, label in zip(sides, sum(ids, []), labels)]
    title = datasets.locate(data).description
    return title, np.concatenate(X), duplicates.picture_prints(images), names, len(X[0]), images


class _Files:
    """The pictures of a folder by row, read when they are asked for."""

    def __init__(self, source, paths):
        self._source, self._paths = source, paths

    def __getitem__(self, row):
        return self._source / self._paths[row]


def _write_html(path, groups, names, pixels):
    from image_retrieval.explore import grid

    rows = [(number, row) for number, group in enumerate(groups, 1) for row in group]
    table = {
        "image": [pixels[row] for _, row in rows],
        "group": [number for number, _ in rows],
        "name": [names[row] for _, row in rows],
    }
    grid(table, columns=["group", "name"], title="Copies").save(path)


def _as_json(title, limit, pairs, groups, names, leak):
    records = pairs.to_dict("records")
    for record in records:
        record.update({side: names[record[side]] for side in ("first", "second")})
    found = {
        "data": title,
        "threshold": getattr(limit, "distance", limit),
        "groups": [[names[row] for row in group] for group in groups],
        "pairs": records,
    }
    if leak:
        found["leak"] = {"test": leak.n_test, "leaked": len(leak.test_rows)}
    return json.dumps(found, indent=2)


def _as_text(title, limit, pairs, groups, names, leak):
    lines = [title, f"Threshold {limit}" + ("" if hasattr(limit, "typical") else ", as given")]
    counts = pairs["kind"].value_counts()
    kinds = ", ".join(f"{counts.get(kind, 0):,} {kind}" for kind in ("exact", "near"))
    lines.append(f"{len(pairs):,} pairs ({kinds}), in {len(groups):,} groups")
    lines += [f"Leak: {leak}"] if leak else []
    for number, group in enumerate(groups[:_SHOWN], 1):
        lines.append(f"{number}:  {'  |  '.join(names[row] for row in group)}")
    if len(groups) > _SHOWN:
        lines.append(f"… and {len(groups) - _SHOWN:,} more groups; --json lists all")
    return "\n".join(map(printable, lines))
