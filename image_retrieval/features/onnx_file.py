"""Running a stranger's ONNX file: one output of it, in batches of whatever size it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Mapping

import numpy as np

from image_retrieval.errors import InputError, one_line
from image_retrieval.features.onnx_network import session

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, StrPath

_FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")


class OnnxFile:
    """A model in a file, callable from several threads at once.

    Parameters
    ----------
    path : str or Path
        A model that holds its weights itself.
    output : str, optional
        Which of its outputs; the only one when not given.

    Attributes
    ----------
    inputs : dict of str to (str, list)
        Type and shape by name; a side that is not fixed is text or None.
    output : str

    Raises
    ------
    InputError
        When it is no ONNX model, keeps weights in other files, asks for what ONNX Runtime
        cannot do, or has no such output of floating-point numbers.
    """

    def __init__(self, path: StrPath, output: str | None = None) -> None:
        self.path = Path(path).expanduser()
        self._session = self._opened(self._read())
        self.inputs = {held.name: (held.type, held.shape) for held in self._session.get_inputs()}
        self.output = self._chosen(output)

    def __call__(self, inputs: Mapping[str, Array]) -> Array:
        """Return the output for arrays by the input's name, as float32.

        Where the model takes only so many rows at a time, the last one fills up the rest.
        """
        n = len(next(iter(inputs.values())))
        size = next(iter(self.inputs.values()))[1][0]
        size = size if isinstance(size, int) else max(n, 1)
        starts = range(0, n, size)
        parts = [self._run({k: _rows(x, at, size) for k, x in inputs.items()}) for at in starts]
        return np.concatenate(parts)[:n].astype(np.float32, copy=False)

    def _run(self, inputs):
        # ONNX Runtime's errors have no class in common but this one.
        try:
            return self._session.run([self.output], inputs)[0]
        except Exception as error:
            shapes = ", ".join(f"{name} {x.shape}" for name, x in inputs.items())
            raise self.unfit(f"it cannot take {shapes}: {one_line(error)}") from None

    def unfit(self, what: str) -> InputError:
        """Return the error that the file cannot be used."""
        return InputError(f"{self.path}: {what}")

    def _read(self):
        import onnx
        from google.protobuf.message import DecodeError

        try:
            data = self.path.read_bytes()
            model = onnx.load_from_string(data)
        except OSError as error:
            raise self.unfit(f"cannot read it ({error.strerror}); check the path") from None
        except DecodeError:
            raise self.unfit("no ONNX model; export one as docs/backbones.md says") from None
        # ONNX Runtime would look for these files from wherever the process happens to run.
        if any(_lies_elsewhere(held) for held in _messages(model)):
            way_out = "onnx.save(onnx.load(path), path, save_as_external_data=False)"
            raise self.unfit(f"it keeps weights in other files; save it as one, with {way_out}")
        return data

    def _opened(self, data):
        try:
            return session(data)
        except Exception as error:
            problem = f"ONNX Runtime cannot run it ({one_line(error)})"
            way_out = "export it with an older opset, such as 17, and ONNX's own operators"
            raise self.unfit(f"{problem}; {way_out}") from None

    def _chosen(self, output):
        there = {held.name: held.type for held in self._session.get_outputs()}
        if output is None and len(there) == 1:
            (output,) = there
        if output not in there:
            what = "it has several outputs" if output is None else f"it has no output {output!r}"
            raise self.unfit(f"{what}; give output= as one of: {', '.join(there)}")
        if there[output] not in _FLOATS:
            raise self.unfit(f"its output {output} is {there[output]}, not floating-point numbers")
        return output


def _rows(x, start, size):
    rows = x[start : start + size]
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])


def _lies_elsewhere(message):
    return message.DESCRIPTOR.name == "TensorProto" and message.data_location == message.EXTERNAL


def _messages(message):
    """Yield a protobuf message and all within it, at any depth."""
    yield message
    for _, value in message.ListFields():
        for inner in value if hasattr(value, "add") else [value]:
            if hasattr(inner, "ListFields"):
                yield from _messages(inner)
