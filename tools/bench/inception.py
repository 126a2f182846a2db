"""How fast InceptionV3 runs here, against Keras's own network with the same weights.

    python -m tools.bench.inception [--size 299] [--images 32] [--rounds 5]

The weights are random: they cost the same time as real ones. Where TensorFlow is not installed,
there is nothing to compare with. Both take turns and the best round counts; read the ratio.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from image_retrieval.features.extracting import available_cores
from image_retrieval.features.inception_v3 import make_graph
from image_retrieval.features.onnx_network import OnnxNetwork
from tests.keras_files import random_pixels, random_weights, write_keras_file
from tools.reference_inception import FIXTURE

BATCH = 8
OURS, KERAS = "ONNX Runtime", "Keras"


def measure(size=299, n=32, rounds=5):
    """Return images per second by way, after checking that all ways give the same features."""
    pixels = random_pixels(size, n)
    batches = [pixels[start : start + BATCH] for start in range(0, n, BATCH)]
    with tempfile.TemporaryDirectory() as folder:
        ways = _ways(Path(folder) / "random.h5")
    features = [way(batches[:1]) for way in ways.values()]
    for other in features[1:]:
        np.testing.assert_allclose(other, features[0], atol=1e-4 * features[0].max())
    best = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way(batches)
            best[name] = max(best[name], n / (time.perf_counter() - start))
    return best


def _ways(path):
    with np.load(FIXTURE) as fixture:
        layers = json.loads(str(fixture["layers"]))
    write_keras_file(path, random_weights(layers))
    ways = {OURS: partial(_in_threads, OnnxNetwork(make_graph(path)))}
    if find_spec("tensorflow"):
        ways[KERAS] = partial(_in_turn, _keras(path))
    return ways


def _keras(path):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow import keras

    shape = {"include_top": False, "pooling": "avg", "input_shape": (None, None, 3)}
    model = keras.applications.InceptionV3(weights=None, **shape)
    model.load_weights(str(path))
    return model


def _in_threads(network, batches):
    # As `extract` does: a batch a core.
    with ThreadPoolExecutor(available_cores()) as pool:
        return np.concatenate(list(pool.map(network, batches)))


def _in_turn(model, batches):
    # TensorFlow shares a batch among the cores by itself.
    scaled = (batch / np.float32(127.5) - np.float32(1) for batch in batches)
    return np.concatenate([model.predict_on_batch(batch) for batch in scaled])


def markdown(rates, size):
    """Return the rates as a table in Markdown, with the ratio to Keras where that was measured."""
    lines = ["| InceptionV3 | images per second |", "| --- | ---: |"]
    lines += [f"| {size} px, {way} | {rate:.1f} |" for way, rate in rates.items()]
    if KERAS in rates:
        lines += ["", f"{OURS} / {KERAS}: {rates[OURS] / rates[KERAS]:.2f}, wanted at least 1."]
    return "\n".join(lines) + "\n"


def main(arguments=None):
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("size", 299), ("images", 32), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args(arguments)
    rates = measure(options.size, options.images, options.rounds)
    sys.stdout.write(markdown(rates, options.size))


if __name__ == "__main__":
    main()
