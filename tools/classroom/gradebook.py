"""What nbgrader's gradebook is asked and told: the truth about an assignment, and the points."""

import logging
import warnings
from pathlib import Path

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    AssignLatePenalties,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from sqlalchemy.exc import SAWarning

from image_retrieval.errors import InputError
from image_retrieval.files import atomic_file
from tools.classroom.course import SOURCES, add_assignment, open_course
from tools.classroom.kernel import failure, is_test
from tools.classroom.prepare import Known

# What a browser shows without running anything.
_SHOWN = ("text/plain", "image/png", "image/jpeg")


def open_gradebook(folder, assignments, sources=SOURCES):
    """Return a course of nbgrader's in `folder` that knows these assignments.

    Parameters
    ----------
    folder : str or Path
        Made when missing; else grades and comments that were given by hand stay.
    assignments : iterable of str
        Their names.
    sources : str or Path
        Where their sources are.

    Returns
    -------
    nbgrader.apps.NbGraderAPI

    Raises
    ------
    InputError
        When an assignment has changed since it was first graded there.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder).chmod(0o700)
    course = open_course(folder)
    for name in assignments:
        copy = Path(folder) / "source" / name
        if not copy.exists():
            add_assignment(course, name, sources)
        elif _content(copy) != _content(Path(sources) / name):
            raise InputError(f"{name} has changed since {folder} was made; grade into a new folder")
    return course


def texts(course, assignment):
    """Return the Markdown of an assignment as it was handed out: a set of str."""
    cells = _release(course, assignment).cells
    return {cell.source for cell in cells if cell.cell_type == "markdown"}


def known_cells(course, assignment):
    """Return the cells of an assignment by name: dict of `tools.classroom.prepare.Known`."""
    with course.gradebook as book:
        cells = book.find_notebook(assignment, assignment).source_cells
        full = {cell.name: cell.source for cell in cells}
    known = {}
    for cell in _release(course, assignment).cells:
        about = cell.metadata.get("nbgrader")
        if about:
            name = about["grade_id"]
            known[name] = Known(name, cell.cell_type, dict(about), cell.source, full[name])
    return known


def record(course, submission, prepared, outputs):
    """Let nbgrader grade a submission that was run elsewhere.

    Parameters
    ----------
    course : nbgrader.apps.NbGraderAPI
        The course.
    submission : tools.classroom.submissions.Submission
        Whose it is, and of which assignment.
    prepared : tools.classroom.prepare.Prepared or None
        The submission; None for one that cannot be read, which gets no points.
    outputs : list or None
        A list of outputs for each cell, or None when it could not be run.
    """
    student, assignment = submission.student, submission.assignment
    with course.gradebook as book, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        book.update_or_create_student(student)
        book.update_or_create_submission(assignment, student)
    if prepared:
        folder = Path(course.coursedir.root) / "submitted" / student / assignment
        notebook = _harmless(prepared.visible, texts(course, assignment))
        with atomic_file(folder / f"{assignment}.ipynb") as temporary:
            nbformat.write(notebook, str(temporary))
        _autograde(course, submission, outputs or _not_run(prepared))
    there = {_name(cell) for cell in prepared.full.cells} if prepared else set()
    _give_nothing(course, submission, there)


def grades(course, submission):
    """Return the questions of a submission, and what a person wrote about its cells.

    Returns
    -------
    rows : list of dict
        In the order of the assignment: `question`, `points` (None where a person has yet to
        decide), `max_points` and `graded` ("auto", "manual" or "not yet").
    comments : dict
        The text by the cell's name.
    """
    with course.gradebook as book:
        submitted = book.find_submission_notebook(
            submission.assignment, submission.assignment, submission.student
        )
        comments = {each.name: each.manual_comment or "" for each in submitted.comments}
        rows = {grade.name: _row(grade) for grade in submitted.grades}
    order = known_cells(course, submission.assignment)
    return [rows[name] for name in order if name in rows], comments


def _release(course, assignment):
    path = Path(course.coursedir.root) / "release" / assignment / f"{assignment}.ipynb"
    return nbformat.read(str(path), as_version=4)


def _row(grade):
    waits = grade.needs_manual_grade and grade.manual_score is None
    by_hand = "not yet" if waits else "manual"
    auto = not waits and grade.manual_score is None
    return {
        "question": grade.name,
        "points": None if waits else float(grade.score),
        "max_points": float(grade.max_score),
        "graded": "auto" if auto else by_hand,
    }


def _autograde(course, submission, outputs):
    class _Recorded(NbGraderPreprocessor):
        def preprocess(self, nb, resources):
            for cell, shown in zip(nb.cells, outputs):
                if cell.cell_type == "code":
                    cell.outputs = [_harmless_output(output) for output in shown]
            return nb, resources

    steps = [_Recorded, ClearMetadataPreprocessor, LimitOutput, SaveAutoGrades, AssignLatePenalties]
    course.coursedir.student_id = submission.student
    course.coursedir.assignment_id = submission.assignment
    grader = Autograde(
        coursedir=course.coursedir,
        config=course.config,
        autograde_preprocessors=steps,
        force=True,
        log=_silent(),
    )
    grader.start()


def _harmless(notebook, own_texts):
    """Return a copy whose text runs no script where a grader reads it in a browser."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown" and cell.source not in own_texts:
            cell.source = cell.source.replace("<", "&lt;")
    return copy


def _harmless_output(output):
    output = nbformat.from_dict(output)
    if "data" in output:
        shown = {kind: output.data[kind] for kind in _SHOWN if kind in output.data}
        output.data = nbformat.from_dict(shown or {"text/plain": "(not shown here)"})
        output.metadata = nbformat.from_dict({})
    return output


def _silent():
    # It warns of each hidden test that it puts back.
    log = logging.getLogger("image_retrieval.nbgrader")
    log.setLevel(logging.CRITICAL + 1)
    return log


def _give_nothing(course, submission, there):
    """Give no points for the questions that the submission does not hold."""
    with Gradebook(course.coursedir.db_url) as book:
        submitted = book.find_submission_notebook(
            submission.assignment, submission.assignment, submission.student
        )
        for grade in submitted.grades:
            if grade.name not in there:
                grade.auto_score, grade.needs_manual_grade = 0, False
        book.db.commit()


def _not_run(prepared):
    error = failure("AssertionError", "not run")
    return [[error] if is_test(cell) else [] for cell in prepared.full.cells]


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _content(folder):
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}
