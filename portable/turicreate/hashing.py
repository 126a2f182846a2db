"""Turi Create's hashes of values, which decide the rows of seeded splits and samples.

Numbers go through one round of MurmurHash2's mixing, text and vectors through CityHash64
(G. Pike and J. Alakuijala, 2011); what has parts is combined by MurmurHash3's 128-bit mixing.
Everything is modulo 2^64.
"""

import array
import datetime
import struct

import numpy as np

from .columns import NumberColumn
from .selection import check_fraction, split_seed_number

_WORD = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
_MUL_128 = 0x9DDFEA08EB382D69
_MURMUR_2 = 0xC6A4A7935BD1E995
_MURMUR_3 = 0x87C37B91114253D5, 0x4CF5AD432745937F
_COMBINING = 0x73A3916AE45D01E5
_NAN = 0x7FF8000000000000
_NO_ZONE = 64


def mixed(words):
    """Return the hashes of whole numbers, uint64 array (n,) to uint64 array (n,)."""
    words = (np.asarray(words, np.uint64) ^ np.uint64(_K0)) * np.uint64(_MURMUR_2)
    return (words ^ (words >> np.uint64(47))) * np.uint64(_MURMUR_2)


def _mixed(word):
    word = (word & _WORD ^ _K0) * _MURMUR_2 & _WORD
    return (word ^ word >> 47) * _MURMUR_2 & _WORD


def hash_column(column, seed):
    """Return the hashes of a column's values as a column of integers."""
    if isinstance(column, NumberColumn):
        words = mixed(_bits(column))
        words = np.where(column.missing_mask(), np.uint64(0), words)
    else:
        hashes = [value_hash(value) for value in column.tolist()]
        words = np.array(hashes, np.uint64).reshape(-1)
    return NumberColumn(mixed(words ^ np.uint64(_mixed(int(seed)))).view(np.int64))


def _bits(column):
    values = column.values
    if column.dtype is float:
        return np.where(np.isnan(values), np.uint64(_NAN), values.view(np.uint64))
    return values.view(np.uint64)


def value_hash(value):
    """Return the hash of one value as Turi Create computes it, 0 for None and images."""
    if isinstance(value, int):
        return _mixed(value)
    if isinstance(value, float):
        return _mixed(_NAN if value != value else struct.unpack("<Q", struct.pack("<d", value))[0])
    if isinstance(value, str):
        return city(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, (array.array, np.ndarray)):
        return city(np.asarray(value, "<f8").tobytes())
    if isinstance(value, list):
        return _list_hash(value)
    if isinstance(value, dict):
        return _dict_hash(value)
    return _date_hash(value) if isinstance(value, datetime.datetime) else 0


def _list_hash(values):
    result = 0
    for value in values:
        result = _combined(result, value_hash(value))
    return _mixed(result)


def _dict_hash(values):
    # Turi Create hashes the keys twice and the values never.
    keys = 0
    for key in values:
        keys |= value_hash(key)
    return _combined(keys, keys)


def _date_hash(moment):
    zone = moment.utcoffset()
    utc = moment.replace(tzinfo=None) - (zone or datetime.timedelta(0))
    since = utc - datetime.datetime(1970, 1, 1)
    quarters = _NO_ZONE if zone is None else int(zone.total_seconds()) // 900
    seconds = since.days * 86400 + since.seconds
    result = _combined(_mixed(seconds), _mixed(quarters))
    return _combined(result, _mixed(utc.microsecond))


def _rotated(word, shift):
    word &= _WORD
    return (word >> shift | word << (64 - shift)) & _WORD


def _combined(one, other):
    first, second = _MURMUR_3
    low = _COMBINING ^ _rotated(one * first, 31) * second & _WORD
    low = (_rotated(low, 27) + _COMBINING) * 5 + 0x52DCE729 & _WORD
    high = _COMBINING ^ _rotated(other * second, 33) * first & _WORD
    high = (_rotated(high, 31) + low) * 5 + 0x38495AB5 & _WORD
    return low ^ high


def _shift_mix(word):
    word &= _WORD
    return word ^ word >> 47


def _pair(low, high, multiplier=_MUL_128):
    low, high = low & _WORD, high & _WORD
    mixed_low = _shift_mix((low ^ high) * multiplier)
    return _shift_mix((high ^ mixed_low) * multiplier) * multiplier & _WORD


def _swapped(word):
    return int.from_bytes((word & _WORD).to_bytes(8, "little"), "big")


def city(data):
    """Return the CityHash64 of bytes.

    >>> hex(city(b""))
    '0x9ae16a3b2f90404f'
    """
    if len(data) <= 16:
        return _up_to_16(data)
    if len(data) <= 32:
        return _up_to_32(data)
    return _up_to_64(data) if len(data) <= 64 else _longer(data)


