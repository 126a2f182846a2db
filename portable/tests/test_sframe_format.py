"""The SFrame format: codings made by hand from its description, and each check of a reader."""

import re
import struct

import numpy as np
import pytest
from edition import portable_only

pytestmark = portable_only

INT, FLOAT, STRING, VECTOR, LIST, DICT, DATETIME, UNDEFINED, IMAGE, NDARRAY = range(10)
TYPED, MIXED, SECOND = 2, 4, 8


def block(data, kind, rows, flags=TYPED):
    """Return the values of a hand-made block."""
    from turicreate.sframe_format.blocks import decode_block
    from turicreate.sframe_format.limits import DEFAULT, Budget

    return decode_block(bytes(data), kind, rows, flags, Budget(DEFAULT, len(data))).tolist()


def refused(data, kind, rows, flags=TYPED):
    """Return the one line with which a block is refused."""
    from turicreate.sframe_format import SFrameFormatError

    with pytest.raises(SFrameFormatError) as caught:
        block(data, kind, rows, flags)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def words(values):
    """Return WORDS of 64 bits over a base of 0 for up to 128 numbers."""
    return bytes([0x1C, 0]) + struct.pack(f"<{len(values)}Q", *(v % 2**64 for v in values))


def u64(*values):
    return struct.pack(f"<{len(values)}Q", *values)


def doubles(values):
    """Return DOUBLES in their rotated coding."""
    bits = [struct.unpack("<Q", struct.pack("<d", value))[0] for value in values]
    return b"\0" + words([bit << 1 | bit >> 63 for bit in bits])


def tagged(kind, payload):
    return bytes([128 + kind]) + payload


def test_the_worked_example():
    data = bytes.fromhex("0202 0400000000000000 01 06 0261 046262 0ac3a93a3d3b 0500c0")
    assert block(data, STRING, 4) == ["a", "bb", None, "é:=;"]


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (bytes([0 + 4 * 0]) + bytes([12 << 1]), [12, 12, 12]),
        (bytes([1 + 4 * 0, 0]), [0, 0, 0]),
        (bytes([0 + 4 * 1, 0, 0b101 << 5]), [1, 0, 1]),
        (bytes([0 + 4 * 2, 0, 0b11_10_01 << 2]), [1, 2, 3]),
        (bytes([0 + 4 * 3, 1 << 1, 0x10, 0x32]), [2, 3, 4]),
        (bytes([0 + 4 * 4, 0, 5, 6, 255]), [5, 6, 255]),
        (bytes([0 + 4 * 5, 0]) + struct.pack("<3H", 1, 2, 65535), [1, 2, 65535]),
        (bytes([0 + 4 * 6, 0]) + struct.pack("<3I", 1, 2, 2**32 - 1), [1, 2, 2**32 - 1]),
        (bytes([0 + 4 * 7, 0]) + u64(1, 2, 2**64 - 1), [1, 2, -1]),
        (bytes([1 + 4 * 4, 10 << 1, 1, 2]), [10, 11, 13]),
        (bytes([2 + 4 * 4, 10 << 1, 1, 4]), [10, 9, 11]),
        (bytes([0 + 4 * 4]) + b"\x7f" + u64(2**64 - 2) + bytes([1, 2, 3]), [-1, 0, 1]),
    ],
)
def test_every_packing_of_integers(packed, expected):
    assert block(bytes([1, INT]) + packed, INT, 3) == expected


@pytest.mark.parametrize("count", [0, 1, 2, 127, 128, 129, 1000])
@pytest.mark.parametrize("largest", [1, 2, 200, 70000, 2**33, 2**62])
def test_packed_integers_survive(count, largest):
    from turicreate.sframe_format.cursor import Cursor
    from turicreate.sframe_format.limits import DEFAULT, Budget
    from turicreate.sframe_format.words import decode_words, encode_words

    rng = np.random.RandomState(count)
    for values in (rng.randint(-largest, largest, count), np.sort(rng.randint(0, largest, count))):
        cursor = Cursor(encode_words(values), Budget(DEFAULT, 1 << 20))
        assert decode_words(cursor, count).view(np.int64).tolist() == values.tolist()
        assert cursor.left == 0


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**14 - 1, 2**49 - 1, 2**49, 2**64 - 1])
def test_numbers_of_varying_length_survive(value):
    from turicreate.sframe_format.cursor import Cursor
    from turicreate.sframe_format.words import encode_varint

    assert Cursor(encode_varint(value), None).varint() == value


def test_old_coding_of_numbers_and_vectors():
    values = [0.5, -1.25, float("inf")]
    assert block(bytes([1, FLOAT]) + doubles(values)[1:], FLOAT, 3) == values
    data = bytes([1, VECTOR]) + words([2, 1]) + doubles(values)[1:]
    assert [list(vector) for vector in block(data, VECTOR, 2)] == [values[:2], values[2:]]


