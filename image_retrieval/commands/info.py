"""Say what is there: the edition, the data and how its features were made.

Of a folder of pictures that was indexed, also the files that could not be read.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from image_retrieval.errors import printable

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = ("", "--data holiday")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    from image_retrieval.commands.references import DATA_HELP

    parser.add_argument("--data", metavar="NAME", help=DATA_HELP)
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def run(args: Namespace) -> None:
    """Print what is there."""
    from image_retrieval.commands.references import open_references

    facts = {**_program(), **_data(open_references(args.data))}
    if args.json:
        print(json.dumps(facts, indent=2))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        for number, line in enumerate(_texts(value)):
            print(printable(f"{'' if number else name:<{width}}  {line}"))


def _program():
    import sys

    import turicreate

    from image_retrieval import features, index, terminal

    version = turicreate.__version__
    return {
        "Python": sys.version.split()[0],
        "edition": "portable" if "portable" in version else f"Turi Create {version}",
        "backbones": features.backbones(here=True),
        "engines": index.engines(),
        "pictures": terminal.best_way(),
    }


def _data(references):
    from collections import Counter

    labels = Counter(references.table["label"])
    facts = {"data": references.title, "labels": {k or "(none)": labels[k] for k in sorted(labels)}}
    made = references.collection
    if made is None:
        known = getattr(references.table, "extractions", {})
        return {**facts, "features": {name: str(how) for name, how in known.items()}}
    index = made.index()
    return {
        **facts,
        "features": {"deep_features": str(made.extraction)},
        "index": f"{index.engine.name}, {index.engine.metric}",
        "up to date": "yes" if made.is_current else "no; run image-retrieval index again",
        "unreadable": dict(made.unreadable),
    }


def _texts(value):
    if isinstance(value, dict):
        return [f"{name}: {each}" for name, each in value.items()] or ["none"]
    return [", ".join(value)] if isinstance(value, list) else [value]
