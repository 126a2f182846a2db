"""Set up the course's Python environment when it is missing or out of date.

    python3 -m tools.environment setup turicreate
    python3 -m tools.environment compile turicreate

Run by the machine's own ``python3``, whatever version that is, so it needs nothing but the
standard library of Python 3.6 or later. A finished environment holds a stamp, written last:
a folder without the right stamp is never taken for ready, and is made again from nothing.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

try:
    import fcntl
except ImportError:  # Windows, where two set-ups at once are not kept apart.
    fcntl = None

ROOT = Path(__file__).resolve().parent.parent
UV_VERSION = "0.13.9"
STAMP = ".ready"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"


class Edition(NamedTuple):
    """What one environment is made of."""

    folder: str
    requirements: str
    variable: str  # the environment variable that may name the interpreter
    versions: Tuple[str, ...]  # the Python versions that will do, the preferred one first
    machine: Optional[str]  # the processor it is limited to
    because: str  # why only these versions and this processor
    compile_for: Tuple[str, ...]  # the options of uv that name the platform to pin for


EDITIONS = {
    "turicreate": Edition(
        folder=".venv",
        requirements="requirements.txt",
        variable="PYTHON38",
        versions=("3.8",),
        machine="x86_64",
        because="Turi Create 6.4.1 has no wheel for a newer Python or another processor",
        compile_for=("--python-version", "3.8", "--python-platform", "x86_64-unknown-linux-gnu"),
    ),
}


class SetupError(Exception):
    """The environment could not be set up; the message says why and what to do."""


def main(arguments=None):
    """Run the command line, an action and an edition; return the exit code."""
    names = sys.argv[1:] if arguments is None else arguments
    actions = {"setup": ensure, "compile": compile_requirements}
    try:
        action, name = names
        if name not in EDITIONS:
            raise SetupError(f"no edition {name!r}; there is: {', '.join(EDITIONS)}")
        actions[action](ROOT, EDITIONS[name], os.environ)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe set-up was stopped; the next call starts it again.", file=sys.stderr)
        return 130
    return 0


def ensure(root, edition, environ):
    """Make the environment of `edition` under `root` unless it is ready.

    Parameters
    ----------
    root : Path
        The folder of the project.
    edition : Edition
        What to make.
    environ : mapping
        The environment variables that choose interpreters and registries.

    Raises
    ------
    SetupError
        No fitting interpreter was found, or an installation failed.
    """
    stamp = stamp_of(root, edition)
    folder = root / edition.folder
    if is_ready(folder, stamp):
        return
    with locked(root / "build" / "environment.lock") as lock:
        if is_ready(folder, stamp):
            return
        started = time.time()
        python, where = find_python(root, edition, environ, lock)
        print(f"Setting up {edition.folder} on {where} ({python}). It takes about 3 GB.")
        sys.stdout.flush()
        uv = ensure_uv(root, environ, lock, python)
        with fresh_folder(folder, stamp):
            run([uv, "venv", "--quiet", "--python", python, folder], environ, lock)
            target = interpreter(folder)
            install = [uv, "pip", "install", "--python", target]
            run([*install, "-r", root / edition.requirements], environ, lock)
            make_importable(root, target)
        print(f"{edition.folder} is ready after {time.time() - started:.0f} s.")


def compile_requirements(root, edition, environ):
    """Pin everything that the direct dependencies of `edition` need, in its requirements file.

    Versions that are pinned already stay as they are where the dependencies allow it.
    """
    target = root / edition.requirements
    with locked(root / "build" / "environment.lock") as lock:
        uv = ensure_uv(root, environ, lock)
        header = ("--quiet", "--custom-compile-command", "make requirements")
        command = [uv, "pip", "compile", *edition.compile_for, *header]
        run([*command, target.with_suffix(".in").name, "-o", target.name], environ, lock, root)


def stamp_of(root, edition):
    """Return what the stamp of an up-to-date environment says.

    Its scripts hold their folder's name, so an environment that was moved is out of date.
    """
    digest = hashlib.sha256((root / edition.requirements).read_bytes()).hexdigest()
    return f"{digest}\n{root / edition.folder}\n"


def is_ready(folder, stamp):
    """Tell whether `folder` was finished with `stamp` and its interpreter is still there."""
    try:
        finished = (folder / STAMP).read_text(encoding="utf-8") == stamp
    except OSError:
        return False
    return finished and os.access(str(interpreter(folder)), os.X_OK)


def interpreter(folder):
    """Return the path of the interpreter of the environment in `folder`."""
    return folder / SCRIPTS / ("python.exe" if os.name == "nt" else "python")


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


def run(command, environ, lock, folder=None):
    """Run `command` with its output shown; a failure is a `SetupError`.

    The child inherits the lock, so that it is held as long as anything still writes.
    """
    command = [str(part) for part in command]
    keep = {} if os.name == "nt" else {"pass_fds": (lock.fileno(),)}
    code = subprocess.call(command, env=tool_environment(environ), cwd=folder, **keep)
    if code:
        words = " ".join([Path(command[0]).name, *command[1:4]])
        raise SetupError(
            f"The set-up stopped: `{words} ...` ended with exit code {code}; its message is above. "
            "Nothing half-made is kept: once that is mended, the same command starts again."
        )


def tool_environment(environ):
    """Return `environ` so that uv asks the registry that pip is configured for."""
    result = {
        key: value
        for key, value in environ.items()
        if key not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX")
    }
    for pip_name, uv_name in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if result.get(pip_name):
            result.setdefault(uv_name, result[pip_name])
    return result


def ensure_uv(root, environ, lock, python=None):
    """Return the path of uv, installed from the package registry into ``build/uv`` if needed."""
    folder = root / "build" / "uv"
    uv = folder / SCRIPTS / ("uv.exe" if os.name == "nt" else "uv")
    stamp = f"{UV_VERSION}\n{folder}\n"
    if not is_ready(folder, stamp):
        with fresh_folder(folder, stamp):
            make_plain_environment(folder, [sys.executable, python], environ)
            pip = [interpreter(folder), "-m", "pip", "install", "--quiet"]
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


def find_python(root, edition, environ, lock):
    """Return the first interpreter that fits `edition`, and where it was found.

    Returns
    -------
    path : str
        The interpreter.
    where : str
        How it was found, in a few words.

    Raises
    ------
    SetupError
        None was found; the message lists what was tried and the ways forward.
    """
    tried = []
    for where, path in [*candidates(edition, environ)]:
        problem = what_is_wrong(path, edition, environ) if path else "none"
        if not problem:
            return path, where
        tried.append(f"  {where}: {problem if not path else f'{path} {problem}'}")
    if edition.machine in (None, platform.machine()):
        path, problem = install_python(root, edition, environ, lock)
        if not problem:
            return path, f"Python {edition.versions[0]} of uv"
        tried.append(f"  uv python install {edition.versions[0]}: {problem}")
    raise SetupError(no_python_message(edition, tried))


def candidates(edition, environ):
    """Yield (where, path) of every interpreter that may fit; the path is None for none there."""
    named = environ.get(edition.variable)
    yield f"${edition.variable}", named and (shutil.which(named, path=environ.get("PATH")) or named)
    for version in edition.versions:
        for where, paths in (
            (f"python{version} on the PATH", all_on_path(f"python{version}", environ)),
            (f"Python {version} of pyenv", of_pyenv(version, environ)),
        ):
            for path in paths or [None]:
                yield where, path


def all_on_path(name, environ):
    """Return every executable called `name` on the PATH, in order."""
    folders = environ.get("PATH", "").split(os.pathsep)
    found = (shutil.which(name, path=folder) for folder in dict.fromkeys(filter(None, folders)))
    return [path for path in found if path]


def of_pyenv(version, environ):
    """Return the interpreters of pyenv's installed versions ``version.*``, the newest first."""
    roots = [environ.get("PYENV_ROOT")]
    pyenv = shutil.which("pyenv", path=environ.get("PATH"))
    if pyenv:
        roots.append(last_line(capture([pyenv, "root"], environ).stdout))
    roots.append(environ.get("HOME") and str(Path(environ["HOME"], ".pyenv")))
    found = []
    for folder in (Path(root, "versions") for root in dict.fromkeys(filter(None, roots))):
        for path in folder.glob(f"{version}.*/bin/python"):
            patch = re.match(re.escape(version) + r"\.(\d+)$", path.parent.parent.name)
            found += [(int(patch.group(1)), str(path))] if patch else []
    return [path for _, path in sorted(found, key=lambda pair: -pair[0])]


