"""Grading without walls around it: what is found, what is put right, and what is refused."""

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from zipfile import ZipFile

import nbformat
import pandas as pd
import pytest
from small_course import release_notebook, solved, write, write_source

from image_retrieval.errors import InputError
from tools.classroom import isolation, sources
from tools.classroom.__main__ import main
from tools.classroom.grade import Grading
from tools.classroom.isolation import TRUST, Limits, choose
from tools.classroom.kernel import _points
from tools.classroom.prepare import Known, prepare, read
from tools.classroom.report import wide
from tools.classroom.submissions import copy_files, find


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("course") / "source")


@pytest.fixture(scope="module")
def handed_out(course, tmp_path_factory):
    return release_notebook(course, tmp_path_factory.mktemp("release"))


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")


def found(folder):
    submissions, complaints = find(folder, ["02_cats", "cats"])
    return [(each.student, each.assignment) for each in submissions], complaints


def test_the_sources_of_cells_are_read_as_documented():
    assert doctest.testmod(sources).attempted >= 3
    assert doctest.testmod(sources).failed == 0


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("submitted/ann/02_cats/02_cats.ipynb", "ann"),
        ("ann/02_cats/02_cats.ipynb", "ann"),
        ("ann/02_cats.ipynb", "ann"),
        ("ann/02_cats (1).ipynb", "ann"),
        ("ann_02_cats.ipynb", "ann"),
        ("ann_smith_12_345_02_cats-2.ipynb", "ann_smith_12_345"),
        ("Ann Smith_17_assignsubmission_file/02_cats.ipynb", "Ann Smith_17_assignsubmission_file"),
        ("Zoë/02_cats.ipynb", "Zoë"),
    ],
)
def test_a_submission_is_found_in_each_layout(tmp_path, name, student):
    touch(tmp_path, name)
    assert found(tmp_path) == ([(student, "02_cats")], [])


def test_strangers_and_clashes_are_named_in_a_line_each(tmp_path):
    touch(tmp_path, "ann/02_cats.ipynb", "ann_02_cats.ipynb", "bob/cats.ipynb", "bob/dogs.ipynb")
    touch(tmp_path, "02_cats.ipynb", "notes.txt", "=1+1/cats.ipynb", "eve/cats/readme.txt")
    (tmp_path / "link_cats.ipynb").symlink_to(tmp_path / "bob" / "cats.ipynb")
    submissions, complaints = found(tmp_path)
    assert submissions == [("bob", "cats")]
    said = "\n".join(complaints)
    for name in ("dogs.ipynb", "02_cats.ipynb", "notes.txt", "=1+1", "eve", "link_cats.ipynb"):
        assert name in said
    assert "both ann's 02_cats: neither is graded" in said and len(complaints) == 7


def test_a_folder_without_submissions_says_what_was_expected(tmp_path):
    with pytest.raises(InputError, match="expected STUDENT/02_cats.ipynb"):
        found(tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        found(tmp_path / "nowhere")


def test_files_beside_a_notebook_come_along_unless_they_harm(tmp_path):
    handed_in = tmp_path / "in" / "ann"
    touch(handed_in, "cats.ipynb", "pictures/a.txt", "helper.py", "numpy.py", "json/__init__.py")
    (handed_in / "link.txt").symlink_to("/etc/passwd")
    (handed_in / "large.bin").write_bytes(bytes(2000))
    submission = find(tmp_path / "in", ["cats"])[0][0]
    left_out = "\n".join(copy_files(submission, tmp_path / "out", 1000))
    copied = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert {"pictures/a.txt", "helper.py"} >= copied and "helper.py" in copied
    assert "numpy.py: it hides a module" in left_out and "json/__init__.py" not in copied
    assert "link.txt" in left_out and "large.bin" in left_out


KNOWN = {
    "setup": Known(
        "setup", "code", {"grade_id": "setup", "locked": True, "grade": False}, "a", "a"
    ),
    "f": Known("f", "code", {"grade_id": "f", "locked": False, "grade": False}, "f", "f"),
    "test": Known("test", "code", {"grade_id": "test", "locked": True, "grade": True}, "t", "t+h"),
}


def handed_in(*cells):
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source, metadata={"nbgrader": {"grade_id": name}})
            for name, source in cells
        ]
    )


def test_locked_cells_are_the_instructors_whatever_was_handed_in():
    notebook = handed_in(("setup", "evil"), ("f", "mine"), ("test", "pass"))
    notebook.cells[2].metadata.nbgrader.update(points=100, grade=False, solution=True)
    prepared = prepare(notebook, KNOWN)
    assert [cell.source for cell in prepared.full.cells] == ["a", "mine", "t+h"]
    assert [cell.source for cell in prepared.visible.cells] == ["a", "mine", "t"]
    assert prepared.full.cells[2].metadata.nbgrader == KNOWN["test"].about
    assert prepared.flags == ["setup: edited, and put back", "test: edited, and put back"]


