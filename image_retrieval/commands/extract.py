"""Turn pictures into deep features.

A line of CSV for each picture on standard output: its name, and the numbers of its vector. With
--output the same goes into a file, where .npz holds the arrays `names` and `X` and the record
`extraction`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = ("photo.jpg > vector.csv", "holiday/*.jpg --backbone pixels:8 --output vectors.npz")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    from image_retrieval.commands.build import add_how

    parser.add_argument("pictures", metavar="PICTURE", nargs="+", help="picture file")
    parser.add_argument("--output", metavar="FILE", help="file to write: .npz or .csv")
    add_how(parser)


def run(args: Namespace) -> int:
    """Write the features; the exit code is 2 when a picture could not be read."""
    from image_retrieval.commands.build import extraction_from
    from image_retrieval.commands.search import readable
    from image_retrieval.features import as_extraction, extract, identified
    from image_retrieval.files import atomic_file

    _check_output(args.output)
    how = identified(as_extraction(extraction_from(args)))
    names, pictures, unreadable = readable(args.pictures)
    X = extract(pictures, how, progress=sys.stderr.isatty())
    if args.output is None:
        _write_csv(sys.stdout, names, X)
    elif names:
        with atomic_file(args.output) as temporary:
            _write(temporary, names, X, how)
        print(f"{args.output}: {len(X):,} vectors of {X.shape[1]:,} numbers by {how}")
    return 2 if unreadable else 0


def _check_output(output):
    if output is not None and not output.endswith((".npz", ".csv")):
        raise InputError(f"--output {output}: the name must end in .npz or .csv")


def _write(path, names, X, how):
    import json

    import numpy as np

    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            _write_csv(file, names, X)
    else:
        with path.open("wb") as file:
            np.savez(file, names=np.array(names), X=X, extraction=json.dumps(how.as_record()))


def _write_csv(file, names, X):
    import csv

    writer = csv.writer(file, lineterminator="\n")
    # str of a float32 gives the fewest digits that lead back to it.
    writer.writerows([name, *map(str, vector)] for name, vector in zip(names, X))
