"""Tables from and to text: CSV and JSON, as Turi Create reads and writes them."""

import array
import glob
import gzip
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from . import literals
from .columns import concatenate
from .infer import column_from_values
from .names import free_name
from .reshaping import unpack_column

_CHUNK_ROWS = 65536
_PROGRESS_ROWS = 250_000
_BLOCK = 1 << 16
_ALIASES = {
    "sep": "delimiter",
    "quotechar": "quote_char",
    "doublequote": "double_quote",
    "comment": "comment_char",
    "lineterminator": "line_terminator",
}
_WHOLE_START = re.compile(r"\s*([+-]?\d+)")
_NUMBER_START = re.compile(
    r"\s*([+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan))", re.IGNORECASE
)
_UNDECIDED = type(None)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b"}
_ESCAPED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b"}


class BadLine(ValueError):  # noqa: N818
    """A line that cannot be read; its text is the argument."""


@dataclass
class Dialect:
    """How the text is written; the names are those of `SFrame.read_csv`."""

    delimiter: str = ","
    header: bool = True
    error_bad_lines: bool = False
    comment_char: str = ""
    escape_char: str = "\\"
    double_quote: bool = True
    quote_char: str = '"'
    skip_initial_space: bool = True
    column_type_hints: object = None
    na_values: object = ("NA",)
    line_terminator: str = "\n"
    usecols: tuple = ()
    nrows: int = None
    skiprows: int = 0
    verbose: bool = True
    nrows_to_infer: int = 100
    true_values: tuple = ()
    false_values: tuple = ()

    @classmethod
    def of(cls, options):
        """Return the dialect of keyword options, pandas' names among them."""
        options = {_ALIASES.get(name, name): value for name, value in options.items()}
        unknown = {name: None for name in options if name not in cls.__dataclass_fields__}
        if unknown:
            raise TypeError(f"Unexpected keyword arguments {unknown.keys()}")
        found = cls(**options)
        found.comment_char = found.comment_char or ""
        found.na_values = _as_set(found.na_values)
        return found


def _as_set(values):
    return {values} if isinstance(values, str) else set(values or ())


def read_csv(url, options):
    """Return ({name: Column}, {file: list of bad lines}) of CSV files.

    Parameters
    ----------
    url : str or Path
        A file, plain or with the ending `.gz`, a folder, or a pattern with `*`.
    options : dict
        See `Dialect`.
    """
    started = time.perf_counter()
    dialect = Dialect.of(options)
    paths = _paths(url)
    hints = dialect.column_type_hints
    _check_hints(hints)
    if hints is None or isinstance(hints, dict):
        inferred = _inferred(paths, dialect, hints or {})
        if dialect.verbose and hints is None:
            _say_types(dialect, inferred)
        try:
            found = _Table(dialect, inferred).read(paths)
        except BadLine as error:
            if hints is not None:
                raise RuntimeError(f'Unable to parse line "{error}"') from None
            found = _retried(paths, dialect)
    else:
        found = _strict(paths, dialect, hints)
    if dialect.verbose:
        found.say_end(started)
    return found.columns(), found.bad


def _strict(paths, dialect, hints):
    try:
        return _Table(dialect, hints).read(paths)
    except BadLine as error:
        raise RuntimeError(f'Unable to parse line "{error}"') from None


def _retried(paths, dialect):
    if dialect.verbose:
        print("Unable to parse the file with automatic type inference.")
        print("Defaulting to column_type_hints=str")
    return _strict(paths, dialect, str)


def _paths(url):
    name = str(Path(os.fspath(url)).expanduser())
    if Path(name).is_dir():
        found = sorted(str(path) for path in Path(name).iterdir() if path.is_file())
    else:
        found = [name] if Path(name).is_file() else sorted(glob.glob(name))  # noqa: PTH207
    if not found:
        absolute = Path(name).absolute()
        raise OSError(f"No files corresponding to the specified path ({absolute}).")
    return [str(Path(path).absolute()) for path in found]


