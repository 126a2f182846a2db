import io
import pickle
import struct
import sys
import tracemalloc
import types
from collections import OrderedDict

import numpy as np
import pytest

from image_retrieval.errors import InputError
from image_retrieval.features.checkpoint import read_checkpoint

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}


class Storage:
    """Stands for a persistent storage while a pickle is written."""

    def __init__(self, kind, key, length):
        self.pid = ("storage", kind, key, "cpu", length, None)


class Tensor:
    """Pickles as PyTorch's tensors do."""

    def __init__(self, storage, offset, size, stride):
        self.state = (storage, offset, size, stride, False, OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.state


class CheckpointPickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.pid if isinstance(value, Storage) else None


@pytest.fixture
def torch(monkeypatch):
    """Names that pickle can write down, and that read_checkpoint must not need."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "QInt8Storage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        raise AssertionError("only its name is used")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def dumped(value):
    stream = io.BytesIO()
    CheckpointPickler(stream, protocol=2).dump(value)
    return stream.getvalue()


def checkpoint(named, keys, data, system=SYSTEM):
    """Return the bytes of a legacy checkpoint; `data` are the storages' arrays."""
    parts = [pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, system)]
    parts += [named if isinstance(named, bytes) else dumped(named), dumped(keys)]
    parts += [struct.pack("<q", array.size) + array.tobytes() for array in data]
    return b"".join(parts)


def one_tensor(torch, length=6, offset=0, size=(2, 3), stride=(3, 1), stored=6):
    storage = Storage(torch.FloatStorage, "0", length)
    named = OrderedDict(weight=Tensor(storage, offset, size, stride))
    return checkpoint(named, ["0"], [np.arange(stored, dtype="<f4")])


def read(tmp_path, data):
    path = tmp_path / "weights.pth"
    path.write_bytes(data)
    return read_checkpoint(path)


