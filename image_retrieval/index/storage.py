"""Saved indexes: a folder of plain files and a list of them that tells damage."""

from __future__ import annotations

import json
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.files import atomic_folder, restore_folder

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, StrPath

_LIST = "index.json"
_FORMAT = 3
_CHUNK = 1 << 20
# What a saved index of wrong content may raise.
_DAMAGED: tuple[type[Exception], ...] = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError),
    *(RuntimeError, TypeError, ValueError),
)


def save(
    path: StrPath,
    engine: str,
    settings: Mapping[str, Any],
    write: Callable[..., Any],
    images: Mapping[str, Any] | None = None,
) -> None:
    """Write an index as the folder `path`, whole or not at all.

    Parameters
    ----------
    path : str or Path
    engine : str
        The engine's registered name.
    settings : dict
        What JSON can hold.
    write : callable
        Called with an empty folder to write files into.
    images : dict, optional
        What an `ImageIndex` keeps beside its engine.
    """
    path = Path(path).absolute()  # "." has no name to write under
    _refuse_other_folder(path)
    with atomic_folder(path) as folder:
        write(folder)
        content = {"format": _FORMAT, "engine": engine, "settings": settings, "images": images}
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        content["files"] = {f.relative_to(folder).as_posix(): _checksum(f) for f in files}
        content["checksum"] = _checksum_of(content)
        (folder / _LIST).write_text(json.dumps(content, indent=1), encoding="utf-8")


def read(path: StrPath) -> Any:
    """Check a saved index and return its folder, engine name, settings and images.

    Raises
    ------
    InputError
        When there is no index, or a file of it is missing, cut short or changed.
    """
    path = Path(path)
    restore_folder(path)
    if not (path / _LIST).is_file():
        raise InputError(f"{path}: no saved index there; save one with engine.save(path)")
    content = _content(path)
    for name, checksum in content["files"].items():
        if not (path / name).is_file() or _checksum(path / name) != checksum:
            raise damaged(path / name)
    return path, content["engine"], content["settings"], content["images"]


@contextmanager
def refusing_damage(path: StrPath) -> Iterator[None]:
    """Turn whatever a saved index of wrong content makes the block raise into one line."""
    try:
        yield
    except InputError:
        raise
    except _DAMAGED as error:
        raise damaged(path) from error


def damaged(path: StrPath) -> InputError:
    """Return the error for a file of a saved index that cannot be used."""
    return InputError(f"{path}: missing or damaged; build the index again and save it")


def read_array(folder: Path, name: str, kinds: str, shape: Any, mapped: bool = False) -> Array:
    """Return a saved array after checking its dtype and shape; read later what is `mapped`."""
    path = folder / f"{name}.npy"
    mode = "r" if mapped and 0 not in shape else None  # nothing cannot be mapped
    try:
        array = np.load(str(path), mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError):
        raise damaged(path) from None
    if array.dtype.kind not in kinds or array.shape != shape:
        raise damaged(path)
    return array


def _refuse_other_folder(path):
    is_other = path.is_dir() and not (path / _LIST).exists() and any(path.iterdir())
    if is_other or path.is_file():
        raise InputError(f"{path} already exists and is not a saved index; choose another name")


def _content(path):
    try:
        content = json.loads((path / _LIST).read_text(encoding="utf-8"))
        checksum = content.pop("checksum")
    except _DAMAGED:
        raise damaged(path / _LIST) from None
    if checksum != _checksum_of(content):
        raise damaged(path / _LIST)
    if content["format"] != _FORMAT:
        there = f"format {content['format']} of saved indexes, this version reads {_FORMAT}"
        raise InputError(f"{path}: {there}; build the index again")
    return content


def _checksum_of(content):
    return zlib.crc32(json.dumps(content, sort_keys=True).encode("utf-8"))


def _checksum(file):
    total = 0
    with file.open("rb") as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b""):
            total = zlib.crc32(chunk, total)
    return total
