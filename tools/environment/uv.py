"""Running uv, from a small environment of its own, and other programs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "0.13.9"
SCRIPTS, SUFFIX = ("Scripts", ".exe") if os.name == "nt" else ("bin", "")


def interpreter(folder):
    """Return the path of the interpreter of the environment in `folder`."""
    return folder / SCRIPTS / f"python{SUFFIX}"


def run(*command):
    """Run a command with its output shown; its failure ends the set-up."""
    code = subprocess.call([*map(str, command)], env=_surroundings())
    if code:
        words = " ".join([Path(command[0]).name, *map(str, command[1:4])])
        raise SystemExit(
            f"The set-up stopped: `{words} ...` ended with exit code {code}; its message is above. "
            "Once that is mended, the same command starts again."
        )


def ask(*command, **variables):
    """Run a command; return its output, and the last line of its errors if it failed."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    options = {"env": {**_surroundings(), **variables}, "universal_newlines": True, **pipes}
    try:
        done = subprocess.run([*map(str, command)], **options)
    except OSError as error:
        return "", str(error)
    said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").split(
        "\n"
    )
    return done.stdout, said[-1].strip() if done.returncode else ""


def ensure_uv():
    """Return the path of uv, installed from the package registry into ``build/uv`` if needed."""
    folder = Path("build", "uv")
    uv = folder / SCRIPTS / f"uv{SUFFIX}"
    if ask(uv, "--version")[0].split()[1:2] == [VERSION]:
        return uv
    # Debian's python3 comes without what venv needs, hence more than one to try.
    names = [sys.executable, *(f"python3.{minor}" for minor in range(14, 7, -1))]
    for python in filter(None, map(shutil.which, names)):
        problem = ask(python, "-m", "venv", "--clear", folder)[1]
        if not problem:
            run(interpreter(folder), "-m", "pip", "--quiet", "install", f"uv=={VERSION}")
            return uv
    raise SystemExit(
        f"No Python here can make a virtual environment for uv ({problem}). "
        "Install the venv module (on Debian and Ubuntu: apt-get install python3-venv)."
    )


def _surroundings():
    # What the shell says of another Python, such as where it finds its modules, is left out.
    other = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
    result = {name: value for name, value in os.environ.items() if name not in other}
    # uv trusts what the system does, and asks pip's registry.
    pip = {"INDEX_URL": "UV_DEFAULT_INDEX", "EXTRA_INDEX_URL": "UV_INDEX", "CERT": "SSL_CERT_FILE"}
    told = {uv: result[f"PIP_{name}"] for name, uv in pip.items() if result.get(f"PIP_{name}")}
    return {"UV_SYSTEM_CERTS": "true", **told, **result}
