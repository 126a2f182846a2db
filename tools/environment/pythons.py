"""Finding an interpreter that fits an edition."""

import json
import os
import re
import shutil
from pathlib import Path

from tools.environment.uv import ask, ensure_uv

_PROBE = """
import sys
assert sys.version_info[:2] in {versions}, "it is Python %d.%d" % sys.version_info[:2]
assert sys.maxsize > 2**32, "it is a 32-bit build"
import ctypes, sqlite3, ssl, zlib
"""
_NONE = """No Python {edition.versions[0]} that fits was found. Tried:
{tried}
Ways forward:
  pyenv:  pyenv install {edition.versions[0]}
  other:  make run {edition.variable}=/path/to/python{edition.versions[0]}
  Docker: docker build -t image-retrieval . (the Dockerfile says how to start it)"""


def find_python(edition):
    """Return the path of the first interpreter that fits `edition`; else say what was tried."""
    tried = []
    for path, versions in _candidates(edition):
        wanted = [tuple(map(int, version.split("."))) for version in versions]
        if not (problem := ask(path, "-I", "-c", _PROBE.format(versions=wanted))[1]):
            return path
        tried.append(f"  {path}: {problem}")
    raise SystemExit(_NONE.format(tried="\n".join(tried), edition=edition))


def _candidates(edition):
    # Pairs of a path and the versions that it may have, the preferred ones first.
    if named := os.environ.get(edition.variable):
        # Who names an interpreter wants that one, though a part of the course may be missing.
        yield shutil.which(named) or named, (*edition.versions, *edition.lesser)
    yield from ((path, edition.versions) for path in _found(edition.versions))
    problem = ask(ensure_uv(), "python", "install", edition.versions[0])[1]
    installed = [f"uv python install ({problem})"] if problem else _found(edition.versions[:1])
    yield from ((path, edition.versions) for path in installed)
    yield from ((path, edition.lesser) for path in _found(edition.lesser))


def _found(versions):
    # uv finds pyenv's versions by their shims only, which need not start them.
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    pyenv = [str(path) for path in root.glob("3.*/bin")] if os.access(str(root), os.R_OK) else []
    pyenv.sort(key=lambda path: [*map(int, re.findall(r"\d+", path))], reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", ""), *pyenv])
    for version in versions:
        command = ("python", "list", "--only-installed", "--output-format", "json", version)
        listed = json.loads(ask(ensure_uv(), *command, PATH=path)[0] or "[]")
        yield from {os.path.realpath(each["path"]): each["path"] for each in listed}.values()
