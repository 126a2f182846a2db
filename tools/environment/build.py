"""Making an environment, and the list of what goes into it."""

import hashlib
import os
import shlex
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tools.environment.editions import SetupError
from tools.environment.folders import fresh_folder, interpreter, is_ready, locked
from tools.environment.interpreters import find_python, what_is_wrong
from tools.environment.process import capture, first_line, last_line, run, tool_environment
from tools.environment.uv import ensure_uv


def ensure(root, edition, environ, found=None):
    """Make the environment of `edition` under `root` unless it is ready.

    Parameters
    ----------
    root : Path
        The folder of the project.
    edition : Edition
        What to make.
    environ : mapping
        The environment variables that choose interpreters and registries.
    found : tuple of str, optional
        What `find_python` returned, where it was asked already.

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
        python, where = found or find_python(root, edition, environ, lock)
        print(f"Setting up {edition.folder} on {where} ({python}).", end=" ")
        print(f"It takes about {edition.size}.")
        warn_of_lesser(python, edition, environ)
        sys.stdout.flush()
        uv = ensure_uv(root, environ, lock, python)
        with fresh_folder(folder, stamp):
            run([uv, "venv", "--quiet", "--python", python, folder], environ, lock)
            target = interpreter(folder)
            # Progress bars where a person watches, no list of 180 names where nobody does.
            quiet = [] if sys.stderr.isatty() else ["--quiet"]
            with plain_path(folder) as plain:
                install = [uv, "pip", "install", *quiet, "--python", interpreter(plain)]
                run([*install, "-r", root / edition.requirements], environ, lock)
            make_importable(root, target, edition.paths)
            prove(edition, target, environ)
        print(f"{edition.folder} is ready after {time.time() - started:.0f} s.")


@contextmanager
def plain_path(folder):
    """Yield a path of the environment in `folder` without `$`, to install its packages.

    uv asks the distutils of Pythons before 3.10 where packages go, which takes `$x` in a folder's
    name for a variable.
    """
    if "$" not in str(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        alias = Path(place, folder.name)
        alias.symlink_to(folder)
        yield alias
        for script in filter(Path.is_file, interpreter(folder).parent.iterdir()):
            name_interpreter(script, f"#!{interpreter(alias)}\n".encode(), interpreter(folder))


def name_interpreter(script, line, target):
    """Let a script whose first line is `line` be run by `target`, whatever its path holds."""
    content = script.read_bytes()
    if content.startswith(line):
        # The shell runs the second line; for Python, that and the third are a text.
        head = f"#!/bin/sh\n'''exec' {shlex.quote(str(target))} \"$0\" \"$@\"\n' '''\n"
        script.write_bytes(head.encode() + content[len(line) :])


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


def warn_of_lesser(python, edition, environ):
    """Say what is missing where only a version was found that lacks a part."""
    if what_is_wrong(python, edition, environ) is not None:
        print(f"On this Python it lacks {edition.lacking}.")


def make_importable(root, target, paths):
    """Let the environment's interpreter import from `paths` of the project, from any folder.

    The project's command is put beside it.
    """
    code = "import sysconfig as s; print(*map(s.get_path, ('scripts', 'purelib')), sep='\\n')"
    told = capture([str(target), "-I", "-c", code], os.environ).stdout
    scripts, packages = Path(first_line(told)), Path(last_line(told))
    lines = [os.path.relpath(str(root / path), str(packages)) for path in paths]
    text = "".join(f"{line}\n" for line in lines)
    (packages / "image_retrieval.pth").write_text(text, encoding="utf-8")
    write_command(scripts, target)


def write_command(scripts, target):
    """Write the script `image-retrieval`, which the interpreter `target` runs."""
    if os.name == "nt":
        text = f'@"{target}" -m image_retrieval %*\n'
        (scripts / "image-retrieval.cmd").write_text(text, encoding="utf-8")
        return
    script = scripts / "image-retrieval"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(target))} -m image_retrieval "$@"\n')
    script.chmod(0o755)


def prove(edition, target, environ):
    """Raise a `SetupError` if the finished environment cannot do what it is for."""
    done = capture([str(target), "-c", edition.proof], tool_environment(environ))
    if done.returncode:
        raise SetupError(
            f"Everything was installed, but `{edition.proof}` fails: {last_line(done.stdout)}. "
            "A missing .so file is a package of this system; the Dockerfile has one that works."
        )
