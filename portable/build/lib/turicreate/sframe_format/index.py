"""The text files of an SFrame directory: two in INI form and one or more in JSON."""

import json
import re
from dataclasses import dataclass

from . import types
from .errors import SFrameFormatError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Place:
    """Where a column lies: the name of an index file and its number in there."""

    index: str
    column: int


@dataclass(frozen=True)
class ColumnIndex:
    """One column of an index file: its type and its rows in each segment."""

    kind: int
    segments: tuple
    rows: tuple


def read_text(path, limits):
    """Return the text of an index file, not longer than the limit."""
    try:
        if not path.is_file():
            raise SFrameFormatError(f"{path.name} is missing")
        with path.open("rb") as file:
            raw = file.read(limits.index_bytes + 1)
    except ValueError:
        raise SFrameFormatError("its index names an impossible file") from None
    if len(raw) > limits.index_bytes:
        raise SFrameFormatError(f"{path.name} is larger than {limits.index_bytes:,} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SFrameFormatError(f"{path.name} is not UTF-8 text") from None


def parse_ini(text, name):
    """Return INI text as {section: {key: value}}."""
    sections, section = {}, None
    for line in text.split("\n"):
        line = line.strip()
        if not line or line.startswith(";"):
            continue
        if line.startswith("[") and line.endswith("]") and "=" not in line:
            section = sections.setdefault(line[1:-1], {})
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if section is None or not equals:
            raise SFrameFormatError(f"{name} has a line that is neither a section nor key=value")
        if key in section:
            raise SFrameFormatError(f"{name} has the key {_quote(key)} twice")
        section[key] = value
    return sections


def read_archive(text, wanted):
    """Return the common name of an archive's files from dir_archive.ini."""
    sections = parse_ini(text, "dir_archive.ini")
    archive = sections.get("archive", {})
    _expect(archive.get("version"), "1", "dir_archive.ini", "version")
    contents = sections.get("metadata", {}).get("contents")
    if contents != wanted:
        raise SFrameFormatError(f"it holds a {_quote(contents)}, not an {wanted}")
    count = _number(archive.get("num_prefixes"), "num_prefixes")
    prefixes = _sequence(sections.get("prefixes", {}), count, "prefixes")
    if count < 3:
        raise SFrameFormatError("dir_archive.ini names no data files")
    return safe_name(prefixes[2])


def read_frame(text, name):
    """Return (number of rows, column names, places) from a frame_idx file."""
    sections = parse_ini(text, name)
    frame = sections.get("sframe", {})
    _expect(frame.get("version"), "0", name, "version")
    rows = _number(frame.get("nrows"), "nrows")
    count = _number(frame.get("num_columns"), "num_columns")
    names = _sequence(sections.get("column_names", {}), count, "column_names")
    files = _sequence(sections.get("column_files", {}), count, "column_files")
    if len(set(names)) != count:
        raise SFrameFormatError(f"{name} has two columns of one name")
    if any(not column or _CONTROL.search(column) for column in names):
        raise SFrameFormatError(f"{name} has an impossible column name")
    return rows, names, [_place(file) for file in files]


def _place(text):
    name, colon, number = text.rpartition(":")
    if not colon:
        return Place(safe_name(text), 0)
    return Place(safe_name(name), _number(number, "column_files"))


def read_arrays(text, name):
    """Return the columns of a .sidx file as a list of `ColumnIndex`."""
    index = _parse_json(text, name)
    group = _member(index, "sarray", dict)
    _expect(_number(group.get("version"), "version"), 2, name, "version")
    segments = _number(group.get("num_segments"), "num_segments")
    files = _sequence(index.get("segment_files"), segments, "segment_files")
    columns = _member(index, "columns", list)
    return [_column_index(column, number, files) for number, column in enumerate(columns)]


def _column_index(column, number, files):
    metadata = _member(column, "metadata", dict)
    kind = _number(metadata.get("__type__"), "__type__")
    if kind not in types.PYTHON_TYPES:
        raise SFrameFormatError(f"a column has the unknown type {kind}")
    sizes = _sequence(column.get("segment_sizes"), len(files), "segment_sizes")
    rows = tuple(_number(size, "segment_sizes") for size in sizes)
    return ColumnIndex(kind, tuple(_segment_place(file, number) for file in files), rows)


def _segment_place(text, number):
    if not isinstance(text, str):
        raise SFrameFormatError("segment_files holds something that is not a name")
    name, colon, column = text.rpartition(":")
    if not colon:
        return Place(safe_name(text), number)
    return Place(safe_name(name), _number(column, "segment_files"))


def _parse_json(text, name):
    try:
        index = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if isinstance(error, _IndexValueError):
            raise SFrameFormatError(f"{name} {error}") from None
        raise SFrameFormatError(f"{name} is not the JSON of an SFrame") from None
    if not isinstance(index, dict):
        raise SFrameFormatError(f"{name} is not the JSON of an SFrame")
    return index


class _IndexValueError(ValueError):
    """JSON that parses but cannot be an index."""


def _unique_keys(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _IndexValueError("has a key twice")
    return result


def _no_constant(text):
    raise _IndexValueError(f"holds {text}")


def _member(holder, key, wanted):
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, wanted):
        raise SFrameFormatError(f"its index has no {key}")
    return value


def _number(value, name):
    """Return a count given as a number or as digits."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,19}", value):
        value = int(value)
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise SFrameFormatError(f"its index has an impossible {name}: {_quote(value)}")
    return value


def _sequence(values, count, name):
    """Return the values of a list, or of an object with the keys 0000, 0001, ..., in order."""
    if isinstance(values, dict):
        numbered = {_number(key, name): value for key, value in values.items()}
        if len(numbered) == len(values) and set(numbered) == set(range(len(numbered))):
            values = [numbered[number] for number in range(len(numbered))]
    if not isinstance(values, list) or len(values) != count:
        raise SFrameFormatError(f"its index does not have {count} {name} numbered from 0")
    return values


def _expect(value, wanted, name, key):
    if value != wanted:
        raise SFrameFormatError(f"{name} has the {key} {_quote(value)}, only {wanted} is known")


def safe_name(name):
    """Return the name of a file beside the index, or refuse it."""
    if name in ("", ".", "..") or re.search(r"[/\\:]", name) or _CONTROL.search(name):
        raise SFrameFormatError(f"it points to a file outside of its folder: {_quote(name)}")
    return name


def _quote(value):
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