def install_python(root, edition, environ, lock):
    """Let uv install the preferred version; return its path and what was wrong, if anything."""
    uv, version = ensure_uv(root, environ, lock), edition.versions[0]
    variables = tool_environment(environ)
    done = capture([str(uv), "python", "install", version], variables)
    if done.returncode:
        return None, last_line(done.stdout)
    found = capture([str(uv), "python", "find", "--managed-python", version], variables)
    path = last_line(found.stdout)
    return path, what_is_wrong(path, edition, environ)


_PROBE = """
import platform, struct, sys
print("%d.%d" % sys.version_info[:2], platform.machine(), struct.calcsize("P") * 8)
import ctypes, sqlite3, ssl, zlib
"""


def what_is_wrong(path, edition, environ):
    """Return why the interpreter at `path` does not fit `edition`, or None when it does."""
    done = capture([str(path), "-I", "-c", _PROBE], environ)
    answer = re.match(r"(\d+\.\d+) (\S+) (\d+)$", first_line(done.stdout))
    if not answer:
        return f"does not start ({first_line(done.stdout) or f'exit code {done.returncode}'})"
    version, machine, bits = answer.groups()
    if version not in edition.versions:
        return f"is Python {version}, not {' or '.join(edition.versions)}"
    if edition.machine and (machine.lower().replace("amd64", "x86_64") != edition.machine):
        return f"is a build for {machine}, not {edition.machine}"
    if bits != "64":
        return f"is a {bits}-bit build, not 64-bit"
    if done.returncode:
        return f"lacks a part of the standard library ({last_line(done.stdout)})"
    return None


