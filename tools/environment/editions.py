"""What each environment is made of."""

import os
from typing import NamedTuple, Optional, Tuple

# Versions of Python that hnswlib has packages for, the newest first, and versions it has not.
EVERYTHING = ("3.11", "3.10", "3.9") if os.name == "nt" else ("3.12", "3.11", "3.10", "3.9")
NO_HNSWLIB = ("3.14", "3.13", "3.12") if os.name == "nt" else ("3.14", "3.13")


class Edition(NamedTuple):
    """What one environment is made of."""

    title: str  # what people call it
    folder: str
    requirements: str
    variable: str  # the environment variable that may name the interpreter
    versions: Tuple[str, ...]  # the Python versions that run everything, the preferred one first
    lesser: Tuple[str, ...]  # versions for want of those, on which a part is missing
    lacking: str  # that part
    systems: Optional[Tuple[str, ...]]  # the systems it is limited to
    machine: Optional[str]  # the processor it is limited to
    because: str  # why only these versions, systems and this processor
    paths: Tuple[str, ...]  # the folders of the project to import from
    proof: str  # what must run in a finished environment
    compile_for: Tuple[str, ...]  # the options of uv that name the platform to pin for
    size: str  # what it takes on the disk


# The first one is taken where it can be had.
EDITIONS = {
    "turicreate": Edition(
        title="Turi Create",
        folder=".venv",
        requirements="requirements.txt",
        variable="PYTHON38",
        versions=("3.8",),
        lesser=(),
        lacking="",
        systems=("Linux", "Darwin"),
        machine="x86_64",
        because="Turi Create 6.4.1 has no wheel for a newer Python or another processor",
        paths=("",),
        proof="import turicreate",
        compile_for=("--python-version", "3.8", "--python-platform", "x86_64-unknown-linux-gnu"),
        size="3 GB",
    ),
    "portable": Edition(
        title="the portable edition",
        folder=".venv-portable",
        requirements="requirements-portable.txt",
        variable="PORTABLE_PYTHON",
        versions=EVERYTHING,
        lesser=NO_HNSWLIB,
        lacking="the approximate search of notebook 07: hnswlib has no wheel for it",
        systems=None,
        machine=None,
        because="older ones are not supported by the packages that the course needs",
        paths=("", "portable"),
        proof="import turicreate; assert turicreate.__version__.endswith('portable')",
        compile_for=("--universal", "--python-version", "3.9"),
        size="1 GB",
    ),
}


class SetupError(Exception):
    """The environment could not be set up; the message says why and what to do."""