def test_negative_zero_survives():
    assert str(block(bytes([1, FLOAT]) + doubles([-0.0]), FLOAT, 1, TYPED | SECOND)[0]) == "-0.0"
    import turicreate

    assert str(turicreate.SArray([-0.0, 0.5])[0]) == "-0.0"


def test_strings_one_after_the_other():
    assert block(bytes([1, STRING, 0]) + words([1, 0, 2]) + b"abc", STRING, 3) == ["a", "", "bc"]


def test_arrays_in_any_order_of_strides():
    numbers = words([2]) + words([6]) + words([2, 3]) + words([1, 2]) + doubles(range(6))
    found = block(bytes([1, NDARRAY, 0]) + numbers, NDARRAY, 1, TYPED | SECOND)
    assert found[0].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_a_mixed_block():
    data = bytes([2]) + u64(3) + tagged(INT, u64(7)) + tagged(UNDEFINED, b"") + tagged(INT, u64(9))
    assert block(data, INT, 3, TYPED | MIXED) == [7, None, 9]
    assert "str" in refused(bytes([1]) + u64(1) + tagged(STRING, u64(0)), INT, 1, TYPED | MIXED)


def test_old_tags_in_lists():
    old = bytes([INT]) + b"????" + u64(5)
    data = bytes([1, LIST]) + u64(2) + old + tagged(STRING, u64(1) + b"x")
    assert block(data, LIST, 1) == [[5, "x"]]


def test_old_dates_count_half_hours():
    date = struct.pack("<IHBb", 86400, 0, 0, 3)
    assert block(bytes([1, DATETIME]) + date, DATETIME, 1)[0].isoformat() == (
        "1970-01-02T01:30:00+01:30"
    )


@pytest.mark.parametrize(
    ("data", "kind", "rows", "flags", "word"),
    [
        (bytes([3, INT]), INT, 1, TYPED, "3 types"),
        (bytes([0, INT]), INT, 0, TYPED, "0 types"),
        (bytes([1, FLOAT]), INT, 1, TYPED, "its column"),
        (bytes([1, INT]) + words([1]), INT, 1, 0, "typed"),
        (bytes([1, INT]) + words([1]) + b"x", INT, 1, TYPED, "too many"),
        (bytes([1, INT]), INT, 1, TYPED, "too short"),
        (bytes([1, INT, 3, 0]), INT, 1, TYPED, "header"),
        (bytes([1, INT, 32, 0]), INT, 1, TYPED, "header"),
        (bytes([1, INT, 28, 0, 1]), INT, 1, TYPED, "ends inside"),
        (bytes([2, INT]) + u64(4) + words([1]), INT, 2, TYPED, "does not have"),
        (bytes([2, INT, 0]), INT, 2, TYPED, "early"),
        (bytes([1, FLOAT, 2]), FLOAT, 1, TYPED | SECOND, "coding"),
        (bytes([1, VECTOR, 1]), VECTOR, 1, TYPED | SECOND, "version"),
        (bytes([1, VECTOR, 0]) + words([2**63]), VECTOR, 1, TYPED | SECOND, "fit"),
        (bytes([1, VECTOR, 0]) + words([2**63, 2**63]), VECTOR, 2, TYPED | SECOND, "fit"),
        (bytes([1, STRING, 2]), STRING, 1, TYPED, "form"),
        (bytes([1, STRING, 0]) + words([9]) + b"a", STRING, 1, TYPED, "fit"),
        (bytes([1, STRING, 1, 2, 2]) + b"a" + words([1]), STRING, 1, TYPED, "dictionary"),
        (bytes([1, STRING, 1, 200, 2]), STRING, 1, TYPED, "too short"),
        (bytes([1, LIST]) + u64(2**40), LIST, 1, TYPED, "count"),
        (bytes([1, LIST]) + u64(1) + bytes([138]), LIST, 1, TYPED, "unknown type"),
        (bytes([1, LIST]) + (u64(1) + bytes([132])) * 99 + u64(0), LIST, 1, TYPED, "deeply"),
        (bytes([1, DICT]) + u64(1) + tagged(LIST, u64(0)) + tagged(7, b""), DICT, 1, TYPED, "key"),
        (bytes([1, IMAGE, 1]) + u64(0, 0, 0, 3, 0), IMAGE, 1, TYPED, "version"),
        (bytes([1, IMAGE, 0]) + u64(1, 1, 1, 4, 0), IMAGE, 1, TYPED, "format"),
        (bytes([1, IMAGE, 0]) + u64(1, 1, 2, 2, 2) + b"ab", IMAGE, 1, TYPED, "channels"),
        (bytes([1, IMAGE, 0]) + u64(2**32, 2**32, 1, 2, 0), IMAGE, 1, TYPED, "bytes"),
        (
            bytes([1, DATETIME]) + struct.pack("<IHBbi", 0, 0, 0, 89, -1),
            DATETIME,
            1,
            TYPED,
            "micro",
        ),
        (bytes([1, DATETIME]) + struct.pack("<IHBbi", 0, 0, 0, 80, 0), DATETIME, 1, TYPED, "zone"),
        (
            bytes([1, DATETIME]) + struct.pack("<IHBbi", 0, 0, 99, 89, 0),
            DATETIME,
            1,
            TYPED,
            "years",
        ),
        (
            bytes([1, NDARRAY, 0])
            + words([1])
            + words([2])
            + words([2])
            + words([5])
            + doubles([1, 2]),
            NDARRAY,
            1,
            TYPED | SECOND,
            "strides",
        ),
    ],
)
def test_a_damaged_block_is_refused(data, kind, rows, flags, word):
    assert word in refused(data, kind, rows, flags)


