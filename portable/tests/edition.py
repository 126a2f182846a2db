"""What the tests of the portable edition share."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

installed = importlib.util.find_spec("turicreate")
is_portable = installed is not None and str(ROOT / "portable") in str(installed.origin)

portable_only = pytest.mark.skipif(
    not is_portable, reason="runs in the environment of the portable edition"
)


def real_python():
    """Return the interpreter of the environment with the real edition, or skip the test."""
    python = ROOT / ".venv" / "bin" / "python"
    if not python.is_file():
        pytest.skip("no environment .venv with the real Turi Create")
    return str(python)


def run_real(script, *arguments):
    """Run Python code in this folder with the real Turi Create and return what it prints."""
    command = [real_python(), "-c", script, *map(str, arguments)]
    folder = ROOT / "portable" / "tests"
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout
