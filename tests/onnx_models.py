"""Small ONNX models to try networks of one's own on, each with the same in NumPy."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def weight(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def save(path, nodes, constants, inputs, outputs, opset=13):
    """Write a model of nodes (operator, inputs, output, attributes) and return its path."""
    graph = helper.make_graph(
        [helper.make_node(op, ins, [out], **how) for op, ins, out, how in nodes],
        "model",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


PIXELS = ("x", TensorProto.FLOAT, ("n", 3, "h", "w"))


def convolutional(path, n="n", size="h", last="nchw"):
    """Write a network of one convolution of 4x4 pixels each, to 5 channels, and ReLU."""
    nodes = [("Conv", ["x", "w"], "y", {"strides": [4, 4]}), ("Relu", ["y"], "map", {})]
    output = ("map", TensorProto.FLOAT, None)
    if last == "nhwc":
        nodes.append(("Transpose", ["map"], "last", {"perm": [0, 2, 3, 1]}))
        output = ("last", TensorProto.FLOAT, None)
    if last == "vector":
        nodes += [("GlobalAveragePool", ["map"], "mean", {}), ("Flatten", ["mean"], "last", {})]
        output = ("last", TensorProto.FLOAT, None)
    shape = (n, 3, size, size if isinstance(size, int) else "w")
    constants = {"w": weight(5, 3, 4, 4)}
    return save(path, nodes, constants, [("x", TensorProto.FLOAT, shape)], [output])


def patches(x):
    """Cut pictures (n, h, w, 3) into 4x4 pixels: (n, places a side, places a side, 48)."""
    n, h, w, _ = x.shape
    cut = x.reshape(n, h // 4, 4, w // 4, 4, 3).transpose(0, 1, 3, 5, 2, 4)
    return cut.reshape(n, h // 4, w // 4, 48)


def convolutional_map(x):
    """Return what `convolutional` makes of normalized pictures (n, h, w, 3)."""
    return np.maximum(patches(x) @ weight(5, 3, 4, 4).reshape(5, 48).T, 0)


def transformer(path, n="n", size=16):
    """Write a network of tokens: CLS, then a place each, all through one layer of attention."""
    places = (size // 4) ** 2
    nodes = [
        ("Conv", ["x", "w"], "y", {"strides": [4, 4]}),
        ("Reshape", ["y", "flat"], "z", {}),
        ("Transpose", ["z"], "places", {"perm": [0, 2, 1]}),
        ("Shape", ["places"], "shape", {}),
        ("Slice", ["shape", "zero", "one"], "rows", {}),
        ("Concat", ["rows", "one_six"], "cls_shape", {"axis": 0}),
        ("Expand", ["cls", "cls_shape"], "all_cls", {}),
        ("Concat", ["all_cls", "places"], "tokens", {"axis": 1}),
        ("Transpose", ["tokens"], "keys", {"perm": [0, 2, 1]}),
        ("MatMul", ["tokens", "keys"], "scores", {}),
        ("Softmax", ["scores"], "shares", {"axis": 2}),
        ("MatMul", ["shares", "tokens"], "last_hidden_state", {}),
        ("ReduceMean", ["last_hidden_state"], "pooler_output", {"axes": [1], "keepdims": 0}),
    ]
    constants = {
        "w": weight(6, 3, 4, 4, seed=1) / 4,
        "cls": weight(1, 1, 6, seed=2),
        "flat": np.array([0, 6, places]),
        "zero": np.array([0]),
        "one": np.array([1]),
        "one_six": np.array([1, 6]),
    }
    outputs = [("last_hidden_state", 1, None), ("pooler_output", 1, None)]
    shape = (n, 3, size, size)
    return save(path, nodes, constants, [("x", TensorProto.FLOAT, shape)], outputs)


def transformer_tokens(x):
    """Return what `transformer` makes of normalized pictures: (n, 1 + places, 6)."""
    places = patches(x) @ (weight(6, 3, 4, 4, seed=1) / 4).reshape(6, 48).T
    places = places.reshape(len(x), -1, 6)
    tokens = np.concatenate([np.repeat(weight(1, 1, 6, seed=2), len(x), axis=0), places], axis=1)
    scores = tokens @ tokens.transpose(0, 2, 1)
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))
    return shares / shares.sum(axis=2, keepdims=True) @ tokens


def colors(path):
    """Write a network whose vector is a picture's mean color."""
    nodes = [("ReduceMean", ["x"], "image_embeds", {"axes": [2, 3], "keepdims": 0})]
    return save(path, nodes, {}, [PIXELS], [("image_embeds", TensorProto.FLOAT, None)])


def color_words(path, table, mask=True):
    """Write a network whose vector is the mean of a table's rows at the tokens that count."""
    nodes = [
        ("Gather", ["table", "input_ids"], "rows", {"axis": 0}),
        ("Cast", ["attention_mask"], "float", {"to": 1}),
        ("Unsqueeze", ["float", "last"], "wide", {}),
        ("Mul", ["rows", "wide"], "masked", {}),
        ("ReduceSum", ["masked", "middle"], "text_embeds", {"keepdims": 0}),
    ]
    constants = {"table": table, "last": np.array([2]), "middle": np.array([1])}
    inputs = [
        (name, TensorProto.INT64, ("n", "length")) for name in ("input_ids", "attention_mask")
    ]
    if not mask:
        nodes = [nodes[0], ("ReduceSum", ["rows", "middle"], "text_embeds", {"keepdims": 0})]
        inputs, constants = inputs[:1], {"table": table, "middle": np.array([1])}
    return save(path, nodes, constants, inputs, [("text_embeds", TensorProto.FLOAT, None)])


def spread(path):
    """Keep a model's weights in another file."""
    model = onnx.load(str(path))
    onnx.save(
        model, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    return path