def no_python_message(edition, tried):
    """Return the message for a machine on which no interpreter fits."""
    version = edition.versions[0]
    processor = f" for {edition.machine}" if edition.machine else ""
    return "\n".join(
        [
            f"No Python {version}{processor} was found: {edition.because}.",
            f"This machine is {platform.system()} on {platform.machine()}. Tried:",
            *tried,
            "Ways forward:",
            f"  uv:     pip install uv, then uv python install {version}",
            f"  pyenv:  pyenv install {version}",
            f"  other:  any Python {version}: make run {edition.variable}=/path/to/python{version}",
            "  Docker: docker build -t image-retrieval . && "
            "docker run --rm -p 8888:8888 image-retrieval",
        ]
    )


def make_importable(root, target):
    """Let the environment's interpreter import the project from any folder."""
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = Path(last_line(capture([str(target), "-I", "-c", code], os.environ).stdout))
    line = os.path.relpath(str(root), str(packages))
    (packages / "image_retrieval.pth").write_text(line + "\n", encoding="utf-8")


def capture(command, environ):
    """Run `command` and return it with its output, errors included; never raises OSError."""
    try:
        return subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, str(error))


def first_line(text):
    """Return the first line of `text` that is not blank, or an empty text."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def last_line(text):
    """Return the last line of `text` that is not blank, or an empty text."""
    return first_line("\n".join(reversed(text.splitlines())))


if __name__ == "__main__":
    sys.exit(main())