def _check_hints(hints):
    if hints is not None and not isinstance(hints, (type, list, dict)):
        raise TypeError(
            "Invalid type for column_type_hints. Must be a dictionary, list or a single type."
        )


def _inferred(paths, dialect, given):
    """Return {name: type} from the first rows, with the types that are given."""
    try:
        first = _Table(dialect, _UNDECIDED, dialect.nrows_to_infer).read(paths)
    except BadLine:
        return str
    kinds = {name: _common_type(values) for name, values in first.values.items()}
    return {**kinds, **given} if first.names else str


def _common_type(values):
    """Return the type that all values can be read as."""
    kinds = {type(value) for value in values if value is not None}
    for many, one in (({int, float}, float), ({array.array, list}, list)):
        if kinds == many:
            return one
    return kinds.pop() if len(kinds) == 1 else str


def _say_types(dialect, inferred):
    if not isinstance(inferred, dict):
        print("Could not detect types. Using str for each column.")
        return
    line = "-" * 54
    names = ",".join(kind.__name__ for kind in inferred.values())
    print(
        f"{line}\nInferred types from first {dialect.nrows_to_infer} line(s) of file as \n"
        f"column_type_hints=[{names}]\nIf parsing fails due to incorrect types, you can correct\n"
        "the inferred type list above and pass it to read_csv in\n"
        f"the column_type_hints argument\n{line}"
    )


class _Table:
    """Rows of text on their way to columns."""

    def __init__(self, dialect, hints, limit=None):
        self.dialect, self.hints = dialect, hints
        limits = [most for most in (limit, dialect.nrows) if most is not None]
        self.limit = min(limits) if limits else None
        self.names, self.values, self.kinds = [], {}, {}
        self.parts, self.bad, self.rows, self.waiting = {}, {}, 0, 0
        self.paths = ()

    def read(self, paths):
        self.paths = paths
        for path in paths:
            self.read_file(path)
        return self

    def read_file(self, path):
        lines = _lines(path, self.dialect)
        for _ in range(self.dialect.skiprows):
            next(lines, None)
        self.bad.setdefault(path, [])
        is_header = self.dialect.header
        for line in lines:
            tokens = _tokens(line, self.dialect)
            if not tokens:
                continue
            if not self.names:
                self.begin(tokens)
                self.position = [self.names.index(name) for name in self.wanted]
            if is_header:
                is_header = False
                continue
            if self.limit is not None and self.rows >= self.limit:
                return
            self.add(line, tokens, path)

    def begin(self, tokens):
        names = {}
        for place, token in enumerate(tokens, 1):
            name = _text(token, self.dialect) if self.dialect.header else f"X{place}"
            names[free_name(name or f"X{place}", names)] = None
        self.names = list(names)
        self.wanted = list(self.dialect.usecols or self.names)
        for name in self.wanted:
            if name not in names:
                raise RuntimeError(f"Cannot find column name: {name}")
        if isinstance(self.hints, list):
            if len(self.hints) != len(self.wanted):
                raise RuntimeError(
                    "column_type_hints has different size from actual number of columns: "
                    f"column_type_hints.size()={len(self.hints)};number of columns="
                    f"{len(self.wanted)}"
                )
            self.kinds = dict(zip(self.wanted, self.hints))
        elif isinstance(self.hints, dict):
            self.kinds = {name: self.hints.get(name, str) for name in self.wanted}
        else:
            self.kinds = dict.fromkeys(self.wanted, self.hints)
        self.values = {name: [] for name in self.wanted}
        self.parts = {name: [] for name in self.wanted}

    def add(self, line, tokens, path):
        try:
            if len(tokens) != len(self.names):
                raise BadLine(line)
            row = [
                _value(tokens[at], kind, self.dialect)
                for at, kind in zip(self.position, self.kinds.values())
            ]
        except ValueError:
            if self.dialect.error_bad_lines:
                raise BadLine(line) from None
            self.bad[path].append(line)
            return
        for values, value in zip(self.values.values(), row):
            values.append(value)
        self.rows += 1
        self.waiting += 1
        if self.waiting >= _CHUNK_ROWS and self.hints is not _UNDECIDED:
            self.flush()
        if self.dialect.verbose and self.rows % _PROGRESS_ROWS == 0:
            print(f"Read {self.rows} lines.")

    def flush(self):
        for name, values in self.values.items():
            kind = self.kinds[name]
            # Texts that come again and again are kept once.
            shared = {}
            found = [shared.setdefault(v, v) for v in values] if kind is str else values
            self.parts[name].append(column_from_values(found, kind))
            values.clear()
        self.waiting = 0

    def columns(self):
        self.flush()
        return {name: concatenate(self.parts.pop(name)) for name in list(self.parts)}

    def say_end(self, started):
        bad = sum(map(len, self.bad.values()))
        if bad:
            print(f"{bad} lines failed to parse correctly")
        for path in self.paths:
            print(f"Finished parsing file {path}")
        seconds = time.perf_counter() - started
        print(f"Parsing completed. Parsed {self.rows} lines in {seconds:.6g} secs.")


