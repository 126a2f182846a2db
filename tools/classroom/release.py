"""Making what is handed out: the students' versions, and for instructors the solutions."""

import os
import shutil
import tempfile
from pathlib import Path

import nbformat

from image_retrieval.datasets import locate
from image_retrieval.files import atomic_file
from tools.classroom.course import RELEASES, ROOT, SOURCES, assignment_names, create_course
from tools.notebooks import NotebookError, execute
from tools.notebooks.page import to_html

SOLUTIONS = ROOT / "build" / "assignments"


def add_arguments(parser):
    """Declare the options of the command."""
    parser.add_argument("--sources", type=Path, default=SOURCES, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=RELEASES, metavar="FOLDER")
    parser.add_argument("--solutions", type=Path, default=SOLUTIONS, metavar="FOLDER")


def run(args):
    """Make both; return 1 if a solution fails."""
    print(locate().description, flush=True)
    release(args.output, args.sources)
    names = assignment_names(args.sources)
    failed = [name for name in names if not _solve(name, args.sources, args.solutions)]
    print(f"{len(names)} assignments for students are in {os.path.relpath(args.output)}.")
    solutions = os.path.relpath(args.solutions)
    print(f"Their solutions, with all outputs and hidden tests, are in {solutions}.")
    return 1 if failed else 0


def release(output=RELEASES, sources=SOURCES):
    """Write the students' version of each assignment, `NAME/NAME.ipynb`, and its other files.

    The same sources give the same bytes.

    Parameters
    ----------
    output, sources : str or Path

    Raises
    ------
    InputError
        When nbgrader finds a mistake in a source.
    """
    with tempfile.TemporaryDirectory() as folder:
        create_course(folder, sources)
        made = Path(folder) / "release"
        for file in sorted(path for path in made.rglob("*") if path.is_file()):
            with atomic_file(Path(output) / file.relative_to(made)) as temporary:
                shutil.copyfile(str(file), str(temporary))


def solution(name, sources=SOURCES):
    """Run an assignment's source from top to bottom, in a folder of its own.

    Parameters
    ----------
    name : str
        Of the assignment.
    sources : str or Path

    Returns
    -------
    notebook : nbformat.NotebookNode
        With its outputs, up to the failing cell if one failed.
    problem : str
        What failed; empty if nothing did.
    """
    source = Path(sources) / name
    notebook = nbformat.read(str(source / f"{name}.ipynb"), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        work = shutil.copytree(str(source), str(Path(folder) / name))
        try:
            execute(notebook, work)
        except NotebookError as error:
            return notebook, str(error)
    return notebook, ""


def _solve(name, sources, output):
    notebook, problem = solution(name, sources)
    points = sum(cell.metadata.get("nbgrader", {}).get("points") or 0 for cell in notebook.cells)
    print(f"{name:<26} {points:3} points  {problem and f'FAILED at {problem}' or 'ok'}", flush=True)
    with atomic_file(output / name / f"{name}.ipynb") as temporary:
        nbformat.write(notebook, str(temporary))
    with atomic_file(output / name / f"{name}.html") as temporary:
        temporary.write_text(to_html(notebook, name), encoding="utf-8")
    return not problem
