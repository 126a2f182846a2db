"""Reading a PyTorch checkpoint without PyTorch, and without running what it says.

Only the legacy format (`torch.save` before 1.6) is read: four pickles, namely a magic
number, a protocol version, facts about the writing machine and the tensors; then a pickled
list of storage keys, and for each key the number of elements (int64) and the raw data.

A pickle is a program. Every opcode and every name is therefore checked against a short
list before anything is executed, and a tensor's size and strides against its storage.
Messages quote numbers and names only: printing a value of a hostile pickle can take forever.

Source: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
(`_legacy_load`, `_legacy_save`).
"""

import io
import pickle
import pickletools
from collections import OrderedDict
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from image_retrieval.errors import InputError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MAX_OPCODES = 2_000_000
_MAX_DIMENSIONS = 8

_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}

# fmt: off
_OPCODES = frozenset((
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2",
    "LONG1", "BINFLOAT", "BINUNICODE", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST",
    "APPEND", "APPENDS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "BINPUT",
    "LONG_BINPUT", "BINGET", "LONG_BINGET", "GLOBAL", "REDUCE", "BUILD", "BINPERSID",
))
# fmt: on

_DAMAGED = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
)


class _Storage(NamedTuple):
    """A tensor's memory, as the pickle names it; its data follow later in the file."""

    key: str
    dtype: np.dtype
    length: int


class _Tensor(NamedTuple):
    """A view of a storage, still without data."""

    storage: _Storage
    offset: int
    size: tuple
    stride: tuple


def read_checkpoint(path):
    """Read the tensors of a legacy PyTorch checkpoint.

    Parameters
    ----------
    path : str or Path
        A file that `torch.save(model.state_dict(), path)` wrote before PyTorch 1.6, or
        later with `_use_new_zipfile_serialization=False`.

    Returns
    -------
    dict of str to ndarray
        The tensors by name, in the file's order, with the file's types; not to be changed.

    Raises
    ------
    InputError
        When the file is missing, cut short, another format, asks for anything but
        tensors (the name it asks for is quoted), or holds a tensor outside its storage.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot read the checkpoint ({error.strerror}); check the path"
        ) from None
    try:
        return _read(io.BytesIO(data))
    except InputError as error:
        raise InputError(f"{path}: {error}; get the file again from its publisher") from None
    except _DAMAGED as error:
        raise InputError(
            f"{path}: not a whole legacy PyTorch checkpoint ({type(error).__name__}); "
            "get the file again from its publisher"
        ) from None


def _read(stream):
    _check_header(stream)
    named = _load(stream)
    keys = _load(stream)
    tensors = _named_tensors(named)
    storages = _read_storages(stream, keys, tensors.values())
    return {name: _materialize(name, tensor, storages) for name, tensor in tensors.items()}


def _check_header(stream):
    if stream.getvalue()[:2] == b"PK":
        raise InputError("a zip file, but only PyTorch's legacy format is read")
    if _load(stream) != _MAGIC or _load(stream) != _PROTOCOL:
        raise InputError("not a legacy PyTorch checkpoint")
    system = _load(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise InputError("a checkpoint of a big-endian machine, which is not supported")


def _load(stream):
    """Check the next pickle of `stream`, then load it."""
    start = stream.tell()
    _check_opcodes(stream)
    stream.seek(start)
    return _TensorUnpickler(stream).load()


def _check_opcodes(stream):
    # The unpickler allocates its memo by the largest index, so that is bounded as well.
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if opcode.name not in _OPCODES:
            raise InputError(f"refused the pickle opcode {opcode.name}, no tensor needs it")
        if opcode.name == "GLOBAL":
            _allowed(*argument.split(" ", 1))
        if number > _MAX_OPCODES or (opcode.name == "LONG_BINPUT" and argument > _MAX_OPCODES):
            raise InputError(f"a pickle of more than {_MAX_OPCODES:,} steps")


def _allowed(module, name):
    """Return what stands for a name in the pickle; any name but these is refused.

    None of the answers can be changed by the pickle's BUILD, which sets attributes.
    """
    if (module, name) == ("collections", "OrderedDict"):
        return OrderedDict
    if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
        return _RebuildTensor()
    if module == "torch" and name in _DTYPES:
        return name
    raise InputError(f"refused to load {ascii(f'{module}.{name}')[1:-1]}, no tensor needs it")


class _TensorUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        return _allowed(module, name)

    def persistent_load(self, pid):
        kind, storage_type, key, _location, length, view = pid
        if kind != "storage" or view is not None or storage_type not in _DTYPES:
            raise InputError("refused a persistent object that is not a plain storage")
        if not isinstance(key, str) or not _is_count(length):
            raise InputError("a storage without a key or a length")
        return _Storage(key, _DTYPES[storage_type], length)


class _RebuildTensor:
    __slots__ = ()

    def __call__(self, storage, offset, size, stride, requires_grad, hooks, metadata=None):
        numbers = (offset, *size, *stride)
        if not isinstance(storage, _Storage) or not all(map(_is_count, numbers)):
            raise InputError("a tensor without a storage, an offset, a size or strides")
        if len(size) != len(stride) or len(size) > _MAX_DIMENSIONS:
            raise InputError(f"a tensor of {len(size)} sides and {len(stride)} strides")
        return _Tensor(storage, offset, tuple(size), tuple(stride))


def _is_count(value):
    return type(value) is int and 0 <= value < 2**62


def _named_tensors(named):
    if not isinstance(named, dict):
        raise InputError(f"a {type(named).__name__} instead of named tensors")
    for name, tensor in dict.items(named):
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise InputError("an entry that is not a named tensor")
    return dict(named)


def _read_storages(stream, keys, tensors):
    expected = {tensor.storage.key: tensor.storage for tensor in tensors}
    if not isinstance(keys, list) or len(keys) != len(expected) or set(keys) != set(expected):
        raise InputError("its list of storages does not fit its tensors")
    return {key: _read_storage(stream, expected[key]) for key in keys}


def _read_storage(stream, storage):
    length = int.from_bytes(stream.read(8), "little")
    if length != storage.length:
        raise InputError(f"storage {storage.key!r} has {length} elements, not {storage.length}")
    data = stream.read(length * storage.dtype.itemsize)
    if len(data) != length * storage.dtype.itemsize:
        raise InputError(f"cut short in storage {storage.key!r}")
    return np.frombuffer(data, storage.dtype)


def _materialize(name, tensor, storages):
    values, size = storages[tensor.storage.key], tensor.size
    steps = zip(size, tensor.stride)
    last = tensor.offset + sum((side - 1) * step for side, step in steps if side)
    if values.dtype != tensor.storage.dtype or prod(size) > len(values) or last >= len(values):
        raise InputError(f"tensor {name!r} of size {size} lies outside its storage")
    strides = [step * values.itemsize for step in tensor.stride]
    return as_strided(values[tensor.offset :], size, strides, writeable=False)
