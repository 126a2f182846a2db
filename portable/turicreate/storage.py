"""Files and folders that columns and tables are read from and written to."""

import os
from pathlib import Path

from . import tabular
from .columns import in_files, read_all_from
from .infer import make_column
from .missing import lacks
from .sframe_format import open_array, open_frame, write_array, write_frame

_REMOTE = ("http://", "https://", "s3://", "hdfs://")


def read_array(filename):
    """Return the column of a saved SArray, or of the lines of a text file."""
    if is_text(filename):
        return make_column(tabular.read_text(filename), str)
    return in_files(open_array(check_source(filename)))


def save_array(filename, column, form):
    """Write a column: as a folder that Turi Create opens too, or as lines of text."""
    if form is None:
        texts = (".csv", ".csv.gz", ".txt")
        form = "text" if str(filename).endswith(texts) else "binary"
    if form not in ("binary", "text", "csv"):
        raise ValueError(f"Unsupported format: {form}")
    if form == "binary":
        write_array(prepare_target(filename), column)
    else:
        tabular.write_lines(filename, column)


def read_table(filename):
    """Return the columns {name: Column} of a saved SFrame."""
    stored, _ = open_frame(check_source(filename))
    return {name: in_files(column) for name, column in stored.items()}


def save_table(filename, columns, form):
    """Write columns: as a folder that Turi Create opens too, as .csv or as .json."""
    name = str(filename)
    texts = (".csv", ".csv.gz")
    if form is None:
        form = "csv" if name.endswith(texts) else "json" if name.endswith(".json") else "binary"
    if form not in ("csv", "binary", "json"):
        raise ValueError(
            f"Invalid format: {form}. Supported formats are 'csv' and 'binary' and 'json'"
        )
    if form == "csv":
        tabular.write_csv(name if name.endswith(texts) else f"{name}.csv", columns, {})
    elif form == "json":
        tabular.write_json(name, columns)
    else:
        for column_name in columns:
            _check_column_name(column_name)
        for column in columns.values():
            column.load()
        write_frame(prepare_target(filename), columns)


def _check_column_name(name):
    """Refuse a column name that the SFrame format cannot keep."""
    if "\n" in name or "\r" in name or name != name.strip(" \t"):
        raise ValueError(
            f"column name {name!r} cannot be saved: an SFrame's file loses line breaks and "
            "outer blanks; rename the column first"
        )


def check_source(filename):
    """Return the folder of a saved SFrame or SArray."""
    filename = os.fspath(filename)
    if filename.startswith(_REMOTE):
        raise lacks(f"Reading from {filename.split('://')[0]}", "download the folder first")
    path = Path(filename).expanduser()
    if not path.exists():
        raise OSError(f"{path.absolute()} not found. ErrMsg: file not exist in {path.absolute()}")
    if not (path / "dir_archive.ini").is_file():
        raise OSError(f"Cannot open {path / 'dir_archive.ini'} for read.")
    return path


def is_text(filename):
    """Tell whether a name is that of a file, which a saved SFrame or SArray never is."""
    return Path(os.fspath(filename)).expanduser().is_file()


def prepare_target(filename):
    """Return the folder to write to, with nothing left that still needs its old files."""
    filename = os.fspath(filename)
    if filename.startswith(_REMOTE):
        raise lacks(f"Writing to {filename.split('://')[0]}", "save to a local folder")
    path = Path(filename).expanduser()
    if path.is_file():
        raise OSError(f"Cannot create directory {path}. It already exists as a file.")
    if path.is_dir() and any(path.iterdir()) and not (path / "dir_archive.ini").is_file():
        raise OSError("Directory already exists and does not contain a Turi archive.")
    read_all_from(path)
    return path
