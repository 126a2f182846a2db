"""Writing files and folders so that nothing is ever half-written.

Everything is written in a temporary folder beside its place and renamed at the end. POSIX
renames a file over another in one step, but not a folder that holds files, so
`replace_folder` needs two renames; `restore_folder` completes one that was cut between
them. The writer holds a lock in its temporary folder, which the operating system frees when
the process ends, however it ends: where that lock can be had the writer is dead, and the next
writer of the same path sweeps up. Work that takes minutes is wrapped in `exclusive`, so
it is not done twice at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

try:
    import fcntl
except ImportError:  # Windows, and a browser's tab, where no second process can write
    fcntl = None  # type: ignore[assignment]  # a module, where there is one
    with suppress(ImportError):
        import msvcrt

_RENAME_ATTEMPTS = 5
_LOCK = ".writer"
_DAY = 86400


@contextmanager
def atomic_file(path: StrPath) -> Iterator[Any]:
    """Yield a temporary path that becomes `path` when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder is made when missing, and a link is followed.

    Yields
    ------
    Path
        An empty file of the same name, elsewhere on the same disk; the caller writes it.
    """
    path = _place(path)
    with _temporary_folder(path) as folder:
        temporary = folder / path.name
        temporary.touch()
        yield temporary
        temporary.replace(path)


@contextmanager
def atomic_folder(path: StrPath) -> Iterator[Path]:
    """Yield a temporary folder that replaces the folder `path` when the block succeeds.

    Parameters
    ----------
    path : str or Path
        The folder to write; its parent is made when missing, and a link is followed.

    Yields
    ------
    Path
        An empty folder of the same name, elsewhere on the same disk; the caller fills it.
    """
    path = _place(path)
    restore_folder(path)
    with _temporary_folder(path) as folder:
        temporary = folder / path.name
        temporary.mkdir()
        yield temporary
        replace_folder(temporary, path)


def replace_folder(new: StrPath, path: StrPath) -> None:
    """Move the folder `new` to `path`; what stood there is kept until that is done."""
    path = _place(path)
    for attempt in range(1, _RENAME_ATTEMPTS + 1):
        restore_folder(path)
        _discard_old(path)
        if path.exists():
            path.rename(_set_aside(path))
        try:
            Path(new).rename(path)
            break
        except OSError:
            # A reader may have restored the old folder just between the two renames.
            restore_folder(path)
            if attempt == _RENAME_ATTEMPTS:
                raise
    _discard_old(path)


def restore_folder(path: StrPath) -> None:
    """Bring back the folder `path` if a `replace_folder` was killed between its renames."""
    path = _real(path)
    if _set_aside(path).exists() and not path.exists():
        _set_aside(path).rename(path)


@contextmanager
def exclusive(path: StrPath) -> Iterator[None]:
    """Let one process at a time make `path`, and bring back what a killed one set aside.

    Parameters
    ----------
    path : str or Path
        The file or folder to be written inside the block.

    Raises
    ------
    InputError
        When another process is making the same path.
    """
    place = _place(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.lock").open("a+") as file:
        if not _lock(file):
            raise InputError(f"{path} is being made by another process; wait until it finishes")
        restore_folder(place)
        remove_temporaries(place)
        yield


def remove_temporaries(path: StrPath) -> None:
    """Delete the temporary folders that dead writers of `path` left beside it."""
    path = _real(path)
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.tmp")
    for left in path.parent.iterdir():
        if pattern.fullmatch(left.name):
            _remove_if_dead(left)


def refuse_special(path: StrPath) -> None:
    """Raise an InputError for what may never end when it is read: a pipe or a device."""
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path} is a pipe or a device, not a file; give a file")


def file_hash(path: StrPath) -> str:
    """Return the SHA-256 of a file, in hexadecimal; read once as long as it does not change.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    path = Path(path).expanduser()
    refuse_special(path)
    try:
        status = path.stat()
        return _hash_of(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise InputError(f"{path}: cannot read it ({error.strerror}); check the path") from None


@lru_cache(maxsize=16)
def _hash_of(path, modified, size):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def _lock(file):
    with suppress(BlockingIOError, PermissionError):
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif os.name == "nt":
            windows: Any = msvcrt  # type checkers look as on Linux
            windows.locking(file.fileno(), windows.LK_NBLCK, 1)
        return True
    return False


@contextmanager
def _temporary_folder(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_temporaries(path)
    lock, named = None, {"prefix": f".{path.name}.", "suffix": ".tmp"}
    while lock is None:
        folder = Path(tempfile.mkdtemp(dir=str(path.parent), **named))
        lock = _claim(folder)
    try:
        with lock:
            yield folder
    finally:
        _remove(folder)


def _claim(folder):
    """Return the open lock of a new temporary folder, or None where it was swept just now."""
    with suppress(FileNotFoundError):
        lock = (folder / _LOCK).open("w")
        if _lock(lock) and folder.exists():
            return lock
        lock.close()
    return None


def _remove_if_dead(left):
    with suppress(OSError):
        if (left / _LOCK).exists():
            with (left / _LOCK).open("r+") as lock:
                if _lock(lock):
                    _remove(left)
        elif time.time() - left.stat().st_mtime > _DAY:
            # From before there were locks.
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        else:
            # Where it is a new one of which the lock is about to be made, another is made.
            left.rmdir()


def _remove(folder):
    """Remove a temporary folder, its lock last: without one it is empty."""
    with suppress(OSError):
        for path in sorted(folder.iterdir(), key=lambda path: path.name == _LOCK):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        folder.rmdir()


def _discard_old(path):
    # Under its own name a half-deleted folder could later be restored as if it were whole.
    if _set_aside(path).exists():
        with _temporary_folder(path) as trash:
            _set_aside(path).rename(trash / "old")


def _set_aside(path):
    return path.parent / f".{path.name}.old"


def _real(path):
    return Path(os.path.realpath(str(path)))


def _place(path):
    """Return where to write, which is not the folder that this process works in."""
    real = _real(path)
    if real in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"{str(path)!r} is the working folder or holds it; name a new one")
    return real
