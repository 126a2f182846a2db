"""Find the pictures most like one of yours.

Pictures are JPEG, PNG, GIF, BMP, TIFF or WebP files. In a terminal that can, the pictures are
shown; what is piped elsewhere is text alone. The exit code is 1 when nothing is found.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Iterable

from image_retrieval.errors import InputError, printable

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from image_retrieval.signatures import Array

EXAMPLES = ("photo.jpg -k 5", "photo.jpg --data holiday --where label=beach --html found.html")
_CSV = ("query", "rank", "id", "label", "distance", "path")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    from image_retrieval.commands.references import DATA_HELP
    from image_retrieval.index import engines
    from image_retrieval.index.validation import METRICS
    from image_retrieval.terminal import WAYS

    add = parser.add_argument
    add("pictures", metavar="PICTURE", nargs="*", help="picture file to search with")
    add("--text", metavar="WORDS", action="append", default=[], help=_TEXT)
    add("--data", metavar="NAME", help=DATA_HELP)
    add("-k", metavar="K", type=int, default=5, help="neighbors of each (default: %(default)s)")
    add("--radius", metavar="DISTANCE", type=float, help="only neighbors at most so far away")
    add("--where", metavar="label=NAME", action="append", default=[], help=_WHERE)
    add("--engine", choices=engines(), help="search engine (default: the saved one, or exact)")
    add("--metric", choices=METRICS, help="distance (default: the saved one, or cosine)")
    add("--html", metavar="FILE", help="write the pictures found as one HTML file, too")
    add("--csv", metavar="FILE", help="write the table as a CSV file, too")
    add("--json", action="store_true", help="print JSON instead of tables")
    add("--pictures", dest="way", choices=("auto", *WAYS), default="auto", help=_PICTURES)


_TEXT = "search with words, where the features take words; may be given several times"
_WHERE = "only pictures with this label; may be given several times"
_PICTURES = "how the terminal shows pictures (default: %(default)s)"


def run(args: Namespace) -> int:
    """Search, print what is found and return the exit code."""
    from image_retrieval.commands.references import open_references

    where = _labels(args.where)
    if args.k < 1:
        raise InputError(f"-k {args.k}: ask for 1 neighbor at least")
    names, pictures, unreadable = readable(args.pictures)
    if not (names or args.text or unreadable):
        raise InputError("there is nothing to search with; give picture files, or --text")
    references = open_references(args.data)
    searched = references.index(args.engine, args.metric)
    names += args.text
    found = _found(searched, pictures, args, where) if names else []
    rows = references.rows({key for hits in found for key, _ in hits})
    _warn(references, where or ())
    report = [(name, [(*rows[key][:3], d) for key, d in hits]) for name, hits in zip(names, found)]
    _write_files(args, report, rows, pictures)
    if args.json:
        print(_as_json(references, searched, report))
    else:
        _print_tables(args, references, searched, report, rows, pictures)
    return 2 if unreadable else int(not any(found))


def _labels(given):
    labels = []
    for each in given:
        column, sign, value = each.partition("=")
        if column != "label" or not sign:
            raise InputError(f"--where {each}: write label=NAME, such as --where label=cat")
        labels.append(value)
    return labels or None


def readable(paths: Iterable[str]) -> tuple[list[str], list[Array], int]:
    """Return names and pixels of the pictures that can be read; tell of the others."""
    from image_retrieval.images import as_rgb

    names, pictures, unreadable = [], [], 0
    for path in paths:
        try:
            pictures.append(as_rgb(path))
            names.append(path)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            unreadable += 1
    return names, pictures, unreadable


def _found(searched, pictures, args, where):
    """Return the ids and distances of the neighbors of each picture, then of each text."""
    import numpy as np

    from image_retrieval.features import extract, extract_text

    how = searched.extraction
    if how is None:
        raise InputError("it is not known how this data's features were made; build it again")
    Q = [extract(pictures, how, progress=sys.stderr.isatty())] if pictures else []
    Q += [extract_text(args.text, how)] if args.text else []
    ids, distances = searched.search(np.concatenate(Q), args.k, args.radius, where)
    rows = [zip(*each) for each in zip(ids.tolist(), distances.tolist())]
    return [[(key, d) for key, d in row if np.isfinite(d)] for row in rows]


def _warn(references, where):
    known = set(references.table["label"])
    for label in sorted(set(where) - known):
        there = ", ".join(sorted(known - {""})) or "none"
        print(
            printable(f"note: no picture has the label {label}; there are {there}"), file=sys.stderr
        )
    made = references.collection
    if made and not made.is_current:
        command = f"image-retrieval index {made.source}"
        print(f"note: some pictures are not indexed yet; run {command}", file=sys.stderr)


def _write_files(args, report, rows, pictures):
    from image_retrieval.files import atomic_file

    if args.csv:
        with atomic_file(args.csv) as temporary:
            _table(report).to_csv(temporary, index=False)
    if args.html and any(hits for _, hits in report):
        _gallery(report, rows, pictures).save(args.html)


def _table(report):
    import pandas as pd

    return pd.DataFrame(
        [
            (name, rank, key, label, distance, path)
            for name, hits in report
            for rank, (key, label, path, distance) in enumerate(hits, 1)
        ],
        columns=_CSV,
    )


def _gallery(report, rows, pictures):
    from image_retrieval.explore import gallery

    hits = _table(report).rename(columns={"id": "reference_label"})
    hits["query_label"] = [place for place, (_, found) in enumerate(report) for _ in found]
    ids, labels, _, pixels = zip(*rows.values())
    known = {"id": list(ids), "image": list(pixels), "label": list(labels)}
    asked = pictures if len(pictures) == len(report) else None
    return gallery(hits, known, asked, query_by=asked and "row", title="Pictures found")


def _as_json(references, searched, report):
    queries = [
        {
            "query": name,
            "hits": [
                {"rank": rank, "id": key, "label": label, "distance": d, "path": path}
                for rank, (key, label, path, d) in enumerate(hits, 1)
            ],
        }
        for name, hits in report
    ]
    made = {"data": references.title, "features": str(searched.extraction)}
    return json.dumps({**made, "metric": searched.engine.metric, "queries": queries}, indent=2)


def _print_tables(args, references, searched, report, rows, pictures):
    from image_retrieval.terminal import best_way, show

    way = best_way() if args.way == "auto" else args.way
    about = f"{references.title}; {searched.extraction}; {searched.engine.metric} distance"
    for place, (name, hits) in enumerate(report):
        print(printable(f"{name}: {len(hits)} nearest of {about}"))
        asked = [(pictures[place], "query")] if place < len(pictures) else []
        show(asked + [_shown(rank, hit, rows) for rank, hit in enumerate(hits, 1)], way)
        print(_hits_as_text(hits) if hits else "nothing found")


def _shown(rank, hit, rows):
    key, label, path, _ = hit
    return rows[key][3], printable(f"{rank} {label or path or key}")


def _hits_as_text(hits):
    from image_retrieval.explore.text import distance_format, text_table

    write = distance_format([distance for *_, distance in hits])
    heading = ("rank", "id", "label", "distance", "path")
    rows = [
        (rank, key, printable(label), write(distance), path and printable(path))
        for rank, (key, label, path, distance) in enumerate(hits, 1)
    ]
    has_paths = any(row[-1] for row in rows)
    return text_table([row if has_paths else row[:-1] for row in [heading, *rows]], right=(0, 1, 3))
