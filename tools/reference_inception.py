"""Make the test fixture of InceptionV3 with Keras itself.

    .venv/bin/python -m tools.reference_inception

TensorFlow builds the network and computes its features, with random weights in every layer.
The weights are drawn again from their seed wherever the fixture is used.
"""

import json
import os
from pathlib import Path

import numpy as np

from tests.keras_files import SIZES, random_pixels, random_weights

FIXTURE = Path(__file__).resolve().parent.parent / "tests/fixtures/inception_v3.npz"
# Pooled, of the smallest size only.
EARLIER = ("mixed0", "mixed3", "mixed7", "mixed8")


def keras_model():
    """Return Keras's own network with random weights in every layer, and its layers."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow import keras

    model = keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    layers = [
        (layer.name, [(weight.name, tuple(weight.shape)) for weight in layer.weights])
        for layer in model.layers
    ]
    for layer, weights in random_weights(layers):
        model.get_layer(layer).set_weights([values for _, values in weights])
    return model, layers


def keras_map(model, pixels, layer="mixed10"):
    """Return the map that Keras computes for uint8 pixels."""
    from tensorflow import keras

    part = keras.Model(model.input, model.get_layer(layer).output)
    x = keras.applications.inception_v3.preprocess_input(pixels.astype(np.float32))
    return np.asarray(part(x, training=False))


def main():
    """Compute the features and write the fixture."""
    model, layers = keras_model()
    arrays = {
        f"mixed10_{size}": keras_map(model, random_pixels(size)).mean(axis=(1, 2)) for size in SIZES
    }
    for layer in EARLIER:
        found = keras_map(model, random_pixels(SIZES[-1]), layer)
        arrays[f"{layer}_{SIZES[-1]}"] = found.mean(axis=(1, 2))
    np.savez_compressed(FIXTURE, layers=json.dumps(layers), **arrays)
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
