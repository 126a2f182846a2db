"""One block of a segment: its bytes to a column, and a column to its bytes."""

import numpy as np

from ..columns import NumberColumn, ObjectColumn, VectorColumn
from . import compression, payloads, types
from .cursor import Cursor
from .errors import SFrameFormatError
from .words import decode_words, encode_plain_words, encode_varint, encode_words

LZ4, TYPED, MIXED, SECOND = 1, 2, 4, 8
#: A word costs at least 2 bytes for 128 of them.
_WORDS_PER_BYTE = 64


def decompress(data, size, flags):
    """Return the bytes of a block as they were before compression."""
    if not flags & LZ4:
        return data
    if size > 255 * len(data) + 64:
        raise SFrameFormatError(f"a block of {len(data)} bytes cannot hold {size} bytes")
    try:
        plain = compression.decompress(data, size)
    except ValueError:
        raise SFrameFormatError("a block's LZ4 compression is damaged") from None
    if len(plain) != size:
        raise SFrameFormatError(f"a block has {len(plain)} bytes where {size} were announced")
    return plain


def decode_block(data, kind, rows, flags, budget):
    """Return the column of a block's `rows` values of type `kind`."""
    if not flags & TYPED:
        raise SFrameFormatError("a block of a column is not marked as typed")
    budget.spend(8 * rows)
    cursor = Cursor(data, budget)
    column = _decode_mixed(cursor, kind, rows) if flags & MIXED else None
    if column is None:
        column = _decode_typed(cursor, kind, rows, flags)
    cursor.finish()
    return column


def _decode_mixed(cursor, kind, rows):
    cursor.u8()
    if cursor.u64() != rows:
        raise SFrameFormatError(f"a mixed block does not have its {rows} rows")
    values = payloads.read_tagged_values(cursor, rows)
    wanted = types.PYTHON_TYPES[kind]
    for value in values:
        if value is not None and type(value) is not wanted:
            raise SFrameFormatError(
                f"a column of {wanted.__name__} holds a value of type {type(value).__name__}"
            )
    return column_of(values, kind)


def column_of(values, kind):
    """Return a list of values of one type, None where missing, as a column."""
    if kind == types.VECTOR:
        missing = np.array([value is None for value in values], bool)
        vectors = [np.asarray(() if value is None else value, np.float64) for value in values]
        flat = np.concatenate([np.empty(0), *vectors])
        return VectorColumn.from_lengths(flat, [len(vector) for vector in vectors], missing)
    if kind in (types.INT, types.FLOAT):
        missing = np.array([value is None for value in values], bool)
        filled = [0 if value is None else value for value in values]
        return NumberColumn(np.array(filled, _number_type(kind)), missing)
    return ObjectColumn.from_list(values, types.PYTHON_TYPES[kind])


def _number_type(kind):
    return np.int64 if kind == types.INT else np.float64


def _decode_typed(cursor, kind, rows, flags):
    count, block_kind = cursor.u8(), cursor.u8()
    if count not in (1, 2):
        raise SFrameFormatError(f"a block has {count} types, 1 or 2 are possible")
    if block_kind == types.UNDEFINED and count == 1:
        return column_of([None] * rows, kind)
    if block_kind != kind:
        raise SFrameFormatError(f"a block has values of type {block_kind}, its column {kind}")
    missing = _read_bitmap(cursor, rows) if count == 2 else None
    present = rows if missing is None else rows - int(missing.sum())
    if kind in (types.INT, types.FLOAT):
        return _decode_numbers(cursor, kind, rows, present, missing, flags)
    if kind == types.VECTOR:
        return _decode_vectors(cursor, rows, present, missing, flags)
    values = _decode_objects(cursor, kind, present)
    return ObjectColumn(_spread(values, rows, missing), types.PYTHON_TYPES[kind])


