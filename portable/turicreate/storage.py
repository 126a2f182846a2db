"""Folders that SFrames are read from and written to."""

import os
from pathlib import Path

from . import lazy
from .missing import lacks

_REMOTE = ("http://", "https://", "s3://", "hdfs://")


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
    lazy.read_all_from(path)
    return path
