"""Running uv, from a small environment of its own, and other programs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "0.13.9"


def program(folder, name="python"):
    """Return the path of a program of the environment in `folder`."""
    return folder / "Scripts" / f"{name}.exe" if os.name == "nt" else folder / "bin" / name


def run(*command, text=None):
    """Run a command, on `text` if given, with its output shown; its failure ends the set-up."""
    if subprocess.run(command, env=_surroundings(), input=text and text.encode()).returncode:
        words = " ".join(map(str, command[:4]))
        raise SystemExit(f"The set-up stopped: `{words} ...` failed; its message is above.")


def ask(*command, **variables):
    """Run a command; return its output, and the last line of its errors if it failed."""
    options = {"env": {**_surroundings(), **variables}, "stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(command, capture_output=True, text=True, **options)
    except OSError as error:
        return "", str(error)
    said = [f"exit code {done.returncode}", *(done.stderr or done.stdout).split("\n")]
    return done.stdout, [*filter(None, map(str.strip, said))][-1] if done.returncode else ""


def ensure_uv():
    """Return the path of uv, installed from the package registry into ``build/uv`` if needed."""
    folder = Path("build", "uv")
    uv = program(folder, "uv")
    if f" {VERSION}" in ask(uv, "--version")[0]:
        return uv
    print(f"Fetching uv {VERSION}, which installs everything else.", file=sys.stderr)
    # Debian's python3 comes without what venv needs, hence more than one to try.
    for name in (*(f"python3.{minor}" for minor in range(14, 7, -1)), sys.executable):
        if not (problem := ask(shutil.which(name) or name, "-m", "venv", "--clear", folder)[1]):
            run(program(folder), "-m", "pip", "--quiet", "install", f"uv=={VERSION}")
            return uv
    raise SystemExit(
        f"No Python here can make a virtual environment for uv ({problem}). "
        "Install the venv module (on Debian and Ubuntu: apt-get install python3-venv)."
    )


def _surroundings():
    other = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
    result = {name: value for name, value in os.environ.items() if name not in other}
    # uv trusts what the system does, asks pip's registry, and hears nothing of another Python.
    pip = {"INDEX_URL": "UV_DEFAULT_INDEX", "EXTRA_INDEX_URL": "UV_INDEX", "CERT": "SSL_CERT_FILE"}
    told = {uv: result[f"PIP_{name}"] for name, uv in pip.items() if result.get(f"PIP_{name}")}
    return {"UV_SYSTEM_CERTS": "true", **told, **result}
