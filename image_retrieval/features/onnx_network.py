"""Running ONNX graphs with ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from image_retrieval.signatures import Array


def session(graph: bytes, threads: int = 1) -> Any:
    """Return a serialized ONNX model ready to run.

    The graph runs in the thread that calls it: `extract` keeps the cores busy with a batch
    a thread, which needs no waiting on one another and no spinning.

    Parameters
    ----------
    graph : bytes
    threads : int
        Threads that share the work of one call.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class OnnxNetwork:
    """A graph from `pixels` to `features`, callable from several threads at once.

    Parameters
    ----------
    graph : bytes
        A serialized ONNX model.
    threads : int
        Threads that share the work of one call.
    """

    def __init__(self, graph: bytes, threads: int = 1) -> None:
        self._session = session(graph, threads)

    def __call__(self, pixels: Array) -> Array:
        """Return the features of uint8 pixels (n, h, w, 3)."""
        return self._session.run(["features"], {"pixels": np.ascontiguousarray(pixels)})[0]