def _open(path):
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return open(path, encoding="utf-8-sig", errors="surrogateescape", newline="")  # noqa: PTH123


def _lines(path, dialect):
    """Yield the lines of a file; one whose quotes are open goes on in the next."""
    with _open(path) as file:
        pieces = file if dialect.line_terminator == "\n" else _pieces(file, dialect)
        line = None
        for piece in pieces:
            line = piece if line is None else line + piece
            if not _is_open(line, dialect):
                yield line.rstrip("\r\n")
                line = None
        if line is not None:
            yield line.rstrip("\r\n")


def _pieces(file, dialect):
    end = dialect.line_terminator
    rest = "" if end else file.read()
    while end:
        block = file.read(_BLOCK)
        if not block:
            break
        *lines, rest = (rest + block).split(end)
        yield from lines
    yield rest


def _is_open(line, dialect):
    """Tell whether a line ends within quotes."""
    quote = dialect.quote_char
    if not quote or quote not in line:
        return False
    return _scanned(line.rstrip("\r\n"), dialect)[1]


def _tokens(line, dialect):
    """Return the fields of a line as written, none for a line that is empty or a comment."""
    special = (dialect.quote_char, dialect.comment_char, "[", "{")
    if dialect.delimiter and not any(sign and sign in line for sign in special):
        if not line.strip():
            return []
        fields = line.split(dialect.delimiter)
        return [field.strip() if dialect.skip_initial_space else field for field in fields]
    return _scanned(line, dialect)[0]


def _scanned(line, dialect):
    """Return the fields of a line, and whether its last one is still within quotes."""
    fields, at, delimiter = [], 0, dialect.delimiter
    if not line.strip():
        return [], False
    while True:
        while at < len(line) and line[at].isspace() and line[at] != "\t":
            if delimiter and line.startswith(delimiter, at) or not dialect.skip_initial_space:
                break
            at += 1
        if dialect.comment_char and line.startswith(dialect.comment_char, at):
            return fields, False
        end, is_open = _field_end(line, at, dialect)
        fields.append(line[at:end])
        if is_open:
            return fields, True
        if not delimiter or not line.startswith(delimiter, end):
            return fields, False
        at = end + len(delimiter)


def _field_end(line, at, dialect):
    """Return where the field that starts at a place ends, and whether its quotes are open."""
    if dialect.quote_char and line.startswith(dialect.quote_char, at):
        return _quoted_end(line, at + 1, dialect)
    if line[at : at + 1] in ("[", "{"):
        end = _nested_end(line, at, dialect)
        if end is not None:
            return end, False
    return _plain_end(line, at, dialect), False


def _plain_end(line, at, dialect):
    signs = [sign for sign in (dialect.delimiter, dialect.comment_char) if sign]
    ends = [place for place in (line.find(sign, at) for sign in signs) if place >= 0]
    return min(ends, default=len(line))


def _quoted_end(line, at, dialect):
    quote, escape = dialect.quote_char, dialect.escape_char
    while at < len(line):
        if escape and line[at] == escape:
            at += 2
        elif line[at] != quote:
            at += 1
        elif dialect.double_quote and line.startswith(quote, at + 1):
            at += 2
        else:
            return _plain_end(line, at + 1, dialect), False
    return len(line), True


