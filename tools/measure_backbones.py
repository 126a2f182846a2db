"""Measure how well and how fast each backbone retrieves, as the table in docs/backbones.md.

    python -m tools.measure_backbones cifar10=data/cifar10 Caltech-101=data/caltech101

Each argument names a data set that the project built. The test images are the queries, the
training images the references. Precision is that of the first five neighbors, plain and after
the default recipe, which is fitted on the references. Speed is of one core: images per second of
the processor's time, which what else the machine does changes little. Backbones whose weights
would have to be downloaded are left out.
"""

import argparse
import sys
import time

import numpy as np

from image_retrieval import datasets, evaluate, features
from image_retrieval.errors import ImageRetrievalError, InputError
from image_retrieval.postprocess import default_recipe
from image_retrieval.sframes import sarray_to_images

K = 5
# The sides worth knowing besides a backbone's own and the one it was trained at.
FURTHER_SIZES = {"efficientnet_lite0": (128,)}


def extractions(names):
    """Return what to measure of each backbone: its own side, the trained one and further ones."""
    for name in names:
        backbone = features.get_backbone(name)
        sizes = {backbone.size, backbone.trained_size or backbone.size}
        for size in sorted(sizes.union(FURTHER_SIZES.get(backbone.name, ()))):
            yield features.Extraction(name, size)


def load(folder):
    """Return the pictures and labels of the training and the test images."""
    tables = datasets.load(folder)
    return [
        (sarray_to_images(table["image"]), np.asarray(list(table["label"]))) for table in tables
    ]


def measure(extraction, data):
    """Return {column: value} of one extraction on one data set."""
    pictures = [images for images, _ in data]
    features.extract(pictures[0][:1], extraction, progress=False)
    start = time.process_time()
    X, Q = (features.extract(images, extraction, progress=False) for images in pictures)
    seconds = time.process_time() - start
    recipe = default_recipe().fit(X)
    plain, processed = (X, Q), (recipe.transform(X), recipe.transform(Q))
    return {
        f"precision@{K}": _quality(plain, data)[0],
        "with recipe": _quality(processed, data)[0],
        "mAP": _quality(plain, data)[1],
        "mAP with recipe": _quality(processed, data)[1],
        "images per second and core": (len(X) + len(Q)) / seconds,
    }


def _quality(vectors, data):
    (X, Q), (y, truth) = vectors, (labels for _, labels in data)
    ranking = evaluate.rank_features(X, y, Q, truth)
    return evaluate.precision_at_k(ranking, K).mean(), evaluate.average_precision(ranking).mean()


def weights_size(extraction):
    """Return the size of the file of weights in millions of bytes, 0 where there is none."""
    find = features.get_backbone(extraction.backbone).weights_file
    return 0 if find is None else find().stat().st_size / 1e6


def markdown(title, rows):
    """Return the measurements on one data set as a table in Markdown."""
    columns = list(rows[0][1])
    lines = [f"| {title} | " + " | ".join([*columns, "weights, MB"]) + " |"]
    lines.append("| --- |" + " ---: |" * (len(columns) + 1))
    for extraction, values in rows:
        *shares, rate = values.values()
        cells = [*(f"{share:.3f}" for share in shares), f"{rate:,.0f}"]
        lines.append(f"| {extraction} | {' | '.join(cells)} | {weights_size(extraction):.0f} |")
    return "\n".join(lines)


def run(options):
    """Measure all and print a table for each data set."""
    names = options.backbones or features.backbones(here=True)
    for named in options.data:
        title, _, folder = named.partition("=")
        if not folder:
            raise InputError(f"{named!r}: give the data as NAME=FOLDER")
        data = load(folder)
        rows = [(how, measure(how, data)) for how in extractions(names)]
        print(markdown(title, rows), end="\n\n")


def main(arguments=None):
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.measure_backbones", description=__doc__.splitlines()[0]
    )
    parser.add_argument("data", nargs="+", metavar="NAME=FOLDER", help="data that was built")
    parser.add_argument("--backbones", nargs="+", help="names, or TOML files of one's own")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except ImageRetrievalError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
