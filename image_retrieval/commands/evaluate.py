"""Measure how well features find images of the same label.

Every test image queries the training images by Euclidean distance, and its neighbors count
as right when they have its label. Of a folder that was indexed, every picture queries the others.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from image_retrieval.evaluate import Ranking
    from image_retrieval.signatures import Table, Values

EXAMPLES = ("--data sample --k 1 5 10", "--features pixels --json")
PIXELS = "pixels"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    from image_retrieval.commands.references import DATA_HELP

    add = parser.add_argument
    add("--data", metavar="NAME", help=DATA_HELP)
    columns = "deep_features or another column of vectors, or pixels (default: %(default)s)"
    add("--features", metavar="COLUMN", default="deep_features", help=columns)
    ranks = "cutoff ranks k; the table by label uses the last (default: 1 5)"
    add("--k", metavar="K", type=int, nargs="+", default=[1, 5], help=ranks)
    add("--recipe", action="store_true", help="post-process first: root, L2, centering, L2")
    add("--json", action="store_true", help="print JSON instead of tables")


def run(args: Namespace) -> None:
    """Print the measures."""
    from image_retrieval import collection, datasets

    if args.data and collection.find_collection(args.data):
        name, description, ranking = _rank_folder(args)
        origins = None
    else:
        location = datasets.locate(args.data)
        made = location.extractions.get(args.features)
        if args.recipe and made and any(part.recipe for part in made.parts):
            raise InputError(f"{args.features} has a recipe already; leave out --recipe")
        name, description = location.name, location.description
        train, test = datasets.load(args.data)
        ranking, origins = rank(train, test, args.features, args.recipe), datasets.origins(test)
    report = {"data": name, "features": args.features, "recipe": args.recipe}
    report.update(make_report(ranking, args.k, origins))
    print(as_json(report) if args.json else as_text(report, description))


def _rank_folder(args):
    """Return name, description and ranking of an indexed folder, where all pictures query."""
    from image_retrieval.collection import open_collection
    from image_retrieval.evaluate import rank_features
    from image_retrieval.postprocess import default_recipe

    if args.features != "deep_features":
        raise InputError(f"a folder that was indexed has deep_features, no {args.features!r}")
    made = open_collection(args.data)
    labeled = made.pictures["label"] != ""
    if labeled.sum() < 2:
        raise InputError(f"{args.data} has no labels; put the pictures into a subfolder for each")
    X = made.vectors()[labeled]
    X = default_recipe().fit_transform(X) if args.recipe else X
    about = f"Data: {labeled.sum():,} labeled pictures in {made.source.name}, all of them queries"
    return made.source.name, about, rank_features(X, made.pictures["label"][labeled])


def rank(train: Table, test: Table, features: str, recipe: bool) -> Ranking:
    """Return the full ranking of the training images for each test image."""
    from image_retrieval.evaluate import rank_features
    from image_retrieval.features import extract
    from image_retrieval.postprocess import default_recipe
    from image_retrieval.sframes import sframe_vectors

    tables = (train, test)
    if features == PIXELS:
        X = [extract(table["image"], PIXELS, progress=False) for table in tables]
    else:
        X = [sframe_vectors(table, features)[1] for table in tables]
    steps = default_recipe().fit(X[0]) if recipe else None
    X = [steps.transform(part) for part in X] if recipe else X
    y = [list(table["label"]) for table in tables]
    return rank_features(X[0], y[0], X[1], y[1])


def make_report(
    ranking: Ranking, ks: Sequence[int], origins: Values | None = None
) -> dict[str, Any]:
    """Return all measures, as tables and numbers; see `image_retrieval.evaluate`.

    Beside the overall precision is its standard error, see `image_retrieval.intervals`; queries
    with one origin count together.
    """
    from image_retrieval import evaluate, intervals

    overall = evaluate.summarize(ranking, ks)
    if len(ranking) > 1 and (origins is None or len(set(origins)) > 1):
        at_k = {k: evaluate.precision_at_k(ranking, k) for k in ks}
        errors = {k: intervals.of_mean(values, origins).error for k, values in at_k.items()}
        overall.insert(1, "± precision", overall.index.map(errors))

    return {
        "queries": len(ranking),
        "references": ranking.n_reference,
        "overall": overall,
        "by_label": evaluate.by_label(ranking, ks[-1]),
        "by_label_k": ks[-1],
        "confusion": evaluate.confusion(ranking),
    }


def as_json(report: Mapping[str, Any]) -> str:
    """Return a report as JSON, each table as a list of rows; what is undefined is null."""
    return json.dumps({name: _rows(value) for name, value in report.items()}, indent=2)


def _rows(value):
    if not hasattr(value, "columns"):
        return value
    plain = value.astype(object).where(value.notna(), None).rename_axis(None, axis=1)
    return plain.reset_index().to_dict("records")


def _text(table):
    return table.to_string(float_format="{:.3f}".format, na_rep="–")


def as_text(report: Mapping[str, Any], description: str) -> str:
    """Return a report as the tables that a terminal shows."""
    recipe = ", post-processed" if report["recipe"] else ""
    return (
        f"{description}\n"
        f"Features: {report['features']}{recipe}; {report['queries']:,} queries among "
        f"{report['references']:,} references\n\n"
        f"All queries, first k neighbors\n{_text(report['overall'])}\n\n"
        f"By label, first {report['by_label_k']} neighbors\n{_text(report['by_label'])}\n\n"
        f"Label of the nearest neighbor (columns) for queries of each label (rows)\n"
        f"{_text(report['confusion'])}"
    )
