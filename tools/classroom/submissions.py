"""Finding what students handed in, in the layouts of nbgrader and of course platforms."""

import os
import re
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from image_retrieval.errors import InputError, printable

# Platforms and browsers number a file of which there is one already.
_COPY = re.compile(r"(?: ?\(\d+\)|-\d+)$")
_CODE = (".py", ".pyc", ".so", ".pyd")
# No separator of paths, and nothing that nbgrader or a spreadsheet would interpret.
_STUDENT = re.compile(r"\w[\w .@+-]*")


@dataclass(frozen=True)
class Submission:
    """One notebook that a student handed in.

    Attributes
    ----------
    student : str
        Whose.
    assignment : str
        The assignment's name.
    notebook : Path
        The file.
    files : Path or None
        The folder of what belongs to it, where there is one.
    """

    student: str
    assignment: str
    notebook: Path
    files: Path = None


def find(folder, assignments):
    """Return the submissions in a folder, and a line for everything that is none.

    Parameters
    ----------
    folder : str or Path
        It holds `STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb` as nbgrader collects them (perhaps in a
        folder `submitted`), `STUDENT/ASSIGNMENT.ipynb` or `STUDENT_ASSIGNMENT.ipynb`.
    assignments : list of str
        The names of the assignments.

    Returns
    -------
    submissions : list of Submission
        By student and assignment.
    complaints : list of str
        A line each.

    Raises
    ------
    InputError
        When it is no folder or holds no submission.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(folder)!r}; give the folder of submissions")
    inner = folder / "submitted"
    finder = _Finder(sorted(assignments))
    finder.look_in(inner if inner.is_dir() else folder)
    if not finder.found:
        raise InputError(
            f"no submission in {str(folder)!r}: expected STUDENT/{finder.assignments[0]}.ipynb"
            f" or one of the other layouts, for {', '.join(finder.assignments)}"
        )
    return finder.result()


class _Finder:
    def __init__(self, assignments):
        self.assignments = assignments
        self.found, self.complaints = {}, []

    def look_in(self, folder):
        for path in _entries(folder):
            if path.is_symlink():
                self._complain(path, "a link; hand in the file itself")
            elif path.is_dir():
                self._look_at_student(path)
            elif path.suffix == ".ipynb":
                student, assignment = self._parse(path)
                self._add(student.rstrip("_"), assignment, path, None)
            else:
                self._complain(path, "not a notebook")

    def result(self):
        submissions = []
        for (student, assignment), several in sorted(self.found.items()):
            if len(several) > 1:
                names = " and ".join(str(each.notebook) for each in several)
                line = f"{names} are both {student}'s {assignment}: neither is graded; keep one"
                self.complaints.append(printable(line))
            else:
                submissions += several
        return submissions, self.complaints

    def _look_at_student(self, folder):
        for path in _entries(folder):
            if path.is_symlink():
                self._complain(path, "a link; hand in the file itself")
            elif path.is_dir() and path.name in self.assignments:
                self._look_at_assignment(folder.name, path)
            elif path.suffix == ".ipynb" and path.is_file():
                self._add(folder.name, self._parse(path)[1], path, folder)

    def _look_at_assignment(self, student, folder):
        notebooks = [path for path in _entries(folder) if path.suffix == ".ipynb"]
        if not notebooks:
            self._complain(folder, "without a notebook")
        for path in notebooks:
            if path.is_symlink() or not path.is_file():
                self._complain(path, "not a file; hand in the file itself")
            else:
                self._add(student, self._parse(path)[1], path, folder)

    def _parse(self, path):
        """Return the student and the assignment that a file's name says; empty if none."""
        stem = _COPY.sub("", path.stem)
        for assignment in self.assignments:
            if stem == assignment or stem.endswith(f"_{assignment}"):
                return stem[: -len(assignment)], assignment
        return "", ""

    def _add(self, student, assignment, path, files):
        if not assignment:
            self._complain(path, f"no assignment; there are {', '.join(self.assignments)}")
        elif not _STUDENT.fullmatch(student):
            self._complain(path, f"without a student's name; {student!r} is none")
        else:
            submission = Submission(student, assignment, path, files)
            self.found.setdefault((student, assignment), []).append(submission)

    def _complain(self, path, what):
        self.complaints.append(printable(f"not graded: {path} is {what}"))


def _entries(folder):
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))


def copy_files(submission, target, room):
    """Copy what was handed in beside the notebook, and return a line for what was left out.

    Left out are links, what would hide a module that the tests import, and all that does not
    fit into `room` bytes.
    """
    left_out, size = [], 0
    for path in _beside(submission):
        size += path.lstat().st_size
        name = path.relative_to(submission.files)
        if _hides_a_module(name):
            left_out.append(f"left out {name}: it hides a module")
        elif path.is_symlink() or not path.is_file():
            left_out.append(f"left out {name}: a link or a device")
        elif size > room:
            left_out.append(f"left out {name}: more than {room >> 20} MB beside the notebook")
        else:
            _copy(path, target / name)
    return [printable(line) for line in left_out]


def _beside(submission):
    """Yield the files of a submission, but for notebooks and folders that hold some."""
    if submission.files is None:
        return
    for folder, folders, names in os.walk(str(submission.files)):
        inner = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith((".", "__")) and not any((inner / name).glob("*.ipynb"))
        )
        yield from (inner / name for name in sorted(names) if not name.endswith(".ipynb"))


def _hides_a_module(name):
    first = name.parts[0]
    module = first if len(name.parts) > 1 else first.partition(".")[0]
    if not module.isidentifier() or (len(name.parts) == 1 and name.suffix not in _CODE):
        return False
    spec = find_spec(module)
    return spec is not None and spec.origin is not None


def _copy(path, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(str(path), str(target))
