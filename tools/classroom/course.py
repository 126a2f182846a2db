"""A course folder as nbgrader has it, made from the assignments' sources."""

import os
import re
import shutil
import sys
from pathlib import Path

from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from image_retrieval.errors import InputError

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "assignments" / "source"
RELEASES = ROOT / "assignments" / "release"


def assignment_names(sources=SOURCES):
    """Return the names of the assignments that have a source, `NAME/NAME.ipynb`, in order."""
    return sorted(path.stem for path in Path(sources).glob("*/*.ipynb") if path.match(_file(path)))


def create_course(folder, sources=SOURCES, names=None, config=None):
    """Make a course folder with a gradebook, and the students' versions in its `release`.

    Parameters
    ----------
    folder : str or Path
        An empty folder.
    sources : str or Path
        Of the assignments.
    names : sequence of str, optional
        Of the assignments; all by default.
    config : traitlets.config.Config, optional
        Further settings of nbgrader.

    Returns
    -------
    nbgrader.apps.NbGraderAPI
        Of the course.

    Raises
    ------
    InputError
        When there is no such assignment, or nbgrader finds a mistake in its source.
    """
    course = open_course(folder, config)
    for name in assignment_names(sources) if names is None else names:
        add_assignment(course, name, sources)
    return course


def add_assignment(course, name, sources=SOURCES):
    """Add an assignment to a course's gradebook and its `release`; the errors are the above."""
    known = assignment_names(sources)
    if name not in known:
        raise InputError(f"there is no assignment {name!r}; there are {', '.join(known)}")
    copy = Path(course.coursedir.root) / "source" / name
    shutil.copytree(str(Path(sources) / name), str(copy))
    _generate(course, name)


def open_course(folder, config=None):
    """Return nbgrader's interface to a course folder."""
    _find_alembic()
    settings = Config(config or {})
    settings.CourseDirectory.root = str(Path(folder).resolve())
    return NbGraderAPI(CourseDirectory(config=settings), config=settings)


def _file(path):
    return f"{path.parent.name}/{path.parent.name}.ipynb"


def _find_alembic():
    # nbgrader calls it by name, to make a gradebook; it lies beside Python in every environment.
    beside = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", "").split(os.pathsep)
    if beside not in paths:
        os.environ["PATH"] = os.pathsep.join([beside, *paths])


def _generate(course, name):
    done = course.generate_assignment(name)
    if not done["success"]:
        reasons = re.findall(r"^ *\w[\w.]*(?:Error|Exception): .*", done["log"], re.MULTILINE)
        reason = reasons[0].strip() if reasons else done.get("error") or done["log"]
        raise InputError(f"nbgrader cannot make the students' version of {name}: {reason}")
