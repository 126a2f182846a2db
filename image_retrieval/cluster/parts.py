"""The parts that an extraction is kept in: Parquet files, each whole or not there.

A part says of each of its files what `collection.store.File` says, and holds what was made of the
readable ones. Which files are done is read from the parts themselves; there is nothing else that
could disagree with them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Collection, Iterable, Iterator

import numpy as np

from image_retrieval.collection.store import File, as_key
from image_retrieval.duplicates.prints import SIDE
from image_retrieval.errors import InputError, one_line
from image_retrieval.features import read_extractions, write_extractions
from image_retrieval.features.extraction import settled
from image_retrieval.files import atomic_file

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyExtraction, Array, How, StrPath

COLUMN = "deep_features"
_STAMP = ["path", "size", "modified"]
_GIVE_UP = "delete it, and extract its pictures again"


@dataclass(frozen=True)
class Parts:
    """A folder of parts.

    Attributes
    ----------
    folder : Path
    extraction : Extraction or JoinedExtraction
    """

    folder: Path
    extraction: AnyExtraction

    def paths(self) -> list[Path]:
        """Return the Parquet files, in the order of their names."""
        return sorted(self.folder.glob("part-*.parquet"))

    def stamps(self) -> dict[Path, list[tuple[Any, ...]]]:
        """Return path as bytes, size and time of the files that are done, by Parquet file."""
        found = {path: _table(path, _STAMP).to_pydict() for path in self.paths()}
        return {path: list(zip(*(columns[n] for n in _STAMP))) for path, columns in found.items()}

    def prune(self, there: Collection[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
        """Drop from the parts what is not one of these (path, size, time); return what is left."""
        done: set[tuple[Any, ...]] = set()
        for path, stamps in self.stamps().items():
            kept = [row for row, each in enumerate(stamps) if each in there and each not in done]
            if not kept:
                path.unlink()
            elif len(kept) < len(stamps):
                _write(path, _table(path).take(kept))
            done.update(stamps[row] for row in kept)
        return done

    def batches(self) -> Iterator[tuple[list[File], list[Any]]]:
        """Yield files and contents of one part after the other."""
        for path in self.paths():
            yield self.read(path.name)

    def read(self, name: str) -> tuple[list[File], list[Any]]:
        """Return files and contents of the part of this name, as `read_batch` does."""
        rows, X = _rows(self.folder / name)
        contents = {row["hash"]: _content(row, x) for row, x in zip(rows, X) if row["hash"]}
        return [_file(row) for row in rows], list(contents.values())

    def table(self) -> tuple[Any, Array]:
        """Return the files, with their features in memory.

        Returns
        -------
        files : pandas.DataFrame
            `path`, `label`, `hash` and `problem` (None for a readable picture), by path.
        X : ndarray of float32, shape (n, d)
            The features of the readable ones, in that order.
        """
        import pandas as pd

        rows = []
        for files, contents in self.batches():
            vectors = {content[0]: content[-1] for content in contents}
            rows += [(f, vectors.get(f.hash)) for f in files]
        rows.sort(key=lambda row: as_key(row[0].path))
        described = [[str(f.path), f.label, f.hash, f.problem] for f, _ in rows]
        files = pd.DataFrame(described, columns=["path", "label", "hash", "problem"], dtype=object)
        return files, np.array([x for _, x in rows if x is not None], dtype=np.float32)


def open_parts(folder: StrPath) -> Parts:
    """Open what `extract` has written.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Parts

    Raises
    ------
    InputError
        When there is none.
    """
    folder = Path(folder).expanduser().resolve()
    extraction = read_extractions(folder).get(COLUMN)
    if extraction is None:
        raise InputError(f"{folder} holds no extraction; make one: cluster.extract(pictures)")
    return Parts(folder, extraction)


def agreed_parts(folder: Path, asked: How | None) -> Parts:
    """Return the parts in a folder, where the extraction is recorded from now on.

    Raises
    ------
    InputError
        When there are parts by another extraction.
    """
    known = read_extractions(folder).get(COLUMN)
    how = settled(known, asked, folder)
    if known is None:
        write_extractions(folder, {COLUMN: how})
    return Parts(folder, how)


def part_name(stamps: Iterable[tuple[Any, ...]]) -> str:
    """Return the name of the part of these (path, size, time): other files, another name."""
    return f"part-{hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]}.parquet"


def write_part(path: Path, files: Iterable[File], contents: Iterable[Any]) -> None:
    """Write files and contents, as `read_batch` returns them, as a part.

    The columns are those of `File`, and `print`, `thumbnail` (12 × 12 × 3 bytes) and
    `deep_features` (d numbers of float32) of what each holds.
    """
    import pyarrow as pa

    made = {content[0]: content[1:] for content in contents}
    prints, thumbnails, X = zip(*(made.get(file.hash, (None,) * 3) for file in files))
    columns = {
        "path": pa.array([as_key(file.path) for file in files], pa.binary()),
        "label": pa.array([file.label for file in files], pa.string()),
        "size": pa.array([file.size for file in files], pa.int64()),
        "modified": pa.array([file.modified for file in files], pa.int64()),
        "hash": pa.array([file.hash for file in files], pa.string()),
        "problem": pa.array([file.problem for file in files], pa.string()),
        "print": pa.array(prints, pa.string()),
        "thumbnail": pa.array([t if t is None else t.tobytes() for t in thumbnails], pa.binary()),
        COLUMN: pa.array(X, pa.list_(pa.float32())),
    }
    _write(path, pa.table(columns))


def _write(path, table):
    from pyarrow import parquet

    with atomic_file(path) as temporary:
        parquet.write_table(table, str(temporary))


def _table(path, columns=None):
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(str(path)).read(columns)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read ({one_line(error)}); {_GIVE_UP}") from None


def _rows(path):
    """Return the rows of a part as dicts, and its features (n, d), zeros where there are none."""
    table = _table(path)
    numbers = table[COLUMN].combine_chunks()
    lengths = np.diff(numbers.offsets.to_numpy())
    X = np.zeros((len(table), lengths.max(initial=0)), np.float32)
    X[lengths > 0] = numbers.values.to_numpy().reshape(-1, X.shape[1] or 1)
    return table.drop([COLUMN]).to_pylist(), X


def _file(row):
    path = PurePath(os.fsdecode(row["path"]))
    return File(path, *(row[name] for name in ("label", "size", "modified", "hash", "problem")))


def _content(row, vector):
    thumbnail = np.frombuffer(row["thumbnail"], np.uint8).reshape(SIDE, SIDE, 3)
    return row["hash"], row["print"], thumbnail, vector
