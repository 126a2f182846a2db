"""uv, in a small environment of its own."""

import os
import sys

from tools.environment.editions import SetupError
from tools.environment.folders import SCRIPTS, fresh_folder, interpreter, is_ready
from tools.environment.process import capture, last_line, run, tool_environment

UV_VERSION = "0.13.9"


def ensure_uv(root, environ, lock, python=None):
    """Return the path of uv, installed from the package registry into ``build/uv`` if needed."""
    folder = root / "build" / "uv"
    uv = folder / SCRIPTS / ("uv.exe" if os.name == "nt" else "uv")
    stamp = f"{UV_VERSION}\n{folder}\n"
    if not is_ready(folder, stamp):
        with fresh_folder(folder, stamp):
            make_plain_environment(folder, [sys.executable, python], environ)
            quiet = ("--quiet", "--disable-pip-version-check")
            pip = [interpreter(folder), "-m", "pip", "install", *quiet]
            run([*pip, f"uv=={UV_VERSION}"], environ, lock)
    return uv


def make_plain_environment(folder, pythons, environ):
    """Make an environment with pip in `folder` by the first of `pythons` that can."""
    said = []
    for python in filter(None, pythons):
        # Debian's python3 comes without what venv needs, hence more than one to try.
        command = [str(python), "-m", "venv", "--clear", str(folder)]
        done = capture(command, tool_environment(environ))
        if done.returncode == 0:
            return
        said.append(f"  {' '.join(command[:3])}: {last_line(done.stdout)}")
    raise SetupError(
        "No Python here can make a virtual environment for uv:\n"
        + "\n".join(said)
        + "\nInstall the venv module (on Debian and Ubuntu: apt-get install python3-venv)."
    )