def _nested_end(line, at, dialect):
    try:
        _, size = literals.any_but_text(line[at:])
    except literals.NoLiteral:
        return None
    end = at + size
    while end < len(line) and line[end].isspace() and not line.startswith(dialect.delimiter, end):
        end += 1
    ends = end == len(line) or (dialect.delimiter and line.startswith(dialect.delimiter, end))
    return end if ends else None


def _is_quoted(token, dialect):
    quote = dialect.quote_char
    return bool(quote) and len(token) > 1 and token[0] == quote and token[-1] == quote


def _text(token, dialect):
    token = token.rstrip()
    return _unquoted(token, dialect) if _is_quoted(token, dialect) else token


def _unquoted(token, dialect):
    quote, escape = dialect.quote_char, dialect.escape_char
    text = token[1:-1]
    if dialect.double_quote:
        text = text.replace(quote * 2, quote)
    if not escape or escape not in text:
        return text
    pattern = re.escape(escape) + "(.)"
    return re.sub(pattern, lambda found: _ESCAPES.get(found[1], found[1]), text, flags=re.DOTALL)


def _value(token, kind, dialect):
    """Return a field as a value of a type; ValueError if it is none."""
    if not token:
        return "" if kind is str and "" not in dialect.na_values else None
    token = token.strip()
    if token in dialect.na_values:
        return None
    if kind in (int, float) and token in dialect.true_values:
        return kind(1)
    if kind in (int, float) and token in dialect.false_values:
        return kind(0)
    if kind is str:
        text = _text(token, dialect)
        return None if text in dialect.na_values else text
    if kind is _UNDECIDED:
        return _undecided(token, dialect)
    token = _unquoted(token, dialect) if _is_quoted(token, dialect) else token
    return None if token in dialect.na_values else _READERS[kind](token)


def _undecided(token, dialect):
    text = _unquoted(token, dialect) if _is_quoted(token, dialect) else token
    if text in dialect.na_values:
        return None
    if text in dialect.true_values or text in dialect.false_values:
        return 1 if text in dialect.true_values else 0
    try:
        value, end = literals.any_but_text(text)
    except literals.NoLiteral:
        return text
    return value if not text[end:].strip() else text


def _whole(text):
    found = _WHOLE_START.match(text)
    if not found:
        raise ValueError(text)
    return int(found[1])


def _real(text):
    found = _NUMBER_START.match(text)
    if not found:
        raise ValueError(text)
    return float(found[1])


_READERS = {
    int: _whole,
    float: _real,
    array.array: literals.vector,
    list: literals.list_,
    dict: literals.dict_,
}


def read_text(url):
    """Return the lines of a text file as a list."""
    with _open(_paths(url)[0]) as file:
        return [line.rstrip("\r\n") for line in file]


def read_json(url, orient="records"):
    """Return the columns of a JSON file: a list of objects, or with 'lines' one a line."""
    if orient not in ("records", "lines"):
        raise ValueError(f"Invalid value for orient parameter ({orient})")
    path = _paths(url)[0]
    with _open(path) as file:
        text = file.read()
    try:
        if orient == "lines":
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            rows = json.loads(text)
        column = column_from_values(rows, dict)
    except (ValueError, TypeError):
        raise RuntimeError(
            f"Unable to parse {path}. It does not appear to be in JSON record format. A list of "
            "dictionaries is expected"
        ) from None
    return unpack_column(column, "") if any(rows) else {}


def read_json_array(url):
    """Return the values of a JSON file that holds a list."""
    path = _paths(url)[0]
    with _open(path) as file:
        try:
            rows = json.load(file)
        except ValueError:
            rows = None
    if not isinstance(rows, list):
        raise RuntimeError(f"Unable to parse {path} as JSON. A list is expected")
    return rows


