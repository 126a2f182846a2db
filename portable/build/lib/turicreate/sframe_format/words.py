"""WORDS: 64-bit integers packed in frames of 128, decoded and encoded with NumPy.

Frames have to be found one after the other, because each one's header says how long it is. But
neighbors mostly have the same header, so whole runs of frames are found by one comparison
and then decoded together.
"""

import numpy as np

from .cursor import VARINT_LENGTH
from .errors import SFrameFormatError

FRAME = 128
#: Frames looked at one by one before NumPy compares many at once.
_FEW_FRAMES = 6
_VARINT_LENGTHS = np.frombuffer(VARINT_LENGTH, np.uint8)


def decode_words(cursor, count):
    """Return the next `count` words of a `Cursor` as an array of uint64."""
    frames = -(-count // FRAME)
    if 2 * frames > cursor.left:
        raise SFrameFormatError(f"a block is too short for {count} packed numbers")
    cursor.budget.spend(8 * frames * FRAME)
    data = np.frombuffer(cursor.data, np.uint8)
    whole, rest = divmod(count, FRAME)
    runs, position = _find_runs(cursor.data, data, cursor.position, cursor.end, whole)
    words = _decode_runs(data, runs, whole)
    if rest:
        shape, after = _read_frame(cursor.data, position, cursor.end, rest)
        last = _decode_frames(data, [(0, 1, position, shape)], rest)[0]
        words = np.concatenate([words, last]) if whole else last
        position = after
    cursor.position = position
    return words


def _read_frame(raw, position, end, count):
    """Return ((header, size, varint length), end) of the frame at `position`."""
    if end - position < 2:
        raise SFrameFormatError("a block ends inside its packed numbers")
    header = raw[position]
    codec, width = header & 3, header >> 2
    if codec == 3 or width > 7:
        raise SFrameFormatError(f"packed numbers have an unknown header byte {header}")
    base = VARINT_LENGTH[raw[position + 1]]
    size = 1 + base + _packed_bytes(codec, width, count)
    if size > end - position:
        raise SFrameFormatError("a block ends inside its packed numbers")
    return (header, size, base), position + size


def _packed_bytes(codec, width, count):
    bits = 1 << width - 1 if width else 0
    return ((count - (codec > 0)) * bits + 7) // 8


def _find_runs(raw, data, position, end, frames):
    """Return [(first frame, number of frames, position, shape)] and where the frames end."""
    runs = []
    done = 0
    while done < frames:
        shape, _ = _read_frame(raw, position, end, FRAME)
        most = min(frames - done, (end - position) // shape[1])
        length = _run_length(raw, data, position, shape, most)
        runs.append((done, length, position, shape))
        done += length
        position += length * shape[1]
    return runs, position


def _run_length(raw, data, position, shape, most):
    """Return how many frames from `position` on have the shape of the first, at most `most`."""
    header, size, base = shape
    length, at = 1, position + size
    while length < min(most, _FEW_FRAMES):
        if raw[at] != header or VARINT_LENGTH[raw[at + 1]] != base:
            return length
        length += 1
        at += size
    step = 16
    while length < most:
        step = min(step, most - length)
        start = position + length * size
        stop = start + (step - 1) * size + 2
        same = (data[start:stop:size] == header) & (
            _VARINT_LENGTHS[data[start + 1 : stop : size]] == base
        )
        if not same.all():
            return length + int(same.argmin())
        length += step
        step *= 4
    return length


def _decode_runs(data, runs, frames):
    if len(runs) == 1:
        return _decode_frames(data, runs, FRAME).reshape(-1)
    words = np.empty((frames, FRAME), np.uint64)
    groups = {}
    for run in runs:
        groups.setdefault(run[3], []).append(run)
    for group in groups.values():
        rows = np.concatenate([np.arange(first, first + length) for first, length, _, _ in group])
        words[rows] = _decode_frames(data, group, FRAME)
    return words.reshape(-1)


def _decode_frames(data, runs, count):
    """Return the words of runs of one shape as an array (frames, count)."""
    header, size, base = runs[0][3]
    codec, width = header & 3, header >> 2
    parts = [data[at : at + length * size].reshape(length, size) for _, length, at, _ in runs]
    raw = parts[0] if len(parts) == 1 else np.concatenate(parts)
    bases = _decode_bases(raw[:, 1 : 1 + base])
    if not width:
        return np.repeat(bases[:, None], count, axis=1)
    numbers = _unpack(raw[:, 1 + base :], 1 << width - 1, count - (codec > 0))
    if codec == 0:
        return numbers + bases[:, None]
    if codec == 2:
        numbers = (numbers >> np.uint64(1)) ^ (np.uint64(0) - (numbers & np.uint64(1)))
    steps = np.concatenate([bases[:, None], numbers], axis=1)
    return np.cumsum(steps, axis=1, dtype=np.uint64)


def _decode_bases(raw):
    frames, length = raw.shape
    if length == 9:
        return np.ascontiguousarray(raw[:, 1:]).view("<u8")[:, 0]
    padded = np.zeros((frames, 8), np.uint8)
    padded[:, :length] = raw
    return padded.view("<u8")[:, 0] >> np.uint64(length)


def _unpack(raw, bits, count):
    """Return `count` numbers of `bits` bits from each row of bytes, as uint64."""
    if bits >= 8:
        return np.ascontiguousarray(raw).view(f"<u{bits // 8}").astype(np.uint64, copy=False)
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    numbers = (raw[:, :, None] >> shifts) & np.uint8((1 << bits) - 1)
    # A short byte comes first and holds its numbers at the high end.
    return (
        numbers.reshape(len(raw), -1)[:, -count:].astype(np.uint64)
        if count
        else (np.empty((len(raw), 0), np.uint64))
    )


def encode_words(words):
    """Return WORDS for an array of uint64 or int64, the shorter of plain and difference coding."""
    words = np.ascontiguousarray(words).view(np.uint64)
    whole = len(words) // FRAME
    head = _encode_frames(words[: whole * FRAME].reshape(whole, FRAME)) if whole else b""
    tail = words[whole * FRAME :]
    return head + (_encode_frames(tail[None, :]) if len(tail) else b"")


def encode_plain_words(words):
    """Return WORDS of 64 bits each over a base of zero: no packing, for bits that vary freely."""
    words = np.ascontiguousarray(words).view(np.uint64)
    whole, rest = divmod(len(words), FRAME)
    frames = np.empty((whole, 2 + 8 * FRAME), np.uint8)
    frames[:, :2] = (7 << 2, 0)
    frames[:, 2:] = words[: whole * FRAME].view(np.uint8).reshape(whole, 8 * FRAME)
    tail = bytes([7 << 2, 0]) + words[whole * FRAME :].tobytes() if rest else b""
    return frames.tobytes() + tail


def _encode_frames(words):
    """Return the bytes of frames given as an array (frames, words a frame)."""
    signed = words.view(np.int64)
    bases = signed.min(axis=1)
    plain = words - bases.view(np.uint64)[:, None]
    steps = signed[:, 1:] - signed[:, :-1]
    zigzag = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    plain_widths = _widths(plain.max(axis=1))
    zigzag_widths = _widths(zigzag.max(axis=1)) if zigzag.shape[1] else plain_widths
    pieces = []
    for frame in range(len(words)):
        # A frame of one word in difference coding crashes turicreate 6.4.1; it is never shorter.
        if zigzag_widths[frame] < plain_widths[frame]:
            codec, width, base, numbers = 2, zigzag_widths[frame], words[frame, 0], zigzag[frame]
        else:
            codec, width, base, numbers = 0, plain_widths[frame], bases[frame], plain[frame]
        header = bytes([codec + 4 * int(width)]) + encode_varint(int(base) % (1 << 64))
        pieces += [header, _pack(numbers, int(width))]
    return b"".join(pieces)


def _widths(largest):
    """Return w for the largest number of each frame: 0, or 1 + log2 of the bits it needs."""
    bounds = np.array([0, 1, 3, 15, 255, 65535, (1 << 32) - 1], np.uint64)
    return np.searchsorted(bounds, largest)


def _pack(numbers, width):
    if not width:
        return b""
    bits = 1 << width - 1
    if bits >= 8:
        return numbers.astype(f"<u{bits // 8}").tobytes()
    per_byte = 8 // bits
    padded = np.zeros(-(-len(numbers) // per_byte) * per_byte, np.uint8)
    padded[len(padded) - len(numbers) :] = numbers
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return (padded.reshape(-1, per_byte) << shifts).sum(axis=1, dtype=np.uint8).tobytes()


def encode_varint(value):
    """Return a number from 0 to 2^64 - 1 as a VARINT.

    >>> encode_varint(12).hex(), encode_varint(524).hex(), encode_varint(2**49).hex()
    ('18', '3108', '7f0000000000000200')
    """
    length = max(1, -(-value.bit_length() // 7))
    if length > 7:
        return b"\x7f" + value.to_bytes(8, "little")
    return (value << length | (1 << length - 1) - 1).to_bytes(length, "little")
