"""Writing files and folders so that nothing is ever half-written.

Everything is written under a temporary name in the same directory and renamed at the
end. POSIX renames a file over another in one step, but not a folder that holds files, so
`replace_folder` needs two renames; `restore_folder` completes one that was cut between
them. Work that takes minutes is wrapped in `exclusive`, so that it is not done twice at
once and sweeps up after a killed predecessor.
"""

import hashlib
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from image_retrieval.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

_RENAME_ATTEMPTS = 5
_CHUNK = 1 << 20


@contextmanager
def atomic_file(path):
    """Yield a temporary path that becomes `path` when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder is made when missing.

    Yields
    ------
    Path
        A file name in the same folder; the caller writes it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _apply_umask(temporary)
        temporary.replace(path)
    finally:
        if temporary.exists():
            temporary.unlink()


@contextmanager
def atomic_folder(path):
    """Yield a temporary folder that replaces the folder `path` when the block succeeds.

    Parameters
    ----------
    path : str or Path
        The folder to write; its parent is made when missing.

    Yields
    ------
    Path
        An empty folder beside it; the caller fills it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    restore_folder(path)
    temporary = Path(tempfile.mkdtemp(dir=str(path.parent), prefix=f".{path.name}.", suffix=".tmp"))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(new, path):
    """Move the folder `new` to `path`; what stood there is kept until that is done."""
    path, old = Path(path), _set_aside(path)
    for attempt in range(1, _RENAME_ATTEMPTS + 1):
        restore_folder(path)
        _discard(old)
        if path.exists():
            path.rename(old)
        try:
            Path(new).rename(path)
            break
        except OSError:
            # A reader may have restored the old folder just between the two renames.
            restore_folder(path)
            if attempt == _RENAME_ATTEMPTS:
                raise
    _discard(old)


def restore_folder(path):
    """Bring back the folder `path` if a `replace_folder` was killed between its renames."""
    path, old = Path(path), _set_aside(path)
    if old.exists() and not path.exists():
        old.rename(path)


@contextmanager
def exclusive(path):
    """Let one process at a time make `path`, and clear away what a killed one left.

    The operating system frees the lock when the process ends, however it ends.

    Parameters
    ----------
    path : str or Path
        The file or folder to be written inside the block.

    Raises
    ------
    InputError
        When another process is making the same path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a+") as file:
        if not _lock(file):
            raise InputError(f"{path} is being made by another process; wait until it has ended")
        restore_folder(path)
        remove_temporaries(path)
        yield


def remove_temporaries(path):
    """Delete the temporary files and folders that killed writers of `path` left beside it."""
    path = Path(path)
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[a-z0-9_]{{8}}\.tmp")
    for left in path.parent.iterdir():
        if not pattern.fullmatch(left.name):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()


def file_hash(path):
    """Return the SHA-256 of a file, in hexadecimal; read once as long as it does not change.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    path = Path(path).expanduser()
    try:
        status = path.stat()
        return _hash_of(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise InputError(f"{path}: cannot read it ({error.strerror}); check the path") from None


@lru_cache(maxsize=16)
def _hash_of(path, modified, size):
    total = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            total.update(chunk)
    return total.hexdigest()


def _lock(file):
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _discard(old):
    # Under its own name a half-deleted folder could later be restored as if it were whole.
    if old.exists():
        trash = tempfile.mkdtemp(dir=str(old.parent), prefix=old.name[:-3], suffix=".tmp")
        old.rename(Path(trash) / old.name)
        shutil.rmtree(trash, ignore_errors=True)


def _set_aside(path):
    path = Path(path)
    return path.with_name(f".{path.name}.old")


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _apply_umask(path):
    # mkstemp makes private files; a finished one gets the mode any other new file has.
    path.chmod(0o666 & ~_umask())
