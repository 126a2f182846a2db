"""The wheels that a browser installs: the course's own, and what they need in pure Python."""

import os
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
        _copy(ROOT, sample, ["ARTWORK.md"])
        for name in SAMPLE:
            store_plain(ROOT / name, sample / name)
        shutil.copyfile(HERE / "sample.toml", sample / "pyproject.toml")
        for project in (package, portable, sample):
            _pip("wheel", "--no-deps", "--no-build-isolation", "-w", output, project)
    _pip("download", "--no-deps", "--require-hashes", "-d", output, "-r", HERE / "wheels.txt")
    return sorted(output.glob("*.whl"))


def store_plain(source, target):
    """Write the SFrame of the folder `source` into the new folder `target`, without LZ4 blocks.

    A browser has only Python to unpack them with, which takes a minute; the wheel is compressed
    anyway. Files beside the SFrame are copied.
    """
    shutil.copytree(source, target)
    # The portable edition writes no LZ4 where the package of that name is hidden.
    code = "import sys; sys.modules['lz4'] = None; import turicreate; "
    code += "turicreate.SFrame(sys.argv[1]).save(sys.argv[2])"
    path = {**os.environ, "PYTHONPATH": str(ROOT / "portable")}
    subprocess.run([sys.executable, "-c", code, source, target], check=True, env=path)


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
    done = subprocess.run([sys.executable, "-m", "pip", *options], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