def test_of_copies_the_last_one_counts_and_a_made_up_cell_is_no_question():
    notebook = handed_in(("setup", "a"), ("f", "1"), ("f", "2"), ("test", "t"), ("bonus", "10"))
    prepared = prepare(notebook, KNOWN)
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in prepared.full.cells]
    assert names == ["setup", None, "f", "test", None]
    assert prepared.flags == [
        "f: handed in more than once",
        "'bonus': not a cell of the assignment",
    ]


def test_a_deleted_cell_is_named():
    assert prepare(handed_in(("f", "1")), KNOWN).flags == ["setup: deleted", "test: deleted"]


@pytest.mark.parametrize("text", ["", "{}", "[1]", "\0", '{"cells": 3, "nbformat": 4}'])
def test_what_is_no_notebook_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "a.ipynb").write_text(text)
    with pytest.raises(InputError, match="not a notebook") as caught:
        read(tmp_path / "a.ipynb")
    assert "\n" not in str(caught.value)


def test_wide_table_leaves_what_is_not_graded_out_of_the_total():
    points = pd.DataFrame(
        [("ann", "x", "q1", 1.0, 2.0), ("ann", "x", "q2", None, 3.0), ("bob", "x", "q1", 2.0, 2.0)],
        columns=["student", "assignment", "question", "points", "max_points"],
    )
    flags = pd.DataFrame(
        [("ann", "x", "odd"), ("ann", "x", "odder")], columns=["student", "a", "flag"]
    )
    table = wide(points, flags).set_index("student")
    assert list(table.columns) == ["q1", "q2", "total", "max_points", "to_grade", "flags"]
    assert list(table["total"]) == [1, 2] and list(table["to_grade"]) == [1, 0]
    assert list(table["flags"]) == ["odd; odder", ""]


@pytest.fixture
def no_tools(monkeypatch, tmp_path_factory):
    """Nothing to find but what the environment's own scripts need to find their Python."""
    folder = tmp_path_factory.mktemp("programs")
    for name in ("dirname", "realpath"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))


