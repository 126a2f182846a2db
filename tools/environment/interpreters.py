"""Finding an interpreter that fits an edition."""

import os
import platform
import re
import shutil
from contextlib import suppress
from pathlib import Path

from tools.environment.editions import SetupError
from tools.environment.process import capture, first_line, last_line, tool_environment
from tools.environment.uv import ensure_uv

# What an interpreter is called that does not name its version.
PLAIN = "python" if os.name == "nt" else "python3"


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
    for versions in (edition.versions, edition.lesser):
        for where, path in [*candidates(edition, environ, versions)]:
            # Who names an interpreter wants that one, though a part of the course may be missing.
            named = where == f"${edition.variable}"
            fitting = (*edition.versions, *edition.lesser) if named else versions
            problem = what_is_wrong(path, edition, environ, fitting) if path else ""
            if path and not problem:
                return path, where
            tried.append(f"  {where}: {path} {problem}" if path else f"  {where}: not there")
        if versions == edition.versions and can_run_here(edition):
            path, problem = install_python(root, edition, environ, lock)
            if not problem:
                return path, f"Python {edition.versions[0]} of uv"
            tried.append(f"  uv python install {edition.versions[0]}: {problem}")
    raise SetupError(no_python_message(edition, dict.fromkeys(tried)))


def can_run_here(edition):
    """Tell whether `edition` is made for this system and processor."""
    system = edition.systems is None or platform.system() in edition.systems
    return system and edition.machine in (None, platform.machine())


def candidates(edition, environ, versions=None):
    """Yield (where, path) of every interpreter that may fit; the path is None for none there."""
    versions = edition.versions if versions is None else versions
    named = environ.get(edition.variable)
    if versions:
        path = named and (shutil.which(named, path=environ.get("PATH")) or named)
        yield f"${edition.variable}", path
    for version in versions:
        for where, paths in (
            (f"python{version} on the PATH", all_on_path(f"python{version}", environ)),
            (f"Python {version} of pyenv", of_pyenv(version, environ)),
        ):
            for path in paths or [None]:
                yield where, path
    if versions:
        for path in all_on_path(PLAIN, environ) or [None]:
            yield f"{PLAIN} on the PATH", path


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
        # It may be another user's.
        with suppress(OSError):
            found += patches_in(folder, version)
    return [path for _, path in sorted(found, key=lambda pair: -pair[0])]


def patches_in(folder, version):
    """Return (patch, path) of each interpreter of `version` in pyenv's folder of versions."""
    found = []
    for path in folder.glob(f"{version}.*/bin/python"):
        patch = re.match(re.escape(version) + r"\.(\d+)$", path.parent.parent.name)
        found += [(int(patch.group(1)), str(path))] if patch else []
    return found


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


def what_is_wrong(path, edition, environ, versions=None):
    """Return why the interpreter at `path` does not fit `edition`, or None when it does."""
    versions = edition.versions if versions is None else versions
    done = capture([str(path), "-I", "-c", _PROBE], environ)
    answer = re.match(r"(\d+\.\d+) (\S+) (\d+)$", first_line(done.stdout))
    if not answer:
        return f"does not start ({first_line(done.stdout) or f'exit code {done.returncode}'})"
    version, machine, bits = answer.groups()
    if version not in versions:
        return f"is Python {version}, not {' or '.join(versions)}"
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
    wanted = " or ".join([*edition.versions, *edition.lesser])
    processor = f" for {edition.machine}" if edition.machine else ""
    return "\n".join(
        [
            f"No Python {wanted}{processor} was found: {edition.because}.",
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
