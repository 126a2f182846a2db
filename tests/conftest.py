"""What every test shares: the data it runs on and the folders that may be absent."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# Set before any notebook kernel starts, so that the committed outputs are the sample's.
os.environ["IMAGE_RETRIEVAL_DATA"] = "sample"


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
