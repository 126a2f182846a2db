"""Index a folder of your own pictures, or what has changed in it.

Subfolders become labels. Files that were added, changed or removed since the last time are
noticed, and nothing is extracted twice: not after Ctrl-C or a power cut, and not when a picture
was moved. Files that are no readable pictures are listed. Then search with --data FOLDER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_retrieval.errors import InputError, printable

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
    where = "HOST:PORT, or local for all cores of this machine"
    add("--ray", metavar="ADDRESS", help=f"extract on the machines of a Ray cluster: {where}")
    add("--milvus", metavar="URI", help="with --ray: into a Milvus server, with no index here")
    add("--json", action="store_true", help="print JSON instead of a report")


def run(args: Namespace) -> None:
    """Index the folder and print what was done."""
    if args.milvus and not args.ray:
        raise InputError(
            f"--milvus {args.milvus} goes with --ray; add --ray local for this machine"
        )
    if args.milvus and args.engine:
        raise InputError(f"--milvus is an engine itself; leave --engine {args.engine} out")
    try:
        done, lines = _into_milvus(args) if args.milvus else _into_collection(args)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command goes on from here") from None
    print(_as_json(done) if args.json else "\n".join(map(printable, lines)))


def _into_collection(args):
    from image_retrieval import collection
    from image_retrieval.commands.build import extraction_from

    read = None
    if args.ray:
        from image_retrieval.cluster import reader

        read = reader(args.ray)
    done = collection.update(
        args.folder, args.output, extraction_from(args), args.engine, args.metric, read=read
    )
    files = f"{done.added:,} files added, {done.changed:,} changed, {done.removed:,} removed"
    found = f"{done.pictures:,} pictures ({files}; {done.extracted:,} extracted)"
    search = f"image-retrieval search PICTURE --data {args.output or args.folder}"
    return done, _lines(done, args, found, search)


def _into_milvus(args):
    from image_retrieval import cluster
    from image_retrieval.commands.build import extraction_from

    done = cluster.extract(args.folder, args.ray, args.output, extraction_from(args))
    options = {"metric": args.metric} if args.metric else {}
    engine = cluster.insert(done.folder, args.milvus, address=args.ray, **options)
    found = f"{done.pictures:,} pictures in {done.parts:,} parts ({done.made:,} of them new)"
    search = f"MilvusEngine(uri={args.milvus!r}).open() in Python ({engine.n:,} vectors)"
    return done, _lines(done, args, found, search)


def _as_json(done):
    import json

    names = [name for name in _COUNTS if hasattr(done, name)]
    record = {name: getattr(done, name) for name in names}
    unreadable = [{"path": path, "problem": problem} for path, problem in done.unreadable]
    return json.dumps({**record, "features": str(done.extraction), "unreadable": unreadable})


_COUNTS = ("pictures", "added", "changed", "removed", "extracted", "parts", "made")


def _lines(done, args, found, search):
    yield f"{args.folder}: {found}"
    yield f"Features: {done.extraction}."
    if done.unreadable:
        yield f"Left out, as no readable pictures: {len(done.unreadable):,}"
    yield from (f"  {path}: {problem}" for path, problem in done.unreadable[:_SHOWN])
    if len(done.unreadable) > _SHOWN:
        yield f"  … and {len(done.unreadable) - _SHOWN:,} more; --json lists all"
    yield f"Search it: {search}"
