"""A disk that is full: one line, exit code 2, and nothing left behind."""

import sys

import nbformat
import pytest
from fault_tools import on_small_disk, one_line, small_cifar10

# Runs a command, then says what it left on the disk.
THEN_LIST = 'folder=$1; shift; "$@"; code=$?; ls -A "$folder"; exit $code'


def left_on(size, folder, *command, **variables):
    """Run Python on a disk of that size; return what it printed, and what it left there."""
    folder.mkdir()
    listed = ["sh", "-c", THEN_LIST, "sh", folder, sys.executable]
    done = on_small_disk(size, folder, *listed, *command, **variables)
    return done, [name for name in done.stdout.split() if not name.endswith(".lock")]


def test_a_build_on_a_full_disk(tmp_path):
    archive = small_cifar10(tmp_path / "a.tar", 500)
    options = ["--archive", archive, "--train", 900, "--test", 100, "--backbone", "pixels"]
    output = tmp_path / "disk"
    command = ["-m", "image_retrieval", "cifar10", *options, "--output", output / "out"]
    done, left = left_on("8m", output, *command)
    one_line(done)
    assert left == []


SAVE = """
import sys
from image_retrieval import index
from image_retrieval.errors import InputError
import numpy as np
options = {"progress": False} if sys.argv[2] == "milvus" else {}
X = np.random.default_rng(0).normal(size=(300, 500))
engine = index.build(X, engine=sys.argv[2], **options)
try:
    engine.save(sys.argv[1])
except (InputError, OSError) as error:
    print(error, file=sys.stderr)
    sys.exit(2)
"""


@pytest.mark.parametrize("engine", ["exact", "milvus"])
def test_an_index_on_a_full_disk(tmp_path, engine):
    if engine == "milvus":
        pytest.importorskip("milvus_lite")
    output = tmp_path / "disk"
    done, left = left_on("256k", output, "-c", SAVE, output / "index", engine)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert left == []


@pytest.mark.long
def test_pages_of_notebooks_on_a_full_disk(tmp_path):
    cell = nbformat.v4.new_code_cell("1 + 1")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), str(tmp_path / "01_small.ipynb"))
    pages = tmp_path / "pages"
    command = ["-m", "tools.notebooks", "run", "--folder", tmp_path, "--pages", pages]
    done, left = left_on("64k", pages, *command, IMAGE_RETRIEVAL_DATA="sample")
    one_line(done, "No space left on device")
    assert not [name for name in left if name.endswith((".html", ".tmp"))]
