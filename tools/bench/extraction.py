"""How fast deep features are extracted, against other ways of running the same network.

    python -m tools.bench.extraction [--sizes 160 256] [--rounds 20] [--output FILE.md]

All ways take turns, and the best of several rounds counts, so that whatever else the machine
does meets them alike. Read the ratios; images per second are the machine's.
"""

import argparse
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime

from image_retrieval.features import extract
from image_retrieval.features.checkpoint import read_checkpoint
from image_retrieval.features.efficientnet_lite import BATCH_NORM, LITE2, Layers, make_graph
from image_retrieval.features.extracting import available_cores
from image_retrieval.features.onnx_graph import GraphBuilder
from image_retrieval.features.onnx_network import OnnxNetwork
from image_retrieval.features.preprocessing import resize_all

try:
    import openvino
except ImportError:
    openvino = None

BATCH, LARGE_BATCH = 8, 32
NETWORK = "network"
PLAIN = "network, separate padding and batch norm"
NETWORK_SHARED = "network, threads share a batch"
PLAIN_SHARED = "network, separate padding and batch norm, threads share a batch"
OPENVINO = "network in OpenVINO"
EXTRACT = "extract, resizing included"
RESIZING = "resizing alone"

# (dividend, divisor, least ratio that is wanted at 160 px or None)
RATIOS = (
    (NETWORK_SHARED, PLAIN_SHARED, 1.8),
    (NETWORK, PLAIN_SHARED, 1.8),
    (NETWORK, PLAIN, None),
    (EXTRACT, NETWORK, 0.75),
    (OPENVINO, NETWORK, None),
)


class PlainLayers(Layers):
    """The same network with a node for each padding and each batch norm; even sides only."""

    def convolve(self, x, conv, norm, shape, stride=1, relu6=True):
        """Append padding, convolution, batch norm and activation."""
        total = shape[2] - stride
        if total > 0:
            before, after = total // 2, total - total // 2
            pads = np.array([0, 0, before, before, 0, 0, after, after])
            x = self.graph.add("Pad", x, self.graph.constant(pads))
        kernel = self.graph.constant(self.tensor(conv + ".weight", shape))
        group = shape[0] if shape[1] == 1 else 1
        x = self.graph.add("Conv", x, kernel, strides=[stride, stride], group=group)
        names = [f"{norm}.{part}" for part in BATCH_NORM]
        moments = [self.graph.constant(self.tensor(name, shape[:1])) for name in names]
        x = self.graph.add("BatchNormalization", x, *moments, epsilon=1e-3)
        return self.relu6(x) if relu6 else x


def measure(sizes=(160, 256), n=64, rounds=20):
    """Time every way of extraction.

    Parameters
    ----------
    sizes : sequence of int
        Sides in pixels, multiples of 32.
    n : int
        Pictures a round and way.
    rounds : int
        Rounds, of which the best counts.

    Returns
    -------
    dict of int to dict of str to float
        Images a second by size and way.
    """
    weights = read_checkpoint(LITE2.weights_file())
    graph = make_graph(weights, LITE2)
    plain = _plain_graph(weights)
    return {size: _best_rates(_ways(graph, plain, size, n), n, rounds) for size in sizes}


def markdown(rates):
    """Return what `measure` found as Markdown: a table of rates and one of ratios."""
    lines = [f"{_machine()}", "", "| size | what | images per second |", "| --- | --- | --- |"]
    for size, by_way in rates.items():
        lines += [f"| {size} px | {way} | {rate:.0f} |" for way, rate in by_way.items()]
    lines += ["", "| size | ratio | value | wanted |", "| --- | --- | --- | --- |"]
    for size, by_way in rates.items():
        lines += [_ratio_line(size, by_way, *ratio) for ratio in RATIOS if ratio[0] in by_way]
    return "\n".join(lines) + "\n"


def _ratio_line(size, by_way, dividend, divisor, wanted):
    value = by_way[dividend] / by_way[divisor]
    wanted = f"at least {wanted}" if wanted and size == 160 else ""
    return f"| {size} px | {dividend} / {divisor} | {value:.2f} | {wanted} |"


def _machine():
    versions = f"ONNX Runtime {onnxruntime.__version__}"
    if openvino:
        versions += f", OpenVINO {openvino.__version__.split('-')[0]}"
    python = platform.python_version()
    today = time.strftime("%Y-%m-%d")
    return (
        f"{available_cores()} cores ({platform.machine()}), Python {python}, {versions}, {today}."
    )


def _plain_graph(weights):
    layers = PlainLayers(GraphBuilder(), weights, LITE2)
    return layers.graph.features("plain", layers.feature_map(), "avg")


def _ways(graph, plain, size, n):
    """Return the ways of extraction, each a function without arguments."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size, 3), np.uint8)
    small = np.random.default_rng(1).integers(0, 256, (n, 32, 32, 3), np.uint8)
    batches, large = _split(pixels, BATCH), _split(pixels, LARGE_BATCH)
    cores = available_cores()
    ways = {
        NETWORK: partial(_in_threads, OnnxNetwork(graph), batches),
        PLAIN: partial(_in_threads, OnnxNetwork(plain), batches),
        NETWORK_SHARED: partial(_in_turn, OnnxNetwork(graph, cores), large),
        PLAIN_SHARED: partial(_in_turn, OnnxNetwork(plain, cores), large),
        EXTRACT: partial(extract, small, size=size, progress=False),
        RESIZING: partial(_in_threads, partial(resize_all, size=size), _split(small, BATCH)),
    }
    if openvino:
        ways[OPENVINO] = partial(_in_openvino, _openvino_queue(graph, cores), batches)
    return ways


def _split(array, size):
    return [array[start : start + size] for start in range(0, len(array), size)]


def _in_threads(network, batches):
    with ThreadPoolExecutor(available_cores()) as pool:
        return np.concatenate(list(pool.map(network, batches)))


def _in_turn(network, batches):
    return np.concatenate([network(batch) for batch in batches])


def _openvino_queue(graph, cores):
    """Return OpenVINO's own queue: a stream a core, float32 as everywhere here."""
    options = {
        "INFERENCE_NUM_THREADS": cores,
        "NUM_STREAMS": cores,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    core = openvino.Core()
    return openvino.AsyncInferQueue(core.compile_model(core.read_model(graph), "CPU", options))


def _in_openvino(queue, batches):
    results = [None] * len(batches)

    def keep(request, number):
        results[number] = request.get_output_tensor(0).data.copy()

    queue.set_callback(keep)
    for number, batch in enumerate(batches):
        queue.start_async({0: batch}, number)
    queue.wait_all()
    return np.concatenate(results)


def _best_rates(ways, n, rounds):
    networks = [way() for name, way in ways.items() if name not in (EXTRACT, RESIZING)]
    for features in networks[1:]:
        np.testing.assert_allclose(features, networks[0], atol=1e-3)
    best = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            best[name] = max(best[name], n / (time.perf_counter() - start))
    return best


def main(arguments=None):
    """Measure, print the tables, and write them to a file when one is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[160, 256])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    options = parser.parse_args(arguments)
    text = markdown(measure(options.sizes, options.images, options.rounds))
    sys.stdout.write(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