def test_two_bytes_cannot_claim_any_number_of_rows():
    assert "memory" in refused(bytes([1, UNDEFINED]), INT, 2**50)


def test_a_small_block_cannot_claim_much_memory():
    from turicreate.sframe_format import SFrameFormatError
    from turicreate.sframe_format.blocks import decompress

    with pytest.raises(SFrameFormatError, match="cannot hold"):
        decompress(b"x" * 10, 1 << 40, 1)
    with pytest.raises(SFrameFormatError, match="LZ4"):
        decompress(b"\xff" * 10, 100, 1)


@pytest.fixture
def saved(tmp_path):
    import turicreate

    folder = tmp_path / "saved"
    turicreate.SFrame({"a": [1, 2, 3], "b": ["x", None, "z"]}).save(str(folder))
    return folder


def edit(folder, ending, old, new):
    path = next(path for path in folder.iterdir() if path.name.endswith(ending))
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))


@pytest.mark.parametrize(
    ("ending", "old", "new", "word"),
    [
        ("ini", b"version=1", b"version=2", "version"),
        ("ini", b"contents=sframe", b"contents=model", "model"),
        ("ini", b"0002=m_", b"0002=../m_", "outside"),
        ("ini", b"0002=m_", b"0002=http://x/m_", "outside"),
        ("ini", b"0001=objects.bin", b"0000=objects.bin", "twice"),
        ("ini", b"num_prefixes=3", b"num_prefixes=4", "prefixes"),
        ("frame_idx", b"nrows=3", b"nrows=4", "rows"),
        ("frame_idx", b"nrows=3", b"nrows=99999999999999999999", "nrows"),
        ("frame_idx", b"nrows=3", b"nrows=-3", "nrows"),
        ("frame_idx", b"0001=b", b"0001=a", "one name"),
        ("frame_idx", b".sidx:1", b".sidx:7", "no column 7"),
        ("frame_idx", b"0001=m_", b"0001=/etc/m_", "outside"),
        ("frame_idx", b"[column_names]", b"nonsense", "neither"),
        ("frame_idx", b"0001=b", b"0001=\xff", "UTF-8"),
        ("sidx", b'"version": 2', b'"version": 1', "version"),
        ("sidx", b'"__type__": "0"', b'"__type__": "11"', "type 11"),
        ("sidx", b'"__type__": "0"', b'"__type__": "1"', "its column"),
        ("sidx", b'{"0000": "3"}', b'{"0000": "5"}', "rows"),
        ("sidx", b'{"0000": "3"}', b'{"0001": "3"}', "numbered"),
        ("sidx", b'{"0000": "3"}', b'{"0000": 1, "0000": 3}', "twice"),
        ("sidx", b'{"0000": "3"}', b'{"0000": NaN}', "NaN"),
        ("sidx", b'{"0000": "3"}', b'{"0000": "3"', "JSON"),
        ("sidx", b'"columns"', b'"column"', "columns"),
    ],
)
def test_a_damaged_index_is_refused(saved, ending, old, new, word):
    import turicreate
    from turicreate.sframe_format import SFrameFormatError

    edit(saved, ending, old, new)
    with pytest.raises(SFrameFormatError) as caught:
        turicreate.SFrame(str(saved)).materialize()
    message = str(caught.value)
    assert word in message
    assert str(saved) in message
    assert "\n" not in message


@pytest.mark.parametrize("ending", ["frame_idx", "sidx", "0000"])
def test_a_missing_file_is_named(saved, ending):
    import turicreate
    from turicreate.sframe_format import SFrameFormatError

    path = next(path for path in saved.iterdir() if path.name.endswith(ending))
    path.unlink()
    with pytest.raises(SFrameFormatError, match="missing"):
        turicreate.SFrame(str(saved))