def refused(tmp_path, data):
    """Return the message for a file that must not be read."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, data)
    message = str(caught.value)
    assert "\n" not in message
    assert "weights.pth" in message
    assert len(message) < 400
    return message


def test_tensors_come_with_their_values_shapes_types_and_order(tmp_path, torch):
    floats, longs = Storage(torch.FloatStorage, "7", 6), Storage(torch.LongStorage, "3", 1)
    named = OrderedDict(
        transposed=Tensor(floats, 0, (3, 2), (1, 3)),
        part=Tensor(floats, 2, (2,), (2,)),
        steps=Tensor(longs, 0, (), ()),
    )
    values = np.array([0.5, 1, 2, 3, 4, 5], "<f4")
    tensors = read(tmp_path, checkpoint(named, ["3", "7"], [np.array([9], "<i8"), values]))
    assert list(tensors) == ["transposed", "part", "steps"]
    np.testing.assert_array_equal(tensors["transposed"], [[0.5, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(tensors["part"], [2, 4])
    assert tensors["steps"] == 9
    assert [tensors[name].dtype.str for name in tensors] == ["<f4", "<f4", "<i8"]


def test_the_whole_storage_and_not_one_element_more_may_be_used(tmp_path, torch):
    assert read(tmp_path, one_tensor(torch))["weight"][1, 2] == 5
    assert "outside its storage" in refused(tmp_path, one_tensor(torch, offset=1))
    assert "outside its storage" in refused(tmp_path, one_tensor(torch, stride=(4, 1)))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("subprocess", "Popen"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("collections", "namedtuple"),
        ("image_retrieval.features.checkpoint", "read_checkpoint"),
    ],
)
def test_a_call_of_anything_else_is_refused_by_name_and_not_made(tmp_path, module, name):
    ran = tmp_path / "ran"
    command = f"touch {ran}"
    call = b"\x80\x02c%b\n%b\nX%b%b\x85R." % (
        module.encode(),
        name.encode(),
        struct.pack("<I", len(command)),
        command.encode(),
    )
    message = refused(tmp_path, checkpoint(call, [], []))
    assert f"refused to load {module}.{name}" in message
    assert not ran.exists()


class Touch:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return __import__("os").system, (f"touch {self.path}",)


@pytest.mark.parametrize("place", ["header", "system", "value", "key", "hooks", "keys"])
def test_a_call_hidden_anywhere_is_not_made(tmp_path, torch, place):
    evil = Touch(tmp_path / "ran")
    tensor = Tensor(Storage(torch.FloatStorage, "0", 1), 0, (1,), (1,))
    if place == "hooks":
        tensor.state = (*tensor.state[:5], OrderedDict(a=[{"b": evil}]))
    key = evil if place == "key" else "weight"
    named = OrderedDict([(key, [evil] if place == "value" else tensor)])
    system = {**SYSTEM, "a": evil} if place == "system" else SYSTEM
    data = checkpoint(named, [evil] if place == "keys" else ["0"], [np.ones(1, "<f4")], system)
    message = refused(tmp_path, dumped(evil) + data if place == "header" else data)
    assert "refused to load" in message
    assert "system" in message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("pickled", "opcode"),
    [
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "SHORT_BINUNICODE"),
        (b"\x80\x02(X\x02\x00\x00\x00idios\nsystem\n.", "INST"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"\x80\x02]2.", "DUP"),
        (b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"a.", None),
    ],
)
def test_opcodes_that_no_tensor_needs_are_refused(tmp_path, pickled, opcode):
    message = refused(tmp_path, checkpoint(pickled, [], []))
    if opcode:
        assert f"refused the pickle opcode {opcode}" in message


@pytest.mark.long
def test_a_memo_index_or_many_steps_fill_no_memory(tmp_path):
    pickled = b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b"."
    tracemalloc.start()
    try:
        assert read(tmp_path, checkpoint(pickled, [], [])) == {}
        assert "not a whole" in refused(tmp_path, checkpoint(b"\x80\x02" + b"]" * 2**23, [], []))
        assert tracemalloc.get_traced_memory()[1] < 2**29
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("size", "stride"),
    [
        ((2**40,), (0,)),
        ((2**31, 2**31), (0, 0)),
        ((2**61,), (2**61,)),
        ((2**70,), (1,)),
        ((-1, 3), (3, 1)),
        ((2, 3), (3, -1)),
        ((2, 3), (3,)),
        ((True, 3), (3, 1)),
        ((2.0, 3), (3, 1)),
        ("23", "31"),
        ((1,) * 64, (1,) * 64),
        ((((2,),),), (1,)),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path, torch, size, stride):
    refused(tmp_path, one_tensor(torch, size=size, stride=stride))


@pytest.mark.parametrize("length", [5, 7, 2**50, -6, "6", None, 2**80])
def test_a_storage_of_another_length_than_announced_is_refused(tmp_path, torch, length):
    refused(tmp_path, one_tensor(torch, length=length))


def test_a_quantized_storage_is_refused_by_name(tmp_path, torch):
    named = OrderedDict(weight=Tensor(Storage(torch.QInt8Storage, "0", 1), 0, (1,), (1,)))
    message = refused(tmp_path, checkpoint(named, ["0"], [np.ones(1, "<f4")]))
    assert "torch.QInt8Storage" in message


def test_a_file_cut_anywhere_is_refused(tmp_path, torch):
    whole = one_tensor(torch)
    for length in range(len(whole)):
        refused(tmp_path, whole[:length])


def test_a_damaged_byte_never_gets_past_as_another_error(tmp_path, torch):
    whole = bytearray(one_tensor(torch))
    pixels = len(whole) - 6 * 4
    for position in range(pixels):
        for bits in (0x01, 0x80, 0xFF):
            damaged = whole.copy()
            damaged[position] ^= bits
            try:
                read(tmp_path, bytes(damaged))
            except InputError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a whole"),
        (b"PK\x03\x04rest", "zip"),
        (b"\x89PNG\r\n\x1a\n", "refused"),
        (pickle.dumps({"a": 1}, protocol=2), "not a"),
        (pickle.dumps(MAGIC, protocol=2), "not a whole"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, data, words):
    assert words in refused(tmp_path, data)


@pytest.mark.parametrize("named", [[], {"a": 1}, {"a": "b"}, {1: 2}, "text"])
def test_a_checkpoint_of_something_else_is_refused(tmp_path, named):
    refused(tmp_path, checkpoint(named, [], []))


def test_big_endian_is_refused(tmp_path):
    data = checkpoint({}, [], [], {**SYSTEM, "little_endian": False})
    assert "big-endian" in refused(tmp_path, data)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="weights.pth: cannot read the checkpoint"):
        read_checkpoint(tmp_path / "weights.pth")