def _fetch(data, at, size=8):
    at = at if at >= 0 else at + len(data)
    return int.from_bytes(data[at : at + size], "little")


def _up_to_16(data):
    length = len(data)
    multiplier = _K2 + length * 2
    if length >= 8:
        a, b = _fetch(data, 0) + _K2, _fetch(data, -8)
        c = _rotated(b, 37) * multiplier + a
        return _pair(c, (_rotated(a, 25) + b) * multiplier, multiplier)
    if length >= 4:
        return _pair(length + (_fetch(data, 0, 4) << 3), _fetch(data, -4, 4), multiplier)
    if not length:
        return _K2
    y, z = data[0] + (data[length >> 1] << 8), length + (data[-1] << 2)
    return _shift_mix(y * _K2 ^ z * _K0) * _K2 & _WORD


def _up_to_32(data):
    multiplier = _K2 + len(data) * 2
    a, b = _fetch(data, 0) * _K1, _fetch(data, 8)
    c, d = _fetch(data, -8) * multiplier, _fetch(data, -16) * _K2
    first = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _pair(first, a + _rotated(b + _K2, 18) + c, multiplier)


def _up_to_64(data):
    multiplier = _K2 + len(data) * 2
    a, b = _fetch(data, 0) * _K2, _fetch(data, 8)
    c, d = _fetch(data, -24), _fetch(data, -32)
    e, f = _fetch(data, 16) * _K2, _fetch(data, 24) * 9
    g, h = _fetch(data, -8), _fetch(data, -16) * multiplier
    u = _rotated(a + g, 43) + (_rotated(b, 30) + c) * 9
    v = (((a + g) ^ d) + f + 1) & _WORD
    w = _swapped((u + v) * multiplier) + h
    x = _rotated(e + f, 42) + c
    y = (_swapped((v + w) * multiplier) + g) * multiplier
    z = e + f + c
    a = _swapped((x + z) * multiplier + y) + b
    return _shift_mix((z + a) * multiplier + d + h) * multiplier + x & _WORD


def _weak(data, at, a, b):
    """Return two words that 32 bytes and two seeds make."""
    w, x, y, z = (_fetch(data, at + step) for step in (0, 8, 16, 24))
    a += w
    b = _rotated(b + a + z, 21)
    c = a
    a += x + y
    return a + z & _WORD, b + _rotated(a, 44) + c & _WORD


def _longer(data):
    length = len(data)
    x, y = _fetch(data, -40), _fetch(data, -16) + _fetch(data, -56)
    z = _pair(_fetch(data, -48) + length, _fetch(data, -24))
    v, w = _weak(data, length - 64, length, z), _weak(data, length - 32, y + _K1, x)
    x = x * _K1 + _fetch(data, 0)
    for at in range(0, (length - 1) // 64 * 64, 64):
        x = _rotated(x + y + v[0] + _fetch(data, at + 8), 37) * _K1 & _WORD
        y = _rotated(y + v[1] + _fetch(data, at + 48), 42) * _K1
        x ^= w[1]
        y = y + v[0] + _fetch(data, at + 40) & _WORD
        z = _rotated(z + w[0], 33) * _K1 & _WORD
        v = _weak(data, at, v[1] * _K1, x + w[0])
        w = _weak(data, at + 32, z + w[1], y + _fetch(data, at + 16))
        z, x = x, z
    first = _pair(v[0], w[0]) + _shift_mix(y) * _K1 + z
    return _pair(first, _pair(v[1], w[1]) + x)


def split_rows(fraction, length, seed, exact):
    """Return (rows of a random share, the other rows), for a seed the real edition's."""
    check_fraction(fraction)
    chosen = chosen_rows(fraction, length, split_seed_number(seed), exact)
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def chosen_rows(fraction, length, seed, exact):
    """Return a bool mask (length,) of the rows that a seeded split takes first.

    Row numbers are hashed with the seed. The rows below a limit are taken: the one that
    stands for the fraction, or the one below which the exact number of rows lies.
    """
    # Turi Create keeps the fraction as a float of 32 bits.
    fraction = np.float32(fraction)
    rows = np.arange(length, dtype=np.uint64)
    seeded = np.uint64(_mixed(int(seed)))
    if not exact:
        half = int(float(fraction) * 2.0**63)
        limit = min(half, 1 << 63) + min(half, (1 << 63) - 1)
        return mixed(rows ^ seeded) <= np.uint64(limit)
    wanted = int(fraction * np.float32(length))
    if wanted in (0, length):
        return np.full(length, wanted > 0)
    hashes = mixed(mixed(rows) ^ seeded).view(np.int64)
    return hashes < np.partition(hashes, wanted)[wanted]
