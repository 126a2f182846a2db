"""A disk that is full: one line, exit code 2, and nothing left behind."""

import sys

import nbformat
from fault_tools import on_small_disk, one_line


def test_pages_of_notebooks_on_a_full_disk(tmp_path):
    cell = nbformat.v4.new_code_cell("1 + 1")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), str(tmp_path / "01_small.ipynb"))
    pages = tmp_path / "pages"
    pages.mkdir()
    command = ["-m", "tools.notebooks", "run", "--folder", tmp_path, "--pages", pages]
    then = f'"$@"; code=$?; ls -A "{pages}" >&2; exit $code'
    done = on_small_disk(
        "64k",
        pages,
        "sh",
        "-c",
        then,
        "sh",
        sys.executable,
        *command,
        IMAGE_RETRIEVAL_DATA="sample",
    )
    one_line(done, "No space left on device")
