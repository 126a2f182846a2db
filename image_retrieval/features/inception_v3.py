"""InceptionV3 with its ImageNet weights, as Keras Applications has it, as an ONNX graph.

Source: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna: Rethinking the Inception
Architecture for Computer Vision, CVPR 2016 (https://arxiv.org/abs/1512.00567);
https://keras.io/api/applications/inceptionv3/
"""

import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import Backbone
from image_retrieval.features.keras_weights import read_keras_weights
from image_retrieval.features.onnx_graph import GraphBuilder, fold_batch_norm
from image_retrieval.features.onnx_network import OnnxNetwork

D = 2048
LAYERS = tuple(f"mixed{number}" for number in range(11))
VARIABLE = "IMAGE_RETRIEVAL_INCEPTION_V3"
FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{FILE}"
# Keras's own check of the download, in keras/src/applications/inception_v3.py.
MD5 = "bcbd6486424b2319ff4ef7d526e38f63"
_NONE = "none"
_OTHERWISE = "backbone 'efficientnet_lite2' works now"
_WAY_OUT = f"get InceptionV3's weights without the classifier from {URL}"

# "48x5x3" is a convolution with its channels, rows and columns. "/2" is its stride, and as "v"
# stands for no padding. "max" and "avg" pool; "+" are side by side on one input.
_POOLINGS = {
    "max": ("MaxPool", {"strides": [2, 2]}),
    # Like TensorFlow's, the average leaves the padding out.
    "avg": ("AveragePool", {"auto_pad": "SAME_UPPER"}),
}
_BATCH_NORM = ("beta", "moving_mean", "moving_variance")
STEM = "32x3x3/2 32x3x3v 64x3x3 max 80x1x1 192x3x3v max"


def _fives(n):
    return "64x1x1", "48x1x1 64x5x5", "64x1x1 96x3x3 96x3x3", f"avg {n}x1x1"


def _sevens(n):
    once, twice = f"{n}x1x1 {n}x1x7", f"{n}x1x1 {n}x7x1 {n}x1x7 {n}x7x1"
    return "192x1x1", f"{once} 192x7x1", f"{twice} 192x1x7", "avg 192x1x1"


_ENDS = ("384x1x1 384x1x3+384x3x1", "448x1x1 384x3x3 384x1x3+384x3x1")
# The branches of each block in the order in which Keras joins them.
BLOCKS = (
    *map(_fives, (32, 64, 64)),
    ("384x3x3/2", "64x1x1 96x3x3 96x3x3/2", "max"),
    *map(_sevens, (128, 160, 160, 192)),
    ("192x1x1 320x3x3/2", "192x1x1 192x1x7 192x7x1 192x3x3/2", "max"),
    *[("320x1x1", *_ENDS, "avg 192x1x1")] * 2,
)


def load(pooling="avg", weights=None, cache=None, layer=LAYERS[-1]):
    """Return the network, see `Backbone.load`.

    Parameters
    ----------
    pooling : {"avg", None}
    weights : str or Path, optional
        Keras's file of weights without the classifier, or one like it; else the file that
        `IMAGE_RETRIEVAL_INCEPTION_V3` names, the one in Keras's own cache, or a download
        into that cache.
    cache : ignored
        Making the graph takes no longer than reading it.
    layer : str
        Which of `LAYERS` is the last.

    Warns
    -----
    UserWarning
        When the file is not the one that Keras publishes.

    Raises
    ------
    InputError
        When the file does not fit.
    DownloadError
        When there is no file and it cannot be downloaded.
    """
    path = weights_file(weights)
    _warn_of_other_hash(path)
    return OnnxNetwork(make_graph(path, pooling, layer))


def weights_file(path=None):
    """Return the file of weights that `load` uses, downloaded if need be."""
    return find_weights(path) or _download()


def find_weights(weights=None):
    """Return the file of weights, or None where there is none on this machine.

    Raises
    ------
    InputError
        When a file was named and is not there.
    """
    named = weights or _from_environment()
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            source = "weights" if weights else VARIABLE
            raise InputError(
                f"{source}={str(named)!r} is no file of weights; get it from {URL}, or leave it "
                f"out: {_OTHERWISE}"
            )
        return path
    return keras_file() if keras_file().is_file() else None


def has_weights():
    """Tell whether this backbone can be used without a download.

    What uses it by itself where it can asks here. `IMAGE_RETRIEVAL_INCEPTION_V3=none` keeps
    it from being used by itself.
    """
    return os.environ.get(VARIABLE) != _NONE and find_weights() is not None


def keras_file():
    """Return where Keras keeps the file that it downloads."""
    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    return Path(home) / "models" / FILE


def _from_environment():
    named = os.environ.get(VARIABLE)
    return None if named == _NONE else named


def _download():
    from image_retrieval.download import download

    way_out = (
        f"download it elsewhere and put it at {keras_file()}, or name it with --weights or "
        f"{VARIABLE}; {_OTHERWISE}"
    )
    return download(URL, keras_file(), MD5, way_out)


