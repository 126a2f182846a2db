"""Measure what each post-processing step brings, over several random splits of the images.

The train and test images of a data set are put together and split anew for each seed. Every
variant sees the same splits, so that the differences between variants, whose spread is much
smaller than that between splits, can be told from noise: a step is worth keeping where its
difference is several times the standard error `se`.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from image_retrieval import datasets, evaluate, features
from image_retrieval.errors import ImageRetrievalError, InputError
from image_retrieval.features import Extraction, JoinedExtraction, as_extraction
from image_retrieval.postprocess import AverageQueryExpansion, default_recipe, signed_root
from image_retrieval.sframes import sarray_to_images

K = 5
BASE = "l2, center, l2"
JOINED = (
    Extraction("efficientnet_lite0", 128),
    Extraction("efficientnet_lite2", 160),
    Extraction("efficientnet_lite2", 260),
)


def variants():
    """Return the variants: name, which features, and steps to fit (None for nothing)."""
    return [
        ("raw pixels", "pixels", None),
        ("nothing", "deep", None),
        ("l2", "deep", Normalizer()),
        (BASE, "deep", _centered()),
        ("l2, scale, l2", "deep", make_pipeline(Normalizer(), StandardScaler(), Normalizer())),
        ("root, l2", "deep", make_pipeline(_root(), Normalizer())),
        ("default: root, l2, center, l2", "deep", default_recipe()),
        ("default with PCA to 256", "deep", default_recipe(256)),
        ("default with PCA to 128", "deep", default_recipe(128)),
        ("default with PCA to 64", "deep", default_recipe(64)),
        ("default, PCA to 128 whitened", "deep", _whitened(128)),
        ("default, expansion by 5", "deep", _expanded(5)),
        ("default, expansion by 10", "deep", _expanded(10)),
        ("flip: nothing", "flip", None),
        (f"flip: {BASE}", "flip", _centered()),
        ("flip: default", "flip", default_recipe()),
        ("flip: default, expansion by 10", "flip", _expanded(10)),
        ("joined: default", "joined", _joined()),
        ("joined: default, expansion by 10", "joined", _expanded(10, _joined())),
    ]


def _root():
    return FunctionTransformer(signed_root)


def _centered():
    return make_pipeline(Normalizer(), StandardScaler(with_std=False), Normalizer())


def _whitened(n_components):
    whitening = PCA(n_components, whiten=True, random_state=0)
    return make_pipeline(default_recipe(), whitening, Normalizer())


def _expanded(n_neighbors, recipe=None):
    recipe = default_recipe() if recipe is None else recipe
    return make_pipeline(recipe, Normalizer(), AverageQueryExpansion(n_neighbors))


def _joined():
    """Return the default recipe for each of the `JOINED` parts on its own."""
    parts = range(len(JOINED))
    return ColumnTransformer([(str(i), default_recipe(), partial(_part, i)) for i in parts])


def _part(i, X):
    width = X.shape[1] // len(JOINED)
    return slice(i * width, (i + 1) * width)


def measure(features, labels, seeds, n_reference, n_query):
    """Return {name: array of shape (seeds, 2)}: precision@5 and mAP of every variant."""
    results = {name: [] for name, _, _ in variants()}
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(labels))
        reference, query = order[:n_reference], order[n_reference : n_reference + n_query]
        for name, which, steps in variants():
            results[name].append(_measure_split(features[which], labels, reference, query, steps))
    return {name: np.asarray(values) for name, values in results.items()}


def _measure_split(X, labels, reference, query, steps):
    X_reference, X_query = X[reference], X[query]
    if steps is not None:
        X_reference, X_query = steps.fit_transform(X_reference), steps.transform(X_query)
    ranking = evaluate.rank_features(X_reference, labels[reference], X_query, labels[query])
    precision = evaluate.precision_at_k(ranking, K).mean()
    return precision, evaluate.average_precision(ranking).mean()


def compare(results):
    """Return the results as a table of means, differences from BASE and standard errors."""
    values = np.stack(list(results.values()))
    means, differences = values.mean(axis=1), values - results[BASE]
    errors = differences.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    kinds = {"mean": means, "difference": differences.mean(axis=1), "se": errors}
    tables = {
        measure: pd.DataFrame({kind: of[:, i] for kind, of in kinds.items()}, list(results))
        for i, measure in enumerate((f"precision@{K}", "mAP"))
    }
    return pd.concat(tables, axis=1).round(3)


def load_features(data, extraction):
    """Return the features of all images of a data set, by name, and their labels."""
    tables = datasets.load(data)
    images = [image for table in tables for image in sarray_to_images(table["image"])]
    labels = np.asarray([label for table in tables for label in table["label"]])
    ways = {
        "pixels": Extraction("pixels"),
        "deep": extraction,
        "flip": replace(extraction, flip=True),
        "joined": JoinedExtraction(JOINED),
    }
    return {name: features.extract(images, how) for name, how in ways.items()}, labels


def main(arguments=None):
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.measure_recipe", description=__doc__)
    parser.add_argument("--data", help="sample, cifar10 or a folder; the notebooks' by default")
    parser.add_argument("--backbone", help="of the features but those joined; the default one")
    parser.add_argument("--size", type=int, help="of its input in pixels; its own by default")
    parser.add_argument("--seeds", type=int, default=10, help="random splits, 2 or more")
    parser.add_argument("--reference", type=int, default=2005, help="reference images per split")
    parser.add_argument("--query", type=int, default=800, help="query images per split")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except ImageRetrievalError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def run(options):
    """Measure and print the table."""
    if options.seeds < 2:
        raise InputError(f"a standard error needs 2 seeds or more, got {options.seeds}")
    extraction = as_extraction(options.backbone, size=options.size)
    vectors, labels = load_features(options.data, extraction)
    needed = options.reference + options.query
    if needed > len(labels):
        raise InputError(f"a split needs {needed} images, the data has {len(labels)}; ask for less")
    print(
        f"{options.seeds} splits of {len(labels)} images into {options.reference} references "
        f"and {options.query} queries; {extraction}; joined: {JoinedExtraction(JOINED)}; "
        f"differences from: {BASE}"
    )
    results = measure(vectors, labels, options.seeds, options.reference, options.query)
    print(compare(results).to_string())


if __name__ == "__main__":
    sys.exit(main())
