"""Index a folder of your own pictures, or what has changed in it.

Subfolders become labels. Files that were added, changed or removed since the last time are
noticed, and nothing is extracted twice: not after Ctrl-C or a power cut, and not when a picture
was moved. Files that are no readable pictures are listed. Then search with --data FOLDER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_retrieval.errors import printable

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = ("holiday", "holiday --backbone efficientnet_lite0:128 --output holiday-index")
_SHOWN = 10


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    from image_retrieval.commands.build import add_how
    from image_retrieval.index import engines
    from image_retrieval.index.validation import METRICS

    add = parser.add_argument
    add("folder", metavar="FOLDER", help="folder of pictures")
    add("--output", metavar="PLACE", help="where to keep the index (default: in the folder)")
    add_how(parser)
    add("--engine", choices=engines(), help="search engine (default: as before, or exact)")
    add("--metric", choices=METRICS, help="distance (default: as before, or cosine)")
    add("--json", action="store_true", help="print JSON instead of a report")


def run(args: Namespace) -> None:
    """Index the folder and print what was done."""
    from image_retrieval import collection
    from image_retrieval.commands.build import extraction_from

    how = extraction_from(args)
    try:
        done = collection.update(args.folder, args.output, how, args.engine, args.metric)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on from here") from None
    print(_as_json(done) if args.json else "\n".join(map(printable, _lines(done, args))))


def _as_json(done):
    import json

    record = {name: getattr(done, name) for name in _COUNTS}
    unreadable = [{"path": path, "problem": problem} for path, problem in done.unreadable]
    return json.dumps({**record, "features": str(done.extraction), "unreadable": unreadable})


_COUNTS = ("pictures", "added", "changed", "removed", "extracted")


def _lines(done, args):
    files = f"{done.added:,} files added, {done.changed:,} changed, {done.removed:,} removed"
    yield f"{args.folder}: {done.pictures:,} pictures ({files}; {done.extracted:,} extracted)"
    yield f"Features: {done.extraction}."
    if done.unreadable:
        yield f"Left out, as no readable pictures: {len(done.unreadable):,}"
    yield from (f"  {path}: {problem}" for path, problem in done.unreadable[:_SHOWN])
    if len(done.unreadable) > _SHOWN:
        yield f"  … and {len(done.unreadable) - _SHOWN:,} more; --json lists all"
    yield f"Search it: image-retrieval search PICTURE --data {args.output or args.folder}"