def test_json_lists_and_numbers_are_read(saved):
    import turicreate

    edit(saved, "sidx", b'{"0000": "3"}', b"[3]")
    assert list(turicreate.SFrame(str(saved))["a"]) == [1, 2, 3]


def test_a_deeply_nested_index_is_refused(saved):
    import turicreate
    from turicreate.sframe_format import SFrameFormatError

    edit(saved, "sidx", b'"columns": [', b'"columns": [' + b"[" * 200_000)
    with pytest.raises(SFrameFormatError, match="JSON"):
        turicreate.SFrame(str(saved))


def test_an_interrupted_save_leaves_the_old_table_whole(saved, monkeypatch):
    import turicreate
    from turicreate.sframe_format import writer

    before = sorted(path.name for path in saved.iterdir())

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "_publish", fail)
    with pytest.raises(KeyboardInterrupt):
        turicreate.SFrame({"a": [9]}).save(str(saved))
    monkeypatch.undo()
    assert sorted(path.name for path in saved.iterdir()) == before
    assert list(turicreate.SFrame(str(saved))["a"]) == [1, 2, 3]


def test_saving_over_the_folder_that_is_being_read(saved):
    import turicreate

    sframe = turicreate.SFrame(str(saved))
    other = turicreate.SFrame(str(saved))["b"]
    sframe[:2].save(str(saved))
    assert list(sframe["b"]) == ["x", None, "z"]
    assert list(other) == ["x", None, "z"]
    assert list(turicreate.SFrame(str(saved))["b"]) == ["x", None]
    assert len(list(saved.iterdir())) == 5


@pytest.mark.parametrize("name", [" a", "a\n", "a\t"])
def test_a_column_name_that_files_would_lose_is_refused(tmp_path, name):
    import turicreate

    with pytest.raises(ValueError, match="rename"):
        turicreate.SFrame({name: [1]}).save(str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_reading_executes_nothing():
    """The package has no unpickler, evaluates no text, and lets NumPy load no objects."""
    from edition import ROOT

    sources = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "portable" / "turicreate").rglob("*.py")
    ]
    assert len(sources) > 30
    used = re.compile(
        r"import pickle|pickle\.loads?|\beval\(|\bexec\(|np\.load\(|marshal|__import__"
    )
    assert [source for source in sources if used.search(source)] == []


@pytest.mark.parametrize("seed", range(6))
def test_lz4_is_decoded_without_the_package(seed):
    lz4 = pytest.importorskip("lz4.block")
    from turicreate.sframe_format import compression

    rng = np.random.RandomState(seed)
    alphabet = [1, 2, 5, 200, 256, 256][seed]
    data = rng.randint(0, alphabet, [7, 1, 40_000, 70_000, 3_000, 15][seed]).astype("u1").tobytes()
    data += b"again and again " * 50 * (seed % 2)
    packed = lz4.compress(data, store_size=False)
    assert compression.decoded(packed, len(data)) == data
    for damaged in (packed[:-1], packed[1:], packed + b"\x01"):
        assert decoded_or_none(damaged, len(data)) != data
    assert decoded_or_none(packed, len(data) - 1) is None


def decoded_or_none(packed, size):
    from turicreate.sframe_format import compression

    try:
        return compression.decoded(packed, size)
    except ValueError:
        return None


def test_frames_are_written_and_read_without_the_package(tmp_path, monkeypatch):
    import turicreate
    from turicreate.sframe_format import compression

    columns = {"i": list(range(5000)), "s": ["text"] * 5000, "v": [[1.0, 0.5]] * 5000}
    turicreate.SFrame(columns).save(str(tmp_path / "packed"))
    monkeypatch.setattr(compression, "_package", None)
    turicreate.SFrame(columns).save(str(tmp_path / "plain"))
    sizes = [sum(f.stat().st_size for f in (tmp_path / n).iterdir()) for n in ("packed", "plain")]
    assert sizes[0] <= sizes[1]
    for name in ("packed", "plain"):
        found = turicreate.SFrame(str(tmp_path / name))
        assert [list(found[c]) for c in "is"] == [columns["i"], columns["s"]]
        assert [list(v) for v in found["v"]] == columns["v"]


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "bool"])
def test_whole_numbers_of_all_sizes_are_integers(kind):
    import turicreate
    from turicreate.columns import NumberColumn

    numbers = np.array([0, 1, 1], kind)
    assert NumberColumn(numbers).dtype is int
    assert NumberColumn(numbers).values.dtype == np.int64
    assert turicreate.SArray(numbers).dtype is int
    assert turicreate.SArray(numbers)[1] == 1
