"""InceptionV3 with its ImageNet weights, as Keras Applications has it, as an ONNX graph.

Source: C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna: Rethinking the Inception
Architecture for Computer Vision, CVPR 2016 (https://arxiv.org/abs/1512.00567);
https://keras.io/api/applications/inceptionv3/
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import Backbone
from image_retrieval.features.keras_weights import read_keras_weights
from image_retrieval.features.onnx_graph import GraphBuilder
from image_retrieval.features.onnx_network import OnnxNetwork

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, StrPath

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

_BATCH_NORM = ("beta", "moving_mean", "moving_variance")
# The network's steps in order, as ONNX has them: what each does, on which others (0 are the
# pixels), how, and where a layer ends. A convolution has its kernel's shape as Keras has it (rows,
# columns, channels in, channels out) and its place among the convolutions of Keras's files.
STEPS = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="ascii"))


def load(
    pooling: str | None = "avg", weights: StrPath | None = None, layer: str = LAYERS[-1]
) -> Callable[[Array], Array]:
    """Return the network, see `Backbone.load`.

    Parameters
    ----------
    pooling : {"avg", None}
    weights : str or Path, optional
        Keras's file of weights without the classifier, or one like it; else the file that
        `IMAGE_RETRIEVAL_INCEPTION_V3` names, the one in Keras's own cache, or a download
        into that cache.
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
    path: Any = weights_file(weights)
    _warn_of_other_hash(path)
    return OnnxNetwork(make_graph(path, pooling, layer))


def weights_file(path: StrPath | None = None) -> Path | None:
    """Return the file of weights that `load` uses, downloaded if need be."""
    return find_weights(path) or _download()


def find_weights(weights: StrPath | None = None) -> Path | None:
    """Return the file of weights, or None where there is none on this machine.

    Raises
    ------
    InputError
        When a file was named and is not there.
    """
    named = weights or os.environ.get(VARIABLE)
    if named and (weights or named != _NONE):
        path = Path(named).expanduser()
        if not path.is_file():
            given = f"{'weights' if weights else VARIABLE}={str(named)!r}"
            way_out = f"get it from {URL}, or leave it out: {_OTHERWISE}"
            raise InputError(f"{given} is not a weights file; {way_out}")
        return path
    return keras_file() if keras_file().is_file() else None


def has_weights() -> bool:
    """Tell whether this backbone can be used without a download.

    What uses it automatically where it can asks here. `IMAGE_RETRIEVAL_INCEPTION_V3=none` keeps
    it from being used automatically.
    """
    return os.environ.get(VARIABLE) != _NONE and find_weights() is not None


def keras_file() -> Path:
    """Return where Keras keeps the file that it downloads."""
    home = os.environ.get("KERAS_HOME") or Path("~/.keras").expanduser()
    return Path(home) / "models" / FILE


def _download():
    from image_retrieval.download import download

    way_out = f"download it elsewhere and put it at {keras_file()}, or name it with --weights or"
    return download(URL, keras_file(), MD5, f"{way_out} {VARIABLE}; {_OTHERWISE}")


def _warn_of_other_hash(path):
    import pooch

    found = pooch.file_hash(str(path), "md5")
    if found != MD5:
        other = f"{path} has MD5 {found} where Keras publishes {MD5}: its features will differ"
        warnings.warn(f"{other} from those of InceptionV3 trained on ImageNet", stacklevel=3)


def convolutions() -> list[dict[str, Any]]:
    """Return the steps that are convolutions, in the order of Keras's files."""
    return sorted((step for step in STEPS if "place" in step), key=lambda step: step["place"])


def make_graph(path: StrPath, pooling: str | None = "avg", layer: str = LAYERS[-1]) -> bytes:
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
    held = _fitted(read_keras_weights(path, _WAY_OUT), path)
    graph = GraphBuilder()
    names = [graph.pixels()]
    for step in STEPS:
        inputs = [names[number] for number in step["inputs"]]
        names.append(_appended(graph, step, inputs, held))
        if step.get("layer") == layer:
            return graph.features(BACKBONE.name, names[-1], pooling)
    raise InputError(f"{BACKBONE.name} has no layer {layer!r}; it has {', '.join(LAYERS)}")


def _fitted(layers, path):
    """Return the kernel and the batch norm of each convolution, in the order of the file."""
    kernels = [(name, held["kernel"]) for name, held in layers.items() if set(held) == {"kernel"}]
    norms = [held for held in layers.values() if set(held) == set(_BATCH_NORM)]
    wanted, fitted = [tuple(step["shape"]) for step in convolutions()], []
    if not len(kernels) == len(norms) == len(wanted) == len(layers) / 2:
        raise _unfit(path, f"{len(kernels)} convolutions and {len(norms)} batch norms")
    for shape, (name, kernel), norm in zip(wanted, kernels, norms):
        moments = [norm[part] for part in _BATCH_NORM]
        if kernel.shape != shape or {m.shape for m in moments} != {shape[3:]}:
            raise _unfit(path, f"{name} {kernel.shape} where {shape} belongs")
        if moments[2].min() < 0:
            raise _unfit(path, f"a variance below 0 after {name}")
        fitted.append((kernel.transpose(3, 2, 0, 1), (1, *moments)))
    return fitted


def _unfit(path, what):
    return InputError(f"{path}: not InceptionV3's weights ({what}); {_WAY_OUT}")


def _appended(graph, step, inputs, held):
    """Append a step to the graph and return the name of its output."""
    given = ("what", "inputs", "layer", "shape", "place")
    how = {name: value for name, value in step.items() if name not in given}
    if step["what"] != "Conv":
        return graph.add(step["what"], *inputs, **how)
    return graph.add("Relu", graph.conv(*inputs, *held[step["place"]], **how))


BACKBONE = Backbone(
    "inception_v3",
    d=D,
    size=299,
    min_size=75,
    normalization="x / 127.5 - 1",
    load=load,
    layers=LAYERS,
    weights_file=weights_file,
    is_here=has_weights,
)
