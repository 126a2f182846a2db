"""Choosing the edition that fits this machine."""

import platform
from typing import NamedTuple, Optional, Tuple

from tools.environment.build import stamp_of
from tools.environment.editions import EDITIONS, SetupError
from tools.environment.folders import is_ready, locked
from tools.environment.interpreters import can_run_here, find_python

PREFERRED, OTHER = EDITIONS


class Choice(NamedTuple):
    """An edition, and why it was taken."""

    name: str
    why: str
    found: Optional[Tuple[str, str]] = None  # its interpreter, where one was looked for

    def __str__(self):
        """Return the line that tells it."""
        return f"Edition: {EDITIONS[self.name].title}. {self.why}"


def choose(root, name, environ):
    """Choose between the editions.

    Parameters
    ----------
    root : Path
        The folder of the project.
    name : str or None
        The edition that was asked for; None takes the first that this machine can have.
    environ : mapping
        The environment variables that choose interpreters and registries.

    Returns
    -------
    Choice
        An environment that is ready answers at once; else interpreters are looked for.

    Raises
    ------
    SetupError
        There is no edition of that name.
    """
    if name is not None and name not in EDITIONS:
        raise SetupError(f"no edition {name!r}; there is: {', '.join(EDITIONS)}")
    if name is not None:
        return Choice(name, f"EDITION={name} was asked for.")
    return ready_choice(root) or new_choice(root, environ)


def ready_choice(root):
    """Return the automatic choice if its environment is ready, else None."""
    edition = EDITIONS[PREFERRED]
    if is_ready(root / edition.folder, stamp_of(root, edition)):
        return Choice(PREFERRED, f"It is set up in {edition.folder}; {hint(OTHER)}")
    # An environment that only EDITION=... asked for is no automatic choice.
    edition = EDITIONS[OTHER]
    if reason_file(root).is_file() and is_ready(root / edition.folder, stamp_of(root, edition)):
        return Choice(OTHER, reason_file(root).read_text(encoding="utf-8"))
    return None


def new_choice(root, environ):
    """Look whether this machine can have the preferred edition, and keep why it cannot."""
    edition, found = EDITIONS[PREFERRED], None
    if can_run_here(edition):
        try:
            with locked(root / "build" / "environment.lock") as lock:
                found = find_python(root, edition, environ, lock)
        except SetupError as error:
            why = str(error).splitlines()[0]
    else:
        why = f"{edition.because}, and this is {platform.system()} on {platform.machine()}."
    if found:
        return Choice(PREFERRED, f"There is a Python {edition.versions[0]}; {hint(OTHER)}", found)
    why = f"{why} {hint(PREFERRED)}"
    reason_file(root).parent.mkdir(parents=True, exist_ok=True)
    reason_file(root).write_text(why, encoding="utf-8")
    return Choice(OTHER, why)


def reason_file(root):
    """Return the file that says why the automatic choice was not the preferred edition."""
    return root / "build" / "edition.txt"


def hint(name):
    """Return how to decide for the edition `name`."""
    return f"EDITION={name} decides otherwise."