@dataclass(frozen=True)
class Writing:
    """How a CSV file is written; the names are those of `SFrame.export_csv`."""

    delimiter: str = ","
    line_terminator: str = "\n"
    header: bool = True
    quote_level: int = 2
    double_quote: bool = True
    escape_char: str = "\\"
    quote_char: str = '"'
    na_rep: str = ""
    file_header: str = ""
    file_footer: str = ""
    line_prefix: str = ""
    _no_prefix_on_first_value: bool = False

    def row(self, values):
        """Return a line of values."""
        return self.delimiter.join(map(self.field, values)) + self.line_terminator

    def field(self, value):
        """Return one value as a field."""
        if value is None:
            return f"{self.quote_char * 2}" if self.quote_level == 1 else self.na_rep
        if isinstance(value, str):
            return self.string(value)
        text = literals.text_of(value)
        if isinstance(value, (int, float)):
            return self.quoted(text) if self.quote_level == 1 else text
        return text if self.quote_level == 3 else self.quoted(text)

    def string(self, text):
        """Return a string, quoted and escaped only where it must be."""
        signs = ("\t", "\r", "\n", "\b", self.escape_char, self.line_terminator[:1])
        special = any(sign and sign in text for sign in (*signs, self.delimiter[:1]))
        if self.quote_level == 1 or special or (self.quote_char in text and not self.double_quote):
            return self.quoted(text)
        return text.replace(self.quote_char, self.quote_char * 2)

    def quoted(self, text):
        """Return a text in quotes with everything escaped."""
        if self.escape_char:
            text = text.replace(self.escape_char, self.escape_char * 2)
            for sign, escaped in _ESCAPED.items():
                text = text.replace(sign, escaped)
        doubled = self.quote_char if self.double_quote else self.escape_char
        text = text.replace(self.quote_char, doubled + self.quote_char)
        return f"{self.quote_char}{text}{self.quote_char}"


def write_csv(path, table, options):
    """Write {name: Column} as a CSV file."""
    options = {_ALIASES.get(name, name): value for name, value in options.items()}
    unknown = [name for name in options if name not in Writing.__dataclass_fields__]
    if unknown:
        raise TypeError(f"Unexpected keyword arguments {unknown}")
    style = Writing(**options)
    with _replaced(path) as file:
        if style.file_header:
            file.write(style.file_header + style.line_terminator)
        if style.header:
            file.write(style.row(list(table)))
        for number, row in enumerate(_rows(table)):
            bare = not number and style._no_prefix_on_first_value
            file.write(("" if bare else style.line_prefix) + style.row(row))
        if style.file_footer:
            file.write(style.file_footer + style.line_terminator)


def write_lines(path, column):
    """Write each value of a column as a line of text."""
    with _replaced(path) as file:
        for value in column.tolist():
            file.write(literals.text_of(value) + "\n")


def write_json(path, table, orient="records"):
    """Write {name: Column} as a JSON list of objects, or with 'lines' one a line."""
    if orient not in ("records", "lines"):
        raise ValueError(f"Invalid value for orient parameter ({orient})")
    lines = orient == "lines"
    with _replaced(path) as file:
        file.write("" if lines else "[\n")
        for number, row in enumerate(_rows(table)):
            pairs = zip(table, row)
            text = _json({name: value for name, value in pairs if value is not None})
            file.write(f"{text}\n" if lines or not number else f",{text}\n")
        file.write("" if lines else "]\n")


def _json(value):
    if value is None:
        return ""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, array.array)):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(str(k))}:{_json(v)}" for k, v in value.items()) + "}"
    text = literals.text_of(value)
    return text if isinstance(value, (int, float)) else json.dumps(text)


def _rows(table):
    columns = list(table.values())
    count = len(columns[0]) if columns else 0
    for start in range(0, count, _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        yield from zip(*(column.take(part).tolist() for column in columns))


class _replaced:  # noqa: N801
    """A text file that takes its name once it is whole."""

    def __init__(self, path):
        self._path = Path(os.fspath(path)).expanduser()

    def __enter__(self):
        self._part = self._path.with_name(self._path.name + ".part")
        self._file = open(self._part, "w", encoding="utf-8", newline="")  # noqa: PTH123
        return self._file

    def __exit__(self, kind, value, traceback):
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()
