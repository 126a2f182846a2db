"""Writing an ONNX graph of a convolutional network, node by node.

Two things make such a graph faster than a plain export: each batch norm is folded into its
convolution, and TensorFlow's uneven 'same' padding is part of the convolution instead of a
step of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from image_retrieval.features.numpy_network import fold_batch_norm

if TYPE_CHECKING:
    from image_retrieval.signatures import Array

_OPSET = 13
# The file format of 2021: every ONNX Runtime since 1.10 reads it.
_IR_VERSION = 8


class GraphBuilder:
    """Collects the nodes and constants of a graph, each named by its place in it."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: Any) -> str:
        """Store an array in the graph and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        output = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def pixels(self) -> str:
        """Append the step from uint8 `pixels` (n, h, w, 3) to -1..1 (n, 3, h, w)."""
        x = self.add("Cast", self.add("Transpose", "pixels", perm=[0, 3, 1, 2]), to=1)
        x = self.add("Mul", x, self.constant(np.float32(1 / 127.5)))
        return self.add("Sub", x, self.constant(np.float32(1)))

    def conv(
        self,
        x: str,
        weight: Array,
        norm: Sequence[Any],
        strides: tuple[int, int] = (1, 1),
        auto_pad: str = "SAME_UPPER",
    ) -> str:
        """Append a convolution with a batch norm folded in, and return its output's name.

        Parameters
        ----------
        x : str
            Its input.
        weight : ndarray, shape (out, in or 1, rows, columns)
            With a second side of 1, every channel is convolved on its own.
        norm : tuple of four ndarray of shape (out,), or number
            Of the batch norm: gamma, beta, mean and variance.
        strides : pair of int
        auto_pad : {"SAME_UPPER", "VALID"}
            TensorFlow's 'same', with more on the right and below where it is uneven, whatever
            the input's size; or none.
        """
        inputs = map(self.constant, fold_batch_norm(weight, *norm))
        group = weight.shape[0] if weight.shape[1] == 1 else 1
        how = {"kernel_shape": weight.shape[2:], "strides": strides, "auto_pad": auto_pad}
        return self.add("Conv", x, *inputs, **how, group=group)

    def features(self, name: str, x: str, pooling: str | None) -> bytes:
        """Return the serialized graph from uint8 `pixels` (n, h, w, 3) to float32 `features`.

        Parameters
        ----------
        name : str
            The graph's name.
        x : str
            The node of the map (n, d, h, w).
        pooling : {"avg", None}
            Whether these are pooled, (n, d), or the map with its channels last.
        """
        shape: tuple[str, ...]
        if pooling is None:
            x, shape = self.add("Transpose", x, perm=[0, 2, 3, 1]), ("n", "rows", "columns", "d")
        else:
            x, shape = self.add("Flatten", self.add("GlobalAveragePool", x)), ("n", "d")
        last = helper.make_node("Identity", [x], ["features"], "features")
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ("n", "h", "w", 3))
        features = helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)
        graph = helper.make_graph([*self._nodes, last], name, [pixels], [features], self._constants)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return model.SerializeToString()