def test_without_walls_nothing_is_graded_and_the_ways_out_are_named(
    course, no_tools, tmp_path, capsys
):
    touch(tmp_path, "in/ann/powers.ipynb")
    arguments = ["--submissions", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    assert main(["grade", *arguments, "--sources", str(course)]) == 2
    said = capsys.readouterr().err
    assert "there is no bwrap" in said and "--trust" in said and "docker run" in said
    assert "--network none" in said and "--pids-limit" in said and "--memory" in said
    assert said.count("\n") == 1 and not (tmp_path / "out").exists()


def test_a_sandbox_that_does_not_start_says_why(monkeypatch, tmp_path):
    for name in ("bwrap", "prlimit", "setpriv"):
        (tmp_path / name).write_text(
            "#!/bin/sh\necho no permission to make a namespace >&2\nexit 1\n"
        )
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(InputError, match="no permission to make a namespace.*--trust"):
        choose()


def test_a_container_needs_another_user_to_run_code_as(monkeypatch):
    monkeypatch.setattr(isolation, "_is_root", lambda: False)
    with pytest.raises(InputError, match="only root can run them as another user"):
        choose(container=True)


def test_what_is_another_users_to_read_is_not_graded_beside(tmp_path, monkeypatch):
    # As if the other user could read it, wherever it is.
    monkeypatch.setattr(isolation, "_as_student", lambda: [])
    with pytest.raises(InputError, match="could read .*a folder that only root can enter"):
        isolation.close(tmp_path)


def test_trust_is_asked_for_and_said(no_tools):
    assert choose(trust=True) == TRUST


@pytest.mark.long
def test_outputs_that_are_none_cost_only_their_author(course, handed_out, tmp_path, monkeypatch):
    for student in ("ann", "bob"):
        write(tmp_path / "in" / student / "powers.ipynb", solved(handed_out()))

    def answers(jobs, *_):
        for number, strange in ((0, [{"output_type": "display_data", "data": 3}]), (1, [])):
            cells = jobs[number][0].full.cells
            outputs = [strange if cell.cell_type == "code" else [] for cell in cells]
            yield number, {"full": {"outputs": outputs, "flags": []}, "visible": None}

    monkeypatch.setattr("tools.classroom.grade.run_all", answers)
    Grading(tmp_path / "out", find(tmp_path / "in", ["powers"])[0], course).grade(
        TRUST, Limits(), 1
    )
    table = pd.read_csv(tmp_path / "out" / "points_powers.csv").set_index("student")
    assert table["total"].to_dict() == {"ann": 0, "bob": 5}
    assert "its outputs are of no use" in table.loc["ann", "flags"]


@pytest.mark.parametrize(
    ("value", "points"),
    [("1.5", "1.5"), ("9", "2.0"), ("-1", "0.0"), ("nan", "0.0"), ("None", None)],
)
def test_a_number_at_the_end_of_tests_is_partial_credit_within_bounds(value, points):
    outputs = _points(value, 2)
    assert [output.data["text/plain"] for output in outputs] == ([points] if points else [])


def run_main(course, tmp_path, notebook, *options):
    write(tmp_path / "in" / "ann" / "powers.ipynb", notebook)
    arguments = ["--submissions", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    assert main(["grade", *arguments, "--sources", str(course), *options]) == 0
    table = pd.read_csv(tmp_path / "out" / "points.csv").set_index("question")
    return table["points"].to_dict()


@pytest.mark.long
def test_trusted_submissions_are_graded_without_walls(
    course, handed_out, no_tools, tmp_path, capsys
):
    reads = f"open({str(course / 'powers' / 'powers.ipynb')!r}).read()"
    points = run_main(course, tmp_path, solved(handed_out(), extra=[reads]), "--trust")
    assert points["check-square"] == 2 and points["check-cube"] == 3
    assert len(pd.read_csv(tmp_path / "out" / "flags.csv")) == 0
    said = capsys.readouterr().out
    assert "UNPROTECTED" in said and "[1/1] ann powers: 5 of 6 points" in said


def test_in_a_container_the_code_is_another_users_and_cannot_get_at_the_grades(
    course, handed_out, tmp_path, tmp_path_factory
):
    if isolation.container_obstacle():
        pytest.skip(isolation.container_obstacle())
    spy = f"import os\nassert os.getuid()\nos.listdir({str(tmp_path / 'out')!r})"
    points = run_main(course, tmp_path, solved(handed_out(), extra=[spy]), "--container")
    assert points["check-square"] == 2 and points["check-cube"] == 3
    flags = (tmp_path / "out" / "flags.csv").read_text()
    assert "PermissionError" in flags


@pytest.mark.long
def test_an_assignment_that_has_changed_is_not_mixed_with_older_grades(course, tmp_path, capsys):
    copied = write_source(tmp_path / "source")
    touch(tmp_path, "in/ann/powers.ipynb")
    arguments = [
        "--submissions",
        str(tmp_path / "in"),
        "--output",
        str(tmp_path / "out"),
        "--trust",
    ]
    assert main(["grade", *arguments, "--sources", str(copied)]) == 0
    path = copied / "powers" / "powers.ipynb"
    path.write_text(path.read_text().replace("x**3", "x ** 3"))
    assert main(["grade", *arguments, "--sources", str(copied)]) == 2
    assert "powers has changed" in capsys.readouterr().err


@pytest.mark.long
def test_gradescope_runs_what_was_written_for_it(course, handed_out, tmp_path):
    place = tmp_path / "autograder"
    path = tmp_path / "powers.zip"
    options = ["--assignment", "powers", "--sources", str(course), "--output", str(tmp_path)]
    assert main(["gradescope", *options]) == 0
    with ZipFile(str(path)) as file:
        names = file.namelist()
        assert {"setup.sh", "run_autograder"} <= set(names)
        assert not [name for name in names if re.search("__pycache__|build/|[.]venv|[.]git", name)]
        assert file.getinfo("run_autograder").external_attr >> 16 == 0o755
        file.extractall(str(place / "source"))
    write(place / "submission" / "powers.ipynb", solved(handed_out(), cube="return 7"))
    (place / "results").mkdir()
    # As Gradescope has it.
    script = (place / "source" / "run_autograder").rename(place / "run_autograder")
    script.chmod(0o755)
    # Where no other user can be had, as in most clones, the test trusts itself.
    walls = isolation.sandbox_obstacle() and isolation.container_obstacle()
    if walls:
        script.write_text(script.read_text().replace('"$folder"\n', '"$folder" --trust\n'))
    environment = {**os.environ, "AUTOGRADER": str(place), "COURSE_PYTHON": sys.executable}
    environment.pop("PYTHONPATH", None)
    subprocess.run([str(script)], env=environment, check=True, timeout=500)
    results = json.loads((place / "results" / "results.json").read_text())
    scores = {test["name"]: test["score"] for test in results["tests"]}
    assert scores == {"check-square": 2, "check-cube": 0, "why": 0}
    assert results["tests"][1]["output"] == "AssertionError: expected 8, got 7"
    assert results["stdout_visibility"] == "hidden"


def test_gradescope_says_what_to_hand_in(tmp_path, course):
    write_source(tmp_path / "source" / "assignments")
    (tmp_path / "submission").mkdir()
    assert main(["gradescope", "--grade", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert results["score"] == 0 and "hand in one notebook, powers.ipynb" in results["output"]
