"""Where the server comes from, and the network in which it may run.

The server listens on every interface of the machine, with no password unless told otherwise.
Hence it only runs where the loopback device is the only one.
"""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
FOLDER = Path(__file__).resolve().parents[2] / "build" / "milvus-server"
# The machine as it is, but for a network and process numbers of its own (bubblewrap).
OFFLINE = ("bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "--unshare-net", "--unshare-pid")
OFFLINE += ("--die-with-parent", "--")


def walls():
    """Return `OFFLINE`, or nothing where this machine gives no process a network of its own."""
    can = shutil.which("bwrap") and not subprocess.call([*OFFLINE, "true"])
    return OFFLINE if can else ()


def server_python():
    """Return the interpreter that has the server's package, None where it is not installed."""
    done = FOLDER / "requirements.txt"
    same = done.is_file() and done.read_bytes() == REQUIREMENTS.read_bytes()
    return FOLDER / "bin" / "python" if same else None


def install():
    """Install the server's package into an environment of its own; tell whether it is there."""
    if server_python() is None:
        python = str(FOLDER / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(FOLDER)],
            [*pip, "--require-hashes", "-r", str(REQUIREMENTS)],
        ]
        if any(subprocess.call(command) for command in commands):
            return False
        (FOLDER / "requirements.txt").write_bytes(REQUIREMENTS.read_bytes())
    return True


def obstacle():
    """Return why no server can run in this process's network, or an empty text."""
    if server_python() is None:
        return "the package with the Milvus server is not installed here"
    devices = {name for _, name in socket.if_nameindex()} - {"lo"}
    return f"a Milvus server would listen on {', '.join(sorted(devices))}, too" if devices else ""
