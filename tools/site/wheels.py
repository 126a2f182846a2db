"""The wheels that a browser installs: the course's own, and what they need in pure Python."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.site.folders import HERE, ROOT

SAMPLE = ("image_train_data", "image_test_data")


def build_wheels(output):
    """Build and fetch the wheels into the folder `output`.

    Returns
    -------
    list of Path
        The wheels, by name.
    """
    with tempfile.TemporaryDirectory() as place:
        package, portable, sample = (
            Path(place, name) for name in ("package", "portable", "sample")
        )
        # In copies, because setuptools leaves its own traces beside what it builds.
        _copy(ROOT, package, ["image_retrieval", "pyproject.toml", "README.md"])
        _copy(ROOT / "portable", portable, ["turicreate", "pyproject.toml", "README.md"])
        _copy(ROOT, sample, [*SAMPLE, "ARTWORK.md"])
        shutil.copyfile(HERE / "sample.toml", sample / "pyproject.toml")
        for project in (package, portable, sample):
            _pip("wheel", "--no-deps", "--no-build-isolation", "-w", output, project)
    _pip("download", "--no-deps", "--require-hashes", "-d", output, "-r", HERE / "wheels.txt")
    return sorted(output.glob("*.whl"))


def _copy(source, target, names):
    target.mkdir()
    for name in names:
        if (source / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source / name, target / name, ignore=ignored)
        else:
            shutil.copyfile(source / name, target / name)


def _pip(*arguments):
    options = ["--quiet", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run([sys.executable, "-m", "pip", *options], check=True)
