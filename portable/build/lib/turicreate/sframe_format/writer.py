"""Write an SFrame directory that Turi Create opens.

The data go into files of a new random name first; the one file that names them is replaced
last, in one step, so that an interrupted save leaves the old SFrame whole.
"""

import json
import secrets
import struct
from pathlib import Path

import numpy as np

from . import index
from .blocks import encode_block
from .errors import SFrameFormatError
from .types import TYPE_NUMBERS

_BLOCK_BYTES = 1 << 18
_BLOCK_ROWS = 1 << 16
_PADDING = 4096
_RECORD = struct.Struct("<QQQQQHxxxxxx")


def write_frame(folder, columns):
    """Write {column name: Column}, all of one length, as an SFrame directory."""
    folder, prefix = Path(folder), _new_prefix()
    rows = len(next(iter(columns.values()))) if columns else 0
    lines = ["[sframe]", "version=0", "num_segments=0"]
    lines += [f"num_columns={len(columns)}", f"nrows={rows}"]
    if columns:
        files = [f"{prefix}.sidx:{number}" for number in range(len(columns))]
        lines += ["[column_names]", *_numbered(columns), "[column_files]", *_numbered(files)]
    text = "\n".join(lines) + "\n"
    _write(folder, prefix, list(columns.values()), "sframe", {".frame_idx": text})


def write_array(folder, column):
    """Write one column as an SArray directory."""
    _write(Path(folder), _new_prefix(), [column], "sarray", {})


def _new_prefix():
    return f"m_{secrets.randbits(64):016x}"


def _numbered(values):
    return [f"{number:04d}={value}" for number, value in enumerate(values)]


def _write(folder, prefix, columns, contents, texts):
    old = _old_files(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    try:
        with _create(folder / f"{prefix}.0000", written) as file:
            _write_segment(file, columns)
        texts = {**texts, ".sidx": _array_index(prefix, columns)}
        for ending, text in texts.items():
            with _create(folder / (prefix + ending), written) as file:
                file.write(text.encode("utf-8"))
        with _create(folder / f"{prefix}.ini", written) as file:
            file.write(_archive_index(prefix, contents).encode("utf-8"))
        (folder / "objects.bin").write_bytes(b"")
        _publish(folder / f"{prefix}.ini", folder / "dir_archive.ini")
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    for path in old:
        path.unlink(missing_ok=True)


def _publish(new, old):
    """Let the new index take the place of the old one, in one step."""
    new.replace(old)


def _create(path, written):
    written.append(path)
    return path.open("xb")


def _old_files(folder):
    """Return the data files of the archive that a folder holds already."""
    archive = folder / "dir_archive.ini"
    if not archive.is_file():
        return []
    try:
        sections = index.parse_ini(archive.read_text(encoding="utf-8"), archive.name)
        contents = sections["metadata"]["contents"]
        prefix = index.safe_name(sections["prefixes"]["0002"])
    except (KeyError, ValueError, SFrameFormatError):
        return []
    if contents not in ("sframe", "sarray"):
        return []
    return [path for path in folder.iterdir() if path.name.startswith(prefix + ".")]


def _archive_index(prefix, contents):
    prefixes = _numbered(["dir_archive.ini", "objects.bin", prefix])
    lines = ["[archive]", "version=1", "num_prefixes=3", "[metadata]", f"contents={contents}"]
    return "\n".join([*lines, "[prefixes]", *prefixes]) + "\n"


def _array_index(prefix, columns):
    entries = [
        {
            "content_type": "",
            "metadata": {"__type__": str(TYPE_NUMBERS[column.dtype])},
            "segment_sizes": {"0000": str(len(column))},
        }
        for column in columns
    ]
    group = {"version": 2, "num_segments": 1}
    files = {"0000": f"{prefix}.0000"}
    return json.dumps({"sarray": group, "segment_files": files, "columns": entries})


def _write_segment(file, columns):
    footer = [struct.pack("<Q", len(columns))]
    for column in columns:
        records = [_write_block(file, column, rows) for rows in _block_rows(column)]
        footer += [struct.pack("<Q", len(records)), *records]
    footer = b"".join(footer)
    file.write(footer + struct.pack("<Q", len(footer)))


def _write_block(file, column, rows):
    data, size, flags = encode_block(column.take(rows), TYPE_NUMBERS[column.dtype])
    offset = file.tell()
    file.write(data + b"\0" * (-len(data) % _PADDING))
    return _RECORD.pack(offset, len(data), size, rows.stop - rows.start, flags, 0)


def _block_rows(column):
    """Cut the rows of a column into slices of about a block's bytes."""
    ends = np.cumsum(column.nbytes())
    slices, start = [], 0
    while start < len(column):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + _BLOCK_BYTES, side="right"))
        stop = min(max(stop, start + 1), start + _BLOCK_ROWS, len(column))
        slices.append(slice(start, stop))
        start = stop
    return slices
