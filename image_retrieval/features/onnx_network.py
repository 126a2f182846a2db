"""Running an ONNX graph with ONNX Runtime."""

import numpy as np
import onnxruntime


class OnnxNetwork:
    """A graph from `pixels` to `features`, callable from several threads at once.

    The graph runs in the thread that calls it: `extract` keeps the cores busy with a batch
    a thread, which needs no waiting on one another and no spinning.

    Parameters
    ----------
    graph : bytes
        A serialized ONNX model.
    threads : int
        Threads that share the work of one call.
    """

    def __init__(self, graph, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, pixels):
        """Return the features of uint8 pixels (n, h, w, 3)."""
        return self._session.run(["features"], {"pixels": np.ascontiguousarray(pixels)})[0]
