"""Folders that hold a finished environment, or nothing that is taken for one."""

import os
import shutil
from contextlib import contextmanager

from tools.environment.editions import SetupError

try:
    import fcntl
except ImportError:  # Windows, where two set-ups at once are not kept apart.
    fcntl = None

STAMP = ".ready"

SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def interpreter(folder):
    """Return the path of the interpreter of the environment in `folder`."""
    return folder / SCRIPTS / ("python.exe" if os.name == "nt" else "python")


def is_ready(folder, stamp):
    """Tell whether `folder` was finished with `stamp` and its interpreter is still there."""
    try:
        finished = (folder / STAMP).read_text(encoding="utf-8") == stamp
    except OSError:
        return False
    return finished and os.access(str(interpreter(folder)), os.X_OK)


@contextmanager
def fresh_folder(folder, stamp):
    """Clear `folder` for the block that makes an environment there, and stamp it afterwards."""
    for leftover in folder.parent.glob(f"{folder.name}.old-*"):
        shutil.rmtree(str(leftover), ignore_errors=True)
    if folder.is_symlink() or (folder.is_dir() and any(folder.iterdir())):
        set_aside(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    yield
    unfinished = folder / f"{STAMP}.tmp"
    unfinished.write_text(stamp, encoding="utf-8")
    unfinished.replace(folder / STAMP)


def set_aside(folder):
    """Remove an environment; a folder that is something else is left alone."""
    if folder.is_symlink() or not (folder / "pyvenv.cfg").is_file():
        raise SetupError(
            f"{folder} is not a Python environment that this project made; "
            "move it away and try again"
        )
    # Renamed first: a removal that is cut short must not leave half an environment behind.
    old = folder.with_name(f"{folder.name}.old-{os.getpid()}")
    folder.replace(old)
    shutil.rmtree(str(old), ignore_errors=True)


@contextmanager
def locked(path):
    """Wait until no other process holds the lock file `path`, and hold it for the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        if fcntl:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another set-up is running here; waiting for it.", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
