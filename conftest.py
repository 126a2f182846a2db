"""What every test and every notebook under test shares: its data and its surroundings."""

import os
from pathlib import Path

import pytest

from tools.notebooks import SAMPLE_ENVIRONMENT, kernel_environment

ROOT = Path(__file__).resolve().parent
SHARED = ROOT.parent / "shared"

# Set before any notebook kernel starts, so that the committed outputs are the sample's.
os.environ.update(kernel_environment(), **SAMPLE_ENVIRONMENT)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real image archives, which the project may not contain."""
    return _folder_or_skip(SHARED / "data", "real image archives")


@pytest.fixture(scope="session")
def shared_reference():
    """The folder of reference figures, which show real images."""
    return _folder_or_skip(SHARED / "reference", "reference figures")


def _folder_or_skip(folder, what):
    if not folder.is_dir():
        pytest.skip(f"no {what} at ../shared/{folder.name}")
    return folder
