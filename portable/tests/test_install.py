"""`pip install ./portable` gives a package that runs by itself, and not beside the real one."""

import shutil
import subprocess
import sys
import zipfile

import pytest
from edition import ROOT, portable_only

pytestmark = portable_only


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the built wheel; nothing is asked from a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # Built from a copy, so that no build folder is left beside the package.
    shutil.copytree(
        ROOT / "portable", source, ignore=shutil.ignore_patterns("tests", "__pycache__", "build")
    )
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-q"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(source)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return next(folder.glob("*.whl"))


def run(folder, code):
    """Run code that finds the installed package before the one of this repository."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); {code}"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


def test_the_installed_package_runs_without_the_repository(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    frame = "turicreate.SFrame({'a': [1, 2], 'v': [[1.0, 2.0], [3.0, 4.0]]})"
    query = f"model = turicreate.nearest_neighbors.create({frame}, verbose=False)"
    code = f"import turicreate; {query}; print(turicreate.__file__, model.num_examples)"
    result = run(tmp_path, code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(tmp_path / "turicreate" / "__init__.py"), "2"]


def test_the_wheel_says_which_pythons_it_is_for(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        said = archive.read(name).decode()
    assert "Requires-Python: >=3.9" in said
    assert "Name: turicreate-portable" in said


def test_installed_beside_the_real_one_it_refuses_by_name(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    info = tmp_path / "turicreate-6.4.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: turicreate\nVersion: 6.4.1\n")
    result = run(tmp_path, "import turicreate")
    assert result.returncode == 1
    assert "turicreate 6.4.1 and its portable edition are both installed" in result.stderr
