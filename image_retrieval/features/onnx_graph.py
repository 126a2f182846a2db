"""Writing an ONNX graph of convolutions, node by node."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET = 13
# The file format of 2021: every ONNX Runtime since 1.10 reads it.
_IR_VERSION = 8


class GraphBuilder:
    """Collects the nodes and constants of a graph, each named by its place in it."""

    def __init__(self):
        self._nodes = []
        self._constants = []

    def constant(self, values):
        """Store an array in the graph and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, operator, *inputs, **attributes):
        """Append a node and return the name of its output."""
        output = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def conv(self, x, weight, bias=None, stride=1):
        """Append a convolution with TensorFlow's 'same' padding and return its output's name.

        Parameters
        ----------
        x : str
            Its input.
        weight : ndarray, shape (out, in or 1, k, k)
            With a second side of 1, every channel is convolved on its own.
        bias : ndarray, shape (out,), optional
        stride : int
        """
        inputs = [self.constant(values) for values in (weight, bias) if values is not None]
        return self.add(
            "Conv",
            x,
            *inputs,
            kernel_shape=weight.shape[2:],
            strides=[stride, stride],
            # More on the right and below where it is uneven; the same at every input size.
            auto_pad="SAME_UPPER",
            group=weight.shape[0] if weight.shape[1] == 1 else 1,
        )

    def build(self, name, output, shape):
        """Return the serialized graph from uint8 `pixels` (n, h, w, 3) to float32 `features`.

        Parameters
        ----------
        name : str
            The graph's name.
        output : str
            The node to give out.
        shape : tuple
            Its shape, with words for the sides that are not fixed.
        """
        last = helper.make_node("Identity", [output], ["features"], "features")
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ("n", "h", "w", 3))
        features = helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)
        graph = helper.make_graph([*self._nodes, last], name, [pixels], [features], self._constants)
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return model.SerializeToString()
