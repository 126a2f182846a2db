"""What is known of a folder of pictures, in an SQLite file.

SQLite's transactions survive a killed process and a power cut, so that the file holds the
work of whole batches at any time. Features belong to contents and not to names: a picture
that was moved or appears twice is never extracted again.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Sequence

import numpy as np

from image_retrieval.duplicates import Prints
from image_retrieval.duplicates.prints import SIDE
from image_retrieval.errors import InputError, one_line
from image_retrieval.features import extraction_from_record

if TYPE_CHECKING:
    from pathlib import Path

    from image_retrieval.signatures import AnyExtraction, Array

FILE = "pictures.sqlite"
_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS contents (
    hash TEXT PRIMARY KEY, print TEXT NOT NULL, thumbnail BLOB NOT NULL, vector BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, label TEXT NOT NULL,
    size INTEGER NOT NULL, modified INTEGER NOT NULL, hash TEXT, problem TEXT);
"""
_READABLE = "FROM files JOIN contents USING (hash) ORDER BY id"


@dataclass(frozen=True)
class File:
    """A file as it was when it was looked at.

    Attributes
    ----------
    path : PurePath
        Below the folder.
    label : str
        Empty for a file that is not in a subfolder.
    size, modified : int
        Bytes, and nanoseconds since 1970.
    hash : str, optional
        SHA-256 of the content; None for one that is no readable picture.
    problem : str, optional
        Why it is none.
    """

    path: PurePath
    label: str
    size: int
    modified: int
    hash: str | None = None
    problem: str | None = None


def as_key(path: PurePath) -> bytes:
    """Return a path as it is kept: the same bytes on every system."""
    return os.fsencode(path.as_posix())


class Store:
    """An open file of facts, contents and files; made by `open_store`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute
        self._connection = connection

    def fact(self, name: str, default: Any = None) -> Any:
        """Return a fact, as JSON held it."""
        row = self._run("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
        return default if row is None else json.loads(row[0])

    def set_facts(self, **facts: Any) -> None:
        """Keep facts that JSON can hold."""
        with self._connection:
            rows = [(name, json.dumps(value)) for name, value in facts.items()]
            self._connection.executemany("REPLACE INTO facts VALUES (?, ?)", rows)

    @property
    def extraction(self) -> AnyExtraction | None:
        """How the features are made; None for a new file."""
        record = self.fact("extraction")
        return record and extraction_from_record(record)

    def stamps(self) -> dict[bytes, Any]:
        """Return the size and the time of each file that was looked at, by path as bytes."""
        return {path: stamp for path, *stamp in self._run("SELECT path, size, modified FROM files")}

    def knows(self, key: bytes) -> bool:
        """Tell whether there are features of the content of this hash."""
        return bool(self._run("SELECT 1 FROM contents WHERE hash = ?", [key]).fetchone())

    def keep(self, files: list[File], contents: Sequence[Any]) -> None:
        """Write down a batch, all of it or nothing.

        Parameters
        ----------
        files : list of File
        contents : list of (hash, print, thumbnail, vector)
        """
        rows = [
            (key, text, thumb.tobytes(), vector.tobytes()) for key, text, thumb, vector in contents
        ]
        looked = [(as_key(f.path), f.label, f.size, f.modified, f.hash, f.problem) for f in files]
        with self._connection:
            self._connection.executemany("REPLACE INTO contents VALUES (?, ?, ?, ?)", rows)
            self._connection.executemany(
                "INSERT INTO files (path, label, size, modified, hash, problem) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET label = excluded.label,"
                " size = excluded.size, modified = excluded.modified, hash = excluded.hash,"
                " problem = excluded.problem",
                looked,
            )
            self._run("REPLACE INTO facts VALUES ('indexed', 'null')")

    def forget(self, paths: Iterable[bytes]) -> None:
        """Forget files that are gone, and the contents that no file has any more."""
        with self._connection:
            self._connection.executemany("DELETE FROM files WHERE path = ?", [[p] for p in paths])
            used = "SELECT hash FROM files WHERE hash IS NOT NULL"
            self._run(f"DELETE FROM contents WHERE hash NOT IN ({used})")
            if paths:
                self._run("REPLACE INTO facts VALUES ('indexed', 'null')")

    def pictures(self) -> Iterator[Any]:
        """Yield (id, path, label, hash) of the readable pictures, in the order of ids."""
        for key, path, label, content in self._run(f"SELECT id, path, label, hash {_READABLE}"):
            yield key, os.fsdecode(path), label, content

    def problems(self) -> list[tuple[str, str]]:
        """Yield (path, problem) of the files that are no readable pictures."""
        query = "SELECT path, problem FROM files WHERE problem IS NOT NULL ORDER BY path"
        return [(os.fsdecode(path), problem) for path, problem in self._run(query)]

    def vectors(self) -> Array:
        """Return the features of `pictures`, float32 (n, d), not to be changed."""
        n, d = self._run(
            f"SELECT COUNT(*), MAX(LENGTH(vector)) / 4 FROM (SELECT vector {_READABLE})"
        ).fetchone()
        X = np.empty((n, d or 0), np.float32)
        for row, (vector,) in zip(X, self._run(f"SELECT vector {_READABLE}")):
            row[:] = np.frombuffer(vector, np.float32)
        X.flags.writeable = False  # so that an engine need not copy it
        return X

    def prints(self) -> Prints:
        """Return the prints of `pictures`."""
        rows = self._run(f"SELECT print, thumbnail {_READABLE}").fetchall()
        thumbnails = np.frombuffer(b"".join(row[1] for row in rows), np.uint8)
        return Prints(tuple(row[0] for row in rows), thumbnails.reshape(-1, SIDE, SIDE, 3))


@contextmanager
def open_store(folder: Path, new: bool = False) -> Iterator[Store]:
    """Yield the store in a folder.

    Parameters
    ----------
    folder : Path
    new : bool
        Make one where there is none.

    Raises
    ------
    InputError
        When there is none, it is damaged, or it was made by another version.
    """
    path = folder / FILE
    if not new and not path.is_file():
        raise InputError(f"{folder} holds no index of pictures; make one: image-retrieval index")
    way_out = "delete the folder it is in and index the pictures again"
    try:
        connection = sqlite3.connect(str(path))
        try:
            connection.executescript(_SCHEMA)
            store = Store(connection)
            if store.fact("format", _FORMAT) != _FORMAT:
                raise InputError(f"{path} was made by another version; {way_out}")
            yield store
        finally:
            connection.close()
    except (sqlite3.DatabaseError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be used ({one_line(error)}); {way_out}") from None
