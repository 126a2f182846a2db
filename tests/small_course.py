"""A course with one small assignment, for the tests of grading."""

import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.classroom.course import create_course

SECRET = "1764"
SETUP = """def expect(found, wanted):
    assert found == wanted, f"expected {wanted}, got {found}"
"""
SQUARE = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION\n"
CUBE = "def cube(x):\n    ### BEGIN SOLUTION\n    return x**3\n    ### END SOLUTION\n"
HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


def graded_cell(name, source, points=0, solution=False):
    about = {
        "grade_id": name,
        "grade": points > 0,
        "locked": not solution,
        "solution": solution,
        "task": False,
        "schema_version": 3,
    }
    if points:
        about["points"] = points
    make = new_markdown_cell if name == "why" else new_code_cell
    return make(source, metadata={"nbgrader": about})


def source_notebook():
    return new_notebook(
        cells=[
            new_markdown_cell("# Powers\n\nWrite $x^2$ and $x^3$."),
            graded_cell("setup", SETUP),
            graded_cell("square", SQUARE, solution=True),
            graded_cell(
                "check-square",
                f"expect(square(3), 9)\n{HIDDEN.format(f'expect(square(42), {SECRET})')}",
                2,
            ),
            graded_cell("cube", CUBE, solution=True),
            graded_cell(
                "check-cube", f"expect(cube(2), 8)\n{HIDDEN.format('expect(cube(3), 27)')}", 3
            ),
            graded_cell("why", "Your answer", 1, solution=True),
        ]
    )


def write(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, str(path))


def write_source(folder):
    """Write the assignment's source and return the folder of sources."""
    write(folder / "powers" / "powers.ipynb", source_notebook())
    return folder


def release_notebook(sources, folder):
    """Return a function that returns a fresh copy of what students get."""
    create_course(folder, sources)
    path = folder / "release" / "powers" / "powers.ipynb"
    return lambda: nbformat.read(str(path), as_version=4)


def solved(notebook, square="return x * x", cube="return x**3", extra=()):
    """Fill in the answers; each extra cell comes before the first question."""
    answers = {"square": square, "cube": cube}
    for each in notebook.cells:
        name = each.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            each.source = f"def {name}(x):\n" + re.sub("^", "    ", answers[name], flags=re.M)
    notebook.cells[2:2] = [new_code_cell(source) for source in extra]
    return notebook


def named(notebook, name):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)