def _warn_of_other_hash(path):
    import pooch

    found = pooch.file_hash(str(path), "md5")
    if found != MD5:
        warnings.warn(
            f"{path} has MD5 {found} where Keras publishes {MD5}: its features will differ from "
            "those of InceptionV3 trained on ImageNet",
            stacklevel=3,
        )


@dataclass(frozen=True, eq=False)
class Step:
    """One convolution (with batch norm and ReLU), pooling or joining.

    Attributes
    ----------
    what : str
        As in `BLOCKS`; "join" where several inputs come side by side, "start" before all.
    channels : int
        Of its output.
    inputs : tuple of Step
    shape : tuple of int, optional
        Of a convolution's kernel as Keras has it: rows, columns, channels in, channels out.
    """

    what: str
    channels: int
    inputs: Tuple["Step", ...] = ()
    shape: Optional[Tuple[int, ...]] = None


def steps():
    """Return the last step of each of `LAYERS`."""
    x, last = _chain(Step("start", 3), STEM), []
    for block in BLOCKS:
        x = _join([_chain(x, branch) for branch in block])
        last.append(x)
    return last


def _chain(x, text):
    for word in text.split():
        x = _join([_step(x, what) for what in word.split("+")])
    return x


def _step(x, what):
    if what in _POOLINGS:
        return Step(what, x.channels, (x,))
    channels, rows, columns = map(int, re.findall(r"\d+", what)[:3])
    return Step(what, channels, (x,), (rows, columns, x.channels, channels))


def _join(parts):
    joined = Step("join", sum(part.channels for part in parts), tuple(parts))
    return joined if len(parts) > 1 else parts[0]


def in_keras_order(last):
    """Return the convolutions up to a step in the order of Keras's files.

    Layers are listed by their distance from the output, the farthest first; those that are
    equally far as a walk from the output meets them. A convolution counts as three layers.
    """
    met, left = {}, []

    def walk(step):
        if step not in met:
            met[step] = len(met)
            for before in step.inputs:
                walk(before)
            left.append(step)

    walk(last)
    far = dict.fromkeys(met, 0)
    for step in reversed(left):
        for before in step.inputs:
            far[before] = max(far[before], far[step] + (3 if step.shape else 1))
    return sorted((s for s in met if s.shape), key=lambda step: (-far[step], met[step]))


def make_graph(path, pooling="avg", layer=LAYERS[-1]):
    """Return the serialized ONNX graph.

    Parameters
    ----------
    path : str or Path
        The file of weights.
    pooling : {"avg", None}
        Whether the output is the pooled vector (n, d) or the feature map (n, h, w, d).
    layer : str
        Which of `LAYERS` is the last.

    Returns
    -------
    bytes
    """
    last, graph, names = steps(), GraphBuilder(), {}
    weights = _fitted(read_keras_weights(path, _WAY_OUT), in_keras_order(last[-1]), path)

    def node(step):
        if step not in names:
            names[step] = _appended(graph, step, map(node, step.inputs), weights.get(step))
        return names[step]

    return graph.features(BACKBONE.name, node(last[LAYERS.index(layer)]), pooling)


def _fitted(layers, convolutions, path):
    """Return (kernel, beta, mean, variance) by convolution."""
    kernels = [(name, held["kernel"]) for name, held in layers.items() if set(held) == {"kernel"}]
    norms = [held for held in layers.values() if set(held) == set(_BATCH_NORM)]
    if not len(kernels) == len(norms) == len(convolutions) == len(layers) / 2:
        raise _unfit(path, f"{len(kernels)} convolutions and {len(norms)} batch norms")
    fitted = {}
    for step, (name, kernel), norm in zip(convolutions, kernels, norms):
        moments = [norm[part] for part in _BATCH_NORM]
        if kernel.shape != step.shape or {m.shape for m in moments} != {step.shape[3:]}:
            raise _unfit(path, f"{name} {kernel.shape} where {step.shape} belongs")
        if moments[2].min() < 0:
            raise _unfit(path, f"a variance below 0 after {name}")
        fitted[step] = (kernel, *moments)
    return fitted


def _unfit(path, what):
    return InputError(f"{path}: not InceptionV3's weights ({what}); {_WAY_OUT}")


def _appended(graph, step, inputs, weights):
    """Append a step to the graph and return the name of its output."""
    if step.what == "start":
        return graph.pixels()
    if step.what == "join":
        return graph.add("Concat", *inputs, axis=1)
    if step.what in _POOLINGS:
        operator, options = _POOLINGS[step.what]
        return graph.add(operator, *inputs, kernel_shape=[3, 3], **options)
    kernel, *moments = weights
    folded = fold_batch_norm(kernel.transpose(3, 2, 0, 1), 1, *moments)
    padding = "VALID" if step.what.endswith(("/2", "v")) else "SAME_UPPER"
    return graph.add("Relu", graph.conv(*inputs, *folded, 2 if "/2" in step.what else 1, padding))


BACKBONE = Backbone(
    name="inception_v3",
    d=D,
    size=299,
    min_size=75,
    normalization="x / 127.5 - 1",
    load=load,
    layers=LAYERS,
    weights_file=weights_file,
    is_here=has_weights,
)
