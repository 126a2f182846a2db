"""Random weights in files as Keras writes them, the same wherever they are made."""

import numpy as np

# Sides of pictures: odd and even ones are padded differently.
SIZES = (299, 160, 107)


def random_weights(layers, seed=0):
    """Draw all weights of a network anew, so that its features keep a sound spread.

    Parameters
    ----------
    layers : list of (layer, list of (weight, shape))
        In the file's order.
    seed : int
        Of a generator whose numbers NumPy promises to keep.
    """
    random = np.random.RandomState(seed)
    return [
        (layer, [(name, _drawn(random, name, shape)) for name, shape in weights])
        for layer, weights in layers
    ]


def _drawn(random, name, shape):
    if "variance" in name:
        return random.uniform(0.5, 2, shape).astype(np.float32)
    scale = np.sqrt(2 / np.prod(shape[:3])) if "kernel" in name else 0.2
    return (random.standard_normal(shape) * scale).astype(np.float32)


def write_keras_file(path, layers, text="S"):
    """Write weights in the layout of `tf.keras`'s `save_weights("….h5")`."""
    import h5py

    with h5py.File(str(path), "w") as file:
        file.attrs["layer_names"] = names([layer for layer, _ in layers], text)
        for layer, weights in layers:
            group = file.create_group(layer)
            group.attrs["weight_names"] = names([name for name, _ in weights], text)
            for name, values in weights:
                group[name] = values
    return path


def names(values, text="S"):
    """Return a list of names as an attribute takes it: of one length, or of any ("O")."""
    return np.array([value.encode() for value in values], text) if values else np.zeros(0)


def random_pixels(size, n=2):
    """Return pictures that the features of differ."""
    random = np.random.RandomState(size)
    colors = random.randint(0, 226, (n, 1, 1, 3))
    return (colors + random.randint(0, 30, (n, size, size, 3))).astype(np.uint8)
