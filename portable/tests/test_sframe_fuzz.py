"""Damaged SFrames give one clear error or other values, whatever is wrong with them."""

import random
import shutil
import struct

import pytest
from edition import portable_only
from frames import frames

pytestmark = portable_only

_CORRUPTIONS = 400


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of small SFrames of all kinds, uncompressed blocks and compressed ones."""
    import turicreate

    folder = tmp_path_factory.mktemp("saved")
    for name, columns in frames(turicreate):
        sframe = turicreate.SFrame(columns)
        sframe.head(40).save(str(folder / name))
    return folder


def read_all(folder):
    """Read every value; return the error's message, or None."""
    from turicreate.sframe_format import Limits, SFrameFormatError, open_frame

    limits = Limits(base_bytes=1 << 22, bytes_per_file_byte=64)
    try:
        stored, _ = open_frame(folder, limits)
        for column in stored.values():
            column.read().tolist()
    except SFrameFormatError as error:
        return str(error)
    return None


def corrupt(raw, rng):
    """Return bytes with one thing wrong: a byte, a number, a cut, a hole or a repetition."""
    raw = bytearray(raw)
    place = rng.randrange(len(raw))
    kind = rng.randrange(6)
    if kind == 0:
        raw[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        raw[place] = rng.choice([0, 1, 127, 128, 255])
    elif kind == 2:
        number = rng.choice([0, 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1, rng.getrandbits(64)])
        place = min(place // 8 * 8, len(raw) - 8)
        raw[place : place + 8] = struct.pack("<Q", number)
    elif kind == 3:
        del raw[place:]
    elif kind == 4:
        del raw[place : place + rng.randrange(1, 64)]
    else:
        raw[place:place] = raw[place : place + rng.randrange(1, 64)]
    return bytes(raw)


@pytest.mark.parametrize(
    "name", ["integers", "floats", "strings", "vectors", "objects", "arrays", "empty", "nothing"]
)
def test_corruptions_of_every_file(saved, tmp_path, name):
    rng = random.Random(f"fuzz {name}")
    folder = tmp_path / name
    shutil.copytree(saved / name, folder)
    assert read_all(folder) is None
    files = [path for path in sorted(folder.iterdir()) if path.stat().st_size >= 8]
    segments = [path for path in files if path.name.endswith(".0000")]
    refused = 0
    for _ in range(_CORRUPTIONS):
        path = rng.choice(files + 3 * segments)
        whole = path.read_bytes()
        path.write_bytes(corrupt(whole, rng))
        message = read_all(folder)
        path.write_bytes(whole)
        refused += message is not None
        assert message is None or ("\n" not in message and name in message)
    assert refused > _CORRUPTIONS // 10
    assert read_all(folder) is None


def test_corruptions_of_single_blocks():
    """Blocks that pass the checks of the file, so that only their own are left."""
    import turicreate
    from turicreate.columns import Column
    from turicreate.sframe_format import Limits, SFrameFormatError
    from turicreate.sframe_format.blocks import decode_block, decompress, encode_block
    from turicreate.sframe_format.limits import Budget
    from turicreate.sframe_format.types import TYPE_NUMBERS

    rng = random.Random(5)
    limits = Limits(base_bytes=1 << 22)
    refused = tried = 0
    for _, columns in frames(turicreate):
        for values in columns.values():
            column = turicreate.SArray(values)._column.take(slice(0, 200))
            if not len(column):
                continue
            kind = TYPE_NUMBERS[column.dtype]
            data, size, flags = encode_block(column, kind)
            plain = decompress(data, size, flags)
            for _ in range(60):
                tried += 1
                try:
                    found = decode_block(
                        corrupt(plain, rng), kind, len(column), flags & ~1, Budget(limits, 1 << 16)
                    )
                except SFrameFormatError as error:
                    refused += 1
                    assert "\n" not in str(error)
                else:
                    assert isinstance(found, Column)
                    assert len(found.tolist()) == len(column)
    assert tried >= 1500
    assert refused > tried // 4
