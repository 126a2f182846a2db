"""Writing files and folders so that nothing is ever half-written.

Everything is written under a temporary name in the same directory and renamed at the
end. POSIX renames a file over another in one step, but not a folder that holds files, so
`replace_folder` needs two renames; `restore_folder` completes one that was cut between
them.
"""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path


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
        os.replace(temporary, path)
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
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.rename(path, old)
    os.rename(new, path)
    shutil.rmtree(old, ignore_errors=True)


def restore_folder(path):
    """Bring back the folder `path` if a `replace_folder` was killed between its renames."""
    path, old = Path(path), _set_aside(path)
    if old.exists() and not path.exists():
        os.rename(old, path)


def _set_aside(path):
    return path.with_name(f".{path.name}.old")


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _apply_umask(path):
    # mkstemp makes private files; a finished one gets the mode any other new file has.
    path.chmod(0o666 & ~_umask())
