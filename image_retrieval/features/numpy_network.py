"""Running a convolutional network in NumPy, where ONNX Runtime has no package: in a browser.

It is slower by far, and equal up to rounding.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from image_retrieval.signatures import Array


class NumpyNetwork:
    """Collects the steps of a network as `onnx_graph.GraphBuilder` does, and runs them.

    A picture goes through them alone, as an array (rows, columns, channels).
    """

    def __init__(self) -> None:
        self._steps: list[Any] = []
        self._pooling: Any = None

    def constant(self, values: Any) -> Any:
        """Return the number as it is."""
        return values

    def add(self, operator: str, *inputs: Any) -> Any:
        """Append an addition of two maps or a clip, and return the number of its output."""
        if operator == "Add":
            return self._append(lambda made: made[inputs[0]] + made[inputs[1]])
        x, low, high = inputs
        return self._append(lambda made: made[x].clip(low, high))

    def pixels(self) -> Any:
        """Return the number of the step that brings pixels to -1..1, which comes first."""
        return self._append(lambda made: made[-1] * np.float32(1 / 127.5) - np.float32(1))

    def conv(self, x: Any, weight: Array, norm: Any, strides: Any = (1, 1)) -> Any:
        """Append a convolution, see `onnx_graph.GraphBuilder.conv`; its padding is 'same'."""
        weight, bias = fold_batch_norm(weight, *norm)
        return self._append(lambda made: convolve(made[x], weight, strides) + bias)

    def features(self, name: str, x: Any, pooling: str | None) -> NumpyNetwork:
        """Return the network up to step `x`, see `onnx_graph.GraphBuilder.features`."""
        self._pooling = pooling
        del self._steps[x + 1 :]
        return self

    def __call__(self, pixels: Array) -> Array:
        """Return the features of uint8 pixels (n, h, w, 3)."""
        maps = np.stack([self._map(picture) for picture in pixels])
        return maps if self._pooling is None else maps.mean(axis=(1, 2))

    def _append(self, step):
        self._steps.append(step)
        return len(self._steps) - 1

    def _map(self, picture):
        made = {-1: picture}
        for number, step in enumerate(self._steps):
            made[number] = step(made)
        return made[len(self._steps) - 1]


def convolve(x: Array, weight: Array, strides: tuple[int, int]) -> Array:
    """Return the convolution of a map with TensorFlow's 'same' padding.

    Parameters
    ----------
    x : ndarray of float32, shape (rows, columns, channels)
    weight : ndarray of float32, shape (out, channels or 1, height, width)
        With a second side of 1, every channel is convolved on its own.
    strides : pair of int

    Returns
    -------
    ndarray of float32, shape (rows / stride, columns / stride, out), rounded up
    """
    sides = [-(-side // stride) for side, stride in zip(x.shape, strides)]
    lacking = [
        max((out - 1) * stride + kernel - side, 0)
        for out, stride, kernel, side in zip(sides, strides, weight.shape[2:], x.shape)
    ]
    # Where it is uneven there is more on the right and below.
    padded = np.pad(x, [*((lack // 2, lack - lack // 2) for lack in lacking), (0, 0)])
    total = np.zeros((*sides, len(weight)), np.float32)
    for row, column in product(*map(range, weight.shape[2:])):
        part = padded[row :: strides[0], column :: strides[1]][: sides[0], : sides[1]]
        factor = weight[:, :, row, column]
        total += part * factor[:, 0] if weight.shape[1] == 1 else part @ factor.T
    return total


def fold_batch_norm(
    weight: Array, gamma: Any, beta: Any, mean: Any, variance: Any, epsilon: float = 1e-3
) -> tuple[Array, Array]:
    """Return the weight and bias of a convolution that does its batch norm as well.

    Parameters
    ----------
    weight : ndarray, shape (out, in, rows, columns)
    gamma, beta, mean, variance : ndarray of shape (out,), or number
        Of the batch norm.
    epsilon : float
        Added to the variance.

    Returns
    -------
    tuple of two ndarray of float32
        Computed in float64.
    """
    scale = gamma / np.sqrt(variance.astype(np.float64) + epsilon)
    folded = weight * scale[:, None, None, None]
    return folded.astype(np.float32), (beta - mean * scale).astype(np.float32)