def _read_bitmap(cursor, rows):
    raw = np.frombuffer(cursor.take(-(-rows // 64) * 8), np.uint8)
    bits = np.unpackbits(raw, bitorder="little")
    if bits[rows:].any():
        raise SFrameFormatError("a block marks rows as missing that it does not have")
    return bits[:rows].astype(bool)


def _spread(values, rows, missing):
    """Put values in the rows that are not missing; the others hold 0 or None."""
    if missing is None:
        return values
    spread = np.zeros(rows, values.dtype) if values.dtype != object else np.empty(rows, object)
    spread[~missing] = values
    return spread


def _decode_numbers(cursor, kind, rows, present, missing, flags):
    if kind == types.INT:
        values = decode_words(cursor, present).view(np.int64)
    elif flags & SECOND:
        values = _decode_doubles(cursor, present)
    else:
        values = _decode_rotated(cursor, present)
    return NumberColumn(_spread(values, rows, missing), missing)


def _decode_doubles(cursor, count):
    kind = cursor.u8()
    if kind == 0:
        return _decode_rotated(cursor, count)
    if kind == 1:
        return decode_words(cursor, count).view(np.int64).astype(np.float64)
    raise SFrameFormatError(f"numbers have the unknown coding {kind}")


def _decode_rotated(cursor, count):
    words = decode_words(cursor, count)
    signs = words << np.uint64(63)
    words >>= np.uint64(1)
    words |= signs
    return words.view(np.float64)


def _decode_vectors(cursor, rows, present, missing, flags):
    if flags & SECOND and cursor.u8() != 0:
        raise SFrameFormatError("vectors have an unknown version")
    lengths, total = _decode_lengths(cursor, present, _WORDS_PER_BYTE)
    flat = _decode_doubles(cursor, total) if flags & SECOND else _decode_rotated(cursor, total)
    return VectorColumn.from_lengths(flat, _spread(lengths, rows, missing), missing)


def _decode_lengths(cursor, count, per_byte):
    """Return WORDS that count what follows, at most `per_byte` in a byte, and their sum."""
    lengths = decode_words(cursor, count)
    most = cursor.left * per_byte
    # A float sum cannot wrap around, and is near enough to guard the exact one.
    if count and (int(lengths.max()) > most or float(lengths.sum(dtype=np.float64)) > 1.01 * most):
        raise SFrameFormatError("the lengths in a block do not fit in the rest of it")
    return lengths.view(np.int64), int(lengths.sum())


def _decode_objects(cursor, kind, count):
    if kind == types.STRING:
        return _decode_strings(cursor, count)
    if kind == types.NDARRAY:
        return ObjectColumn.from_list(_decode_ndarrays(cursor, count), np.ndarray).values
    return ObjectColumn.from_list(payloads.read_payloads(cursor, kind, count), object).values


def _decode_strings(cursor, count):
    form = cursor.u8()
    if form == 1:
        return _decode_dictionary_strings(cursor, count)
    if form != 0:
        raise SFrameFormatError(f"strings have the unknown form {form}")
    lengths, total = _decode_lengths(cursor, count, 1)
    raw = cursor.take(total)
    ends = np.cumsum(lengths).tolist()
    starts = [0, *ends]
    texts = [payloads.decode_text(raw[start:end]) for start, end in zip(starts, ends)]
    return ObjectColumn.from_list(texts, str).values


def _decode_dictionary_strings(cursor, count):
    size = cursor.varint()
    if size > cursor.left:
        raise SFrameFormatError(f"a block is too short for {size} strings")
    entries = [payloads.decode_text(cursor.take(cursor.varint())) for _ in range(size)]
    numbers = decode_words(cursor, count)
    if count and int(numbers.max()) >= size:
        raise SFrameFormatError("a string's number lies outside of the block's dictionary")
    return ObjectColumn.from_list(entries, str).values[numbers.view(np.int64)]


def _decode_ndarrays(cursor, count):
    if cursor.u8() != 0:
        raise SFrameFormatError("arrays have an unknown version")
    ranks, all_ranks = _decode_lengths(cursor, count, _WORDS_PER_BYTE)
    sizes, total = _decode_lengths(cursor, count, _WORDS_PER_BYTE)
    shapes = decode_words(cursor, all_ranks).tolist()
    strides = decode_words(cursor, all_ranks).tolist()
    flat = _decode_doubles(cursor, total)
    arrays, at, axis = [], 0, 0
    for rank, size in zip(ranks.tolist(), sizes.tolist()):
        axes = slice(axis, axis + rank)
        elements = flat[at : at + size]
        arrays.append(payloads.make_ndarray(shapes[axes], strides[axes], elements))
        at, axis = at + size, axis + rank
    return arrays


def encode_block(column, kind):
    """Return (bytes on disk, size before compression, flags) of a column's values."""
    missing = column.missing
    flags = TYPED | (SECOND if kind in (types.FLOAT, types.VECTOR, types.NDARRAY) else 0)
    if missing is not None and missing.all():
        return bytes([1, types.UNDEFINED]), 2, flags
    head = bytes([1 if missing is None else 2, kind])
    if missing is not None:
        bits = np.packbits(missing, bitorder="little").tobytes()
        head += bits.ljust(-(-len(missing) // 64) * 8, b"\0")
        column = column.take(~missing)
    plain = head + _encode_values(column, kind)
    packed = compression.compress(plain)
    if packed is not None and len(packed) < 0.9 * len(plain):
        return packed, len(plain), flags | LZ4
    return plain, len(plain), flags


def _encode_values(column, kind):
    if kind == types.INT:
        return encode_words(column.values)
    if kind == types.FLOAT:
        return _encode_doubles(column.values)
    if kind == types.VECTOR:
        return b"\0" + encode_words(column.lengths) + _encode_doubles(column.flat)
    if kind == types.STRING:
        return _encode_strings(column.tolist())
    if kind == types.NDARRAY:
        return _encode_ndarrays(column.tolist())
    return b"".join(payloads.write_payload(kind, value) for value in column.values)


def _encode_doubles(values):
    values = np.ascontiguousarray(values, np.float64)
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int64)
    # Compared bit for bit, so that -0.0, infinities and NaN keep their own coding.
    if (whole.astype(np.float64).view(np.int64) == values.view(np.int64)).all():
        return b"\1" + encode_words(whole)
    words = values.view(np.uint64)
    return b"\0" + encode_plain_words(words << np.uint64(1) | words >> np.uint64(63))


def _encode_strings(texts):
    raw = [text.encode("utf-8", "surrogateescape") for text in texts]
    entries = {text: number for number, text in enumerate(dict.fromkeys(raw))}
    if len(entries) > 64:
        lengths = np.array([len(text) for text in raw], np.int64)
        return b"\0" + encode_words(lengths) + b"".join(raw)
    pieces = [b"\1", encode_varint(len(entries))]
    for text in entries:
        pieces += [encode_varint(len(text)), text]
    return b"".join(pieces) + encode_words(np.array([entries[text] for text in raw], np.int64))


def _encode_ndarrays(arrays):
    arrays = [np.ascontiguousarray(item, np.float64) for item in arrays]
    shapes = [length for item in arrays for length in item.shape]
    strides = [step // 8 for item in arrays for step in item.strides]
    numbers = ([item.ndim for item in arrays], [item.size for item in arrays], shapes, strides)
    words = [encode_words(np.array(values, np.int64)) for values in numbers]
    flat = np.concatenate([np.empty(0), *[item.reshape(-1) for item in arrays]])
    return b"".join([b"\0", *words, _encode_doubles(flat)])
