"""What each environment is made of."""

from typing import NamedTuple, Optional, Tuple


class Edition(NamedTuple):
    """What one environment is made of."""

    folder: str
    requirements: str
    variable: str  # the environment variable that may name the interpreter
    versions: Tuple[str, ...]  # the Python versions that will do, the preferred one first
    machine: Optional[str]  # the processor it is limited to
    because: str  # why only these versions and this processor
    proof: str  # what must run in a finished environment
    compile_for: Tuple[str, ...]  # the options of uv that name the platform to pin for


EDITIONS = {
    "turicreate": Edition(
        folder=".venv",
        requirements="requirements.txt",
        variable="PYTHON38",
        versions=("3.8",),
        machine="x86_64",
        because="Turi Create 6.4.1 has no wheel for a newer Python or another processor",
        proof="import turicreate",
        compile_for=("--python-version", "3.8", "--python-platform", "x86_64-unknown-linux-gnu"),
    ),
}


class SetupError(Exception):
    """The environment could not be set up; the message says why and what to do."""
