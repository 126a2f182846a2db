"""What each environment is made of."""

import os
from pathlib import Path
from typing import NamedTuple, Tuple

from tools.environment.uv import program

# Versions of Python that hnswlib has packages for, the newest first, and versions it has not.
EVERYTHING = ("3.11", "3.10", "3.9") if os.name == "nt" else ("3.12", "3.11", "3.10", "3.9")
NO_HNSWLIB = ("3.14", "3.13", "3.12") if os.name == "nt" else ("3.14", "3.13")


class Edition(NamedTuple):
    """An environment in ``.venv{suffix}``, made of the pins in ``requirements{suffix}.txt``."""

    title: str  # what people call it
    suffix: str
    variable: str  # the environment variable that may name the interpreter
    versions: Tuple[str, ...]  # the Python versions that run everything, the preferred one first
    lesser: Tuple[str, ...]  # those taken for want of them, on which a part is missing
    proof: str = "import turicreate, image_retrieval"  # what must run in a finished environment

    folder = property(lambda self: Path(f".venv{self.suffix}"))
    python = property(lambda self: program(self.folder))
    pins = property(lambda self: Path(f"requirements{self.suffix}.txt"))
    all_pins = property(lambda self: Path(f"requirements{self.suffix}-all.txt"))


TURICREATE = Edition("Turi Create", "", "PYTHON38", ("3.8",), ())
PORTABLE = Edition("the portable edition", "-portable", "PORTABLE_PYTHON", EVERYTHING, NO_HNSWLIB)
EDITIONS = {"turicreate": TURICREATE, "portable": PORTABLE}


def environment(name):
    """Return the edition of that name, or a tool that has requirements-NAME.txt, and why."""
    tool = PORTABLE._replace(title=name, suffix=f"-{name}", proof="")
    if name not in EDITIONS and not tool.pins.is_file():
        raise SystemExit(f"no edition {name!r}; there is: {', '.join(EDITIONS)}")
    return EDITIONS.get(name, tool), f"EDITION={name} was asked for."
