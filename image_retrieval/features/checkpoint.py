"""Reading a PyTorch checkpoint without PyTorch, and without running what it says.

Only the legacy format (`torch.save` before 1.6) is read: four pickles, namely a magic
number, a protocol version, facts about the writing machine and the tensors; then a pickled
list of storage keys, and for each key the number of elements (int64) and the raw data.

A pickle is a program. It runs here on a machine that knows a short list of opcodes and three
names, has nothing but text as keys, and sets no attributes. What it makes is neither hashed,
compared nor printed as a whole: of a tuple that holds the same tuple twice, sixty times over,
that would take forever.

Source: https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
(`_legacy_load`, `_legacy_save`).
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np
from numpy.lib.stride_tricks import as_strided

from image_retrieval.errors import InputError
from image_retrieval.files import refuse_special

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_MAX_BYTES = 1 << 30
# At a hundred bytes of memory for one of the pickle.
_MAX_PICKLE = 1 << 22
_MAX_DIMENSIONS = 8

_KINDS = "Float Double Half Long Int Short Char Byte Bool".split()
_CODES = "<f4 <f8 <f2 <i8 <i4 <i2 i1 u1 ?".split()
_DTYPES = {f"{kind}Storage": np.dtype(code) for kind, code in zip(_KINDS, _CODES)}

# PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE
# EMPTY_DICT SETITEM SETITEMS EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
# BINPUT LONG_BINPUT BINGET LONG_BINGET GLOBAL REDUCE BUILD BINPERSID
_OPCODES = b"\x80.(N\x88\x89JKM\x8aGX}su]ae)t\x85\x86\x87qrhjcRbQ"
# The types of the standard library do not have all of these.
_UNPICKLER: Any = pickle._Unpickler
_PICKLETOOLS: Any = pickletools
_DAMAGED: tuple[type[Exception], ...] = (
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
)
_DAMAGED += pickle.UnpicklingError, struct.error


@dataclass(frozen=True)
class _Storage:
    """A tensor's memory, as the pickle names it; its data follow later in the file."""

    key: str
    dtype: np.dtype
    length: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage, still without data."""

    storage: _Storage
    offset: int
    size: tuple
    stride: tuple


def read_checkpoint(path: StrPath) -> Mapping[str, Any]:
    """Read the tensors of a legacy PyTorch checkpoint.

    Parameters
    ----------
    path : str or Path
        A file of at most 1 GiB that `torch.save(model.state_dict(), path)` wrote before
        PyTorch 1.6, or later with `_use_new_zipfile_serialization=False`.

    Returns
    -------
    dict of str to ndarray
        The tensors by name, in the file's order, with the file's types; not to be changed.

    Raises
    ------
    InputError
        When the file is missing, too large, cut short, another format, asks for anything but
        tensors (the name it asks for is quoted), or holds a tensor outside its storage or
        numbers that are not finite.
    """
    path = Path(path)
    refuse_special(path)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path}: more than {_MAX_BYTES:,} bytes, which no weights here have")
        stream = io.BytesIO(path.read_bytes())
    except OSError as error:
        problem = f"cannot read the checkpoint ({error.strerror})"
        raise InputError(f"{path}: {problem}; check the path") from None
    try:
        return _read(stream)
    except _DAMAGED as error:  # an InputError is a ValueError
        damage = f"not a whole legacy PyTorch checkpoint ({type(error).__name__})"
        problem = str(error) if isinstance(error, InputError) else damage
        raise InputError(f"{path}: {problem}; get the file again from its publisher") from None


def _read(stream):
    _check_header(stream)
    tensors = _load(stream)
    keys = _load(stream)
    if not isinstance(tensors, dict) or not all(isinstance(t, _Tensor) for t in tensors.values()):
        raise InputError("something else than named tensors")
    storages = _read_storages(stream, keys, tensors.values())
    return {name: _materialize(name, tensor, storages) for name, tensor in tensors.items()}


def _check_header(stream):
    if stream.getvalue()[:2] == b"PK":
        raise InputError("a zip file, but only PyTorch's legacy format is read")
    if [_load(stream), _load(stream)] != [_MAGIC, _PROTOCOL]:
        raise InputError("not a legacy PyTorch checkpoint")
    if _load(stream)["little_endian"] is not True:
        raise InputError("a checkpoint of a big-endian machine, which is not supported")


def _load(stream):
    """Return what the next pickle of `stream` stands for."""
    start = stream.tell()
    pickled = io.BytesIO(stream.read(_MAX_PICKLE))
    value = _TensorUnpickler(pickled).load()
    stream.seek(start + pickled.tell())
    return value


class _ByName(dict):
    def __setitem__(self, key, value):
        if not isinstance(key, str):
            raise InputError("an entry that has no name")
        super().__setitem__(key, value)


class _Dispatch(dict):
    def __missing__(self, code):
        name = _PICKLETOOLS.code2op[chr(code)].name
        raise InputError(f"refused the pickle opcode {name}, no tensor needs it")


# The one that is written in Python: the other's opcodes cannot be replaced.
class _TensorUnpickler(_UNPICKLER):
    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return lambda: _ByName()
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise InputError(f"refused to load {ascii(f'{module}.{name}')[1:-1]}, no tensor needs it")

    def persistent_load(self, pid):
        kind, dtype, key, _location, length, view = pid
        plain = isinstance(dtype, np.dtype) and isinstance(key, str) and _is_count(length)
        if kind != "storage" or view is not None or not plain:
            raise InputError("refused a persistent object that is not a plain storage")
        return _Storage(key, dtype, length)

    def _make_dict(self):
        self.append(_ByName())

    def _drop_state(self):
        self.stack.pop()

    dispatch = _Dispatch((code, _UNPICKLER.dispatch[code]) for code in _OPCODES)
    dispatch.update({ord("}"): _make_dict, ord("b"): _drop_state})


def _tensor(storage, offset, size, stride, requires_grad, hooks, metadata=None):
    if not len(size) == len(stride) <= _MAX_DIMENSIONS:
        raise InputError(f"a tensor of {len(size)} sides and {len(stride)} strides")
    if not isinstance(storage, _Storage) or not all(map(_is_count, (offset, *size, *stride))):
        raise InputError("a tensor without a storage, an offset, a size or strides")
    return _Tensor(storage, offset, tuple(size), tuple(stride))


def _is_count(value):
    return type(value) is int and 0 <= value < 2**62


def _read_storages(stream, keys, tensors):
    expected = {tensor.storage.key: tensor.storage for tensor in tensors}
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise TypeError
    if sorted(keys) != sorted(expected):
        raise InputError("its list of storages does not fit its tensors")
    return {key: _read_storage(stream, expected[key]) for key in keys}


def _read_storage(stream, storage):
    length = int.from_bytes(stream.read(8), "little")
    if length != storage.length:
        raise InputError(f"storage {storage.key!r} has {length} elements, not {storage.length}")
    data = stream.read(length * storage.dtype.itemsize)
    if len(data) != length * storage.dtype.itemsize:
        raise InputError(f"cut short in storage {storage.key!r}")
    values = np.frombuffer(data, storage.dtype)
    if not np.isfinite(values).all():
        raise InputError(f"storage {storage.key!r} holds numbers that are not finite")
    return values


def _materialize(name, tensor, storages):
    values, size = storages[tensor.storage.key], tensor.size
    steps = zip(size, tensor.stride)
    last = tensor.offset + sum((side - 1) * step for side, step in steps if side)
    if values.dtype != tensor.storage.dtype or prod(size) > len(values) or last >= len(values):
        raise InputError(f"tensor {name!r} of size {size} lies outside its storage")
    strides = [step * values.itemsize for step in tensor.stride]
    return as_strided(values[tensor.offset :], size, strides, writeable=False)
