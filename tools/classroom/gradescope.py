"""Writing an autograder that Gradescope runs, and results in the form that it reads.

The forms are Gradescope's own, https://gradescope-autograders.readthedocs.io: a zip with
`setup.sh` and `run_autograder`, which finds what was handed in in `/autograder/submission` and
writes `/autograder/results/results.json`.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from image_retrieval.errors import InputError
from image_retrieval.files import atomic_file
from tools.classroom.course import ROOT, SOURCES, assignment_names
from tools.classroom.isolation import CONTAINER, Limits, choose, close, sandbox_obstacle
from tools.classroom.submissions import Submission

AUTOGRADERS = ROOT / "build" / "gradescope"
_SCRIPTS = Path(__file__).with_name("gradescope_files")
_ASSIGNMENTS = Path("source", "assignments")
# What grades, and what the notebooks use.
_COURSE = (
    "Makefile",
    "caltech101_data",
    "image_retrieval",
    "image_test_data",
    "image_train_data",
    "portable",
    "pyproject.toml",
    "requirements-portable-all.txt",
    "requirements-portable.txt",
    "tools/__init__.py",
    "tools/classroom",
    "tools/environment",
    "tools/notebooks",
)
_STUDENT = "student"
# The zip of unchanged files is the same each time.
_DATE = (2026, 1, 1, 0, 0, 0)


def add_arguments(parser):
    """Declare the options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--assignment", metavar="NAME", help="write the autograder of this one")
    what.add_argument(
        "--grade", type=Path, metavar="FOLDER", help="grade what Gradescope has put there"
    )
    parser.add_argument("--sources", type=Path, default=SOURCES, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=AUTOGRADERS, metavar="FOLDER")
    parser.add_argument("--trust", action="store_true", help="run the submission unprotected")


def run(args):
    """Write an autograder, or be one."""
    if args.grade:
        return grade(args.grade, args.trust)
    path = args.output / f"{args.assignment}.zip"
    write_autograder(path, args.assignment, args.sources)
    print(f"Upload {os.path.relpath(str(path))} as the autograder of a programming assignment.")
    return None


def write_autograder(path, assignment, sources=SOURCES):
    """Write the zip that an instructor uploads.

    Parameters
    ----------
    path : str or Path
        The zip.
    assignment : str
        The assignment's name.
    sources : str or Path
        Where its source is.

    Raises
    ------
    InputError
        When there is no such assignment.
    """
    known = assignment_names(sources)
    if assignment not in known:
        raise InputError(f"there is no assignment {assignment!r}; there are {', '.join(known)}")
    with atomic_file(path) as temporary, ZipFile(str(temporary), "w", ZIP_DEFLATED) as file:
        for script in sorted(_SCRIPTS.iterdir()):
            _add(file, script, script.name, 0o755)
        for each in _files(Path(sources) / assignment):
            _add(file, each, f"assignments/{assignment}/{each.relative_to(sources / assignment)}")
        for each in (inner for name in _COURSE for inner in _files(ROOT / name)):
            _add(file, each, f"course/{each.relative_to(ROOT)}")


def grade(folder, trust=False):
    """Grade the submission in Gradescope's folder and write its `results/results.json`.

    Parameters
    ----------
    folder : str or Path
        It holds `source`, `submission` and `results`.
    trust : bool
        Whether to run the submission unprotected.
    """
    from tools.classroom.grade import Grading

    folder = Path(folder).resolve()
    sources = folder / _ASSIGNMENTS
    results = folder / "results" / "results.json"
    assignment = assignment_names(sources)[0]
    try:
        submission = _submission(folder / "submission", assignment)
    except InputError as error:
        _write(results, {"score": 0.0, "output": str(error)})
        return
    mode = choose(trust, container=bool(sandbox_obstacle()))
    for private in (sources, results.parent, folder / "submission") if mode == CONTAINER else ():
        close(private)
    with tempfile.TemporaryDirectory() as output:
        Grading(output, [submission], sources).grade(mode, Limits(), 1)
        made = Path(output) / "feedback" / _STUDENT / f"{assignment}.json"
        shutil.copyfile(str(made), str(results))


def write_results(path, rows, notes):
    """Write Gradescope's results of one submission.

    Parameters
    ----------
    path : Path
        `results.json`, or where else.
    rows : list of dict
        Of the questions, as `tools.classroom.gradebook.grades` returns them.
    notes : dict
        What is said to the student about a question, by its name.
    """
    _write(path, {"tests": [_test(row, notes.get(row["question"], "")) for row in rows]})


def _submission(folder, assignment):
    notebooks = sorted(path for path in folder.glob("*.ipynb") if not path.is_symlink())
    named = [path for path in notebooks if path.stem == assignment] or notebooks
    if len(named) != 1:
        raise InputError(f"hand in one notebook, {assignment}.ipynb; there are {len(named)}")
    return Submission(_STUDENT, assignment, named[0], folder)


def _test(row, note):
    waits = row["points"] is None
    return {
        "name": row["question"],
        "score": row["points"] or 0.0,
        "max_score": row["max_points"],
        "output": "This answer is graded by hand." if waits else note,
        "output_format": "text",
        "visibility": "visible",
    }


def _write(path, results):
    results = {**results, "visibility": "visible", "stdout_visibility": "hidden"}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _files(path):
    inner = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [each for each in inner if each.is_file() and "__pycache__" not in each.parts]


def _add(file, path, name, mode=0o644):
    about = ZipInfo(name, _DATE)
    about.compress_type, about.external_attr = ZIP_DEFLATED, mode << 16
    file.writestr(about, path.read_bytes())
