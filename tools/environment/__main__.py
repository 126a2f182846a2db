"""Set up an environment, name its interpreter, or run the project's uv.

usage: python3 -m tools.environment {setup [NAME] [+EXTRA ...], python [NAME], uv ARGUMENT ...}
NAME is an edition, or a tool that has its requirements-NAME.txt; EXTRA is one of pyproject.toml.
"""

import platform
import sys
import tempfile
from pathlib import Path

from tools.environment.editions import EDITIONS, PORTABLE, TURICREATE, environment
from tools.environment.pythons import find_python
from tools.environment.uv import ask, ensure_uv, program, run

REASON = Path("build", "edition.txt")  # why the automatic choice was the portable edition


def choose(look=True):
    """Return the edition that fits this machine, and why; what is set up counts first."""
    if TURICREATE.python.exists():
        return (
            TURICREATE,
            f"It is set up in {TURICREATE.folder}; EDITION=portable decides otherwise.",
        )
    # An environment that only EDITION=... asked for is no automatic choice.
    if REASON.is_file() and PORTABLE.python.exists():
        return PORTABLE, REASON.read_text(encoding="utf-8")
    if not (why := look and _why_not_turicreate()):
        return TURICREATE, "There is a Python 3.8; EDITION=portable decides otherwise."
    why = f"{why} EDITION=turicreate decides otherwise."
    REASON.parent.mkdir(exist_ok=True)
    REASON.write_text(why, encoding="utf-8")
    return PORTABLE, why


def _why_not_turicreate():
    why = "Turi Create 6.4.1 has no wheel for a newer Python or another processor"
    system, machine = platform.system(), platform.machine()
    if system not in ("Linux", "Darwin") or machine != "x86_64":
        return f"{why}, and this is {system} on {machine}."
    try:
        return find_python(TURICREATE) and ""
    except SystemExit:
        return f"No Python 3.8 was found: {why}."


def set_up(edition, extras):
    """Make the environment unless it is there, and add what it and `extras` lack."""
    folder, works = edition.folder, edition.folder / ".works"
    if not edition.python.exists():
        python = find_python(edition)
        print(f"Setting up {folder} with {python}.", flush=True)
        # uv leaves a folder alone that is something else, and says so.
        clear = ["--clear"] if (folder / "pyvenv.cfg").is_file() else []
        # Its scripts look for the interpreter beside them, whatever their folder's name holds.
        run(ensure_uv(), "venv", "-q", *clear, "--relocatable", "--python", python, folder)
    # What is there already costs uv a moment, and what was cut short is completed.
    with tempfile.TemporaryDirectory() as place:
        if "$" in str(Path.cwd()):
            # The distutils of Python 3.8 takes it for a variable.
            Path(place, "alias").symlink_to(folder.resolve())
            folder = Path(place, "alias")
        # Progress bars where a person watches, no list of 180 names where nobody does.
        quiet = [] if sys.stderr.isatty() else ["--quiet"]
        install = ("pip", "install", *quiet, "--python", program(folder), "-r", edition.pins)
        # As text, because uv would build again what its command line names.
        more = ("-r", "-", "-c", edition.all_pins) if extras else ()
        run(ensure_uv(), *install, *more, text=f"-e .[{','.join(extras)}]\n")
    if not works.is_file() and (problem := ask(edition.python, "-c", edition.proof)[1]):
        more = "A missing .so file is a package of this system; the Dockerfile has one that works."
        raise SystemExit(f"All is installed, but `{edition.proof}` fails: {problem}. {more}")
    works.touch()


def main(action="setup", *words):
    """Run the command line."""
    if action == "uv":
        return run(ensure_uv(), *words)
    name = next((word for word in words if not word.startswith("+")), None)
    edition, why = choose(look=action != "python") if name is None else environment(name)
    if action == "python":
        return print(edition.python.as_posix())
    if edition in EDITIONS.values():
        print(f"Edition: {edition.title}. {why}", flush=True)
    return set_up(edition, [word[1:] for word in words if word.startswith("+")])


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (OSError, KeyboardInterrupt) as error:
        sys.exit(f"The set-up stopped ({error!r}). Once that is mended, the next call goes on.")
