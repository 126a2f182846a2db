"""The assignments: what is handed out, and what right and wrong answers score."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from traitlets.config import Config
from wrong_answers import UNUSUAL, WRONG

from image_retrieval import datasets
from image_retrieval.errors import InputError
from image_retrieval.sframes import sframe_vectors
from tools.classroom.__main__ import main
from tools.classroom.course import RELEASES, SOURCES, assignment_names, create_course
from tools.classroom.release import release

# nbgrader's own, of its gradebook.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")

NAMES = ["01_nearest_neighbors", "02_image_retrieval", "03_pixels_and_features"]
NAMES += ["04_your_search_engine"]


def read(folder, name):
    return nbformat.read(str(folder / name / f"{name}.ipynb"), as_version=4)


def record(cell):
    return cell.metadata.get("nbgrader", {})


def worth(notebook):
    """Return the points of each graded cell, those that a program gives and all."""
    points = {record(cell).grade_id: record(cell).points for cell in graded(notebook)}
    manual = {record(cell).grade_id for cell in graded(notebook) if record(cell).solution}
    return {name: value for name, value in points.items() if name not in manual}, points


def graded(notebook):
    return [cell for cell in notebook.cells if record(cell).get("grade")]


def test_there_are_the_four_assignments():
    assert assignment_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_answers_is_handed_out(name):
    handed_out = read(RELEASES, name)
    text = "\n".join(cell.source for cell in handed_out.cells)
    for word in ("SOLUTION", "HIDDEN TESTS", "hidden"):
        assert word not in text
    answers = [cell for cell in handed_out.cells if record(cell).get("solution")]
    stubs = {"code": "raise NotImplementedError()", "markdown": "YOUR ANSWER HERE"}
    assert answers and all(stubs[cell.cell_type] in cell.source for cell in answers)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in handed_out.cells)


@pytest.mark.parametrize("name", NAMES)
def test_source_is_whole(name):
    source = read(SOURCES, name)
    _, points = worth(source)
    opening = source.cells[0].source
    assert re.search(r"\*\*Points\*\* \| (\d+)", opening).group(1) == str(sum(points.values()))
    minutes = int(re.search(r"\*\*Time\*\* \| (\d+) minutes", opening).group(1))
    assert 45 <= minutes <= 90
    assert "**You need** | notebook" in opening and "**Checked** |" in opening
    tested = [cell for cell in graded(source) if not record(cell).solution]
    for cell in tested:
        visible, hidden = split_hidden(cell.source)
        assert "assert" in visible, cell.id
        assert "assert" in hidden or re.search(r"^\s*check_\w+\(", hidden, re.MULTILINE), cell.id
    ids = [record(cell).grade_id for cell in source.cells if record(cell)]
    assert len(set(ids)) == len(ids) and not any(cell.get("outputs") for cell in source.cells)


def split_hidden(source):
    """Return the visible and the hidden lines of a check."""
    hidden = re.findall("### BEGIN HIDDEN TESTS\n(.*?)### END HIDDEN TESTS", source, re.DOTALL)
    visible = re.sub("### BEGIN HIDDEN TESTS\n.*?### END HIDDEN TESTS", "", source, flags=re.DOTALL)
    return visible, "".join(hidden)


@pytest.mark.parametrize("name", NAMES)
def test_points_in_the_text_are_those_of_the_checks(name):
    """A question says its points in parentheses, before the checks and texts that give them."""
    said = given = 0
    for cell in read(SOURCES, name).cells:
        if cell.cell_type == "markdown" and not record(cell):
            said += sum(int(n) for n in re.findall(r"\*\((\d+) points?\b", cell.source))
        given += record(cell).get("points") or 0
        if record(cell).get("grade"):
            assert given <= said, cell.id
    assert given == said


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    settings = Config()
    settings.Execute.timeout = 600
    return create_course(tmp_path_factory.mktemp("course"), config=settings)


def test_what_is_handed_out_is_what_the_sources_make(course):
    made, committed = contents(Path(course.coursedir.root) / "release"), contents(RELEASES)
    assert sorted(made) == sorted(committed) == [f"{name}/{name}.ipynb" for name in NAMES]
    for name in made:
        assert made[name] == committed[name], f"{name} has drifted; run `make assignments`"


def contents(folder):
    paths = folder.glob("*/*.ipynb")
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def hand_in(course, name, student, answers):
    """Grade the students' version with these answers; return the score of each graded cell."""
    notebook = read(RELEASES, name)
    assert set(answers) <= {cell.id for cell in notebook.cells}
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source).strip("\n")
    folder = course.coursedir.format_path("submitted", student, name)
    path = Path(folder) / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, str(path))
    done = course.autograde(name, student)
    assert done["success"], done["log"]
    with course.gradebook as gradebook:
        grades = gradebook.find_submission_notebook(name, name, student).grades
        return {grade.name: grade.auto_score for grade in grades}


def right_answers(name):
    return {c.id: c.source for c in read(SOURCES, name).cells if record(c).get("solution")}


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_solution_scores_full_points(course, name):
    automatic, points = worth(read(SOURCES, name))
    manual = dict.fromkeys(set(points) - set(automatic))  # left for a person to give
    assert hand_in(course, name, "solution", right_answers(name)) == {**automatic, **manual}


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_untouched_version_scores_nothing(course, name):
    scores = hand_in(course, name, "untouched", {})
    assert scores == dict.fromkeys(worth(read(SOURCES, name))[1], 0)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(UNUSUAL))
def test_unusual_right_answers_score_full_points(course, name):
    automatic, _ = worth(read(SOURCES, name))
    assert hand_in(course, name, "unusual", {**right_answers(name), **UNUSUAL[name]}) == automatic


def batches():
    """Deal the wrong answers out to submissions, each cell at most once in each."""
    dealt = []
    for wrong in WRONG:
        for batch in dealt:
            if batch[0].assignment == wrong.assignment and wrong.cell not in {
                other.cell for other in batch
            }:
                batch.append(wrong)
                break
        else:
            dealt.append([wrong])
    return dealt


def name_of(batch):
    return ", ".join(wrong.name for wrong in batch)


@pytest.mark.long
@pytest.mark.parametrize("batch", batches(), ids=name_of)
def test_wrong_answers_lose_their_points_and_no_others(course, batch):
    name = batch[0].assignment
    wrong = {answer.cell: with_ids(answer.source) for answer in batch}
    scores = hand_in(course, name, "-".join(sorted(wrong)), {**right_answers(name), **wrong})
    lost = set().union(*(answer.loses for answer in batch))
    points, _ = worth(read(SOURCES, name))
    assert scores == {check: 0 if check in lost else points[check] for check in points}


def with_ids(source):
    """Put in the answers of the visible checks, as a student who copies them would."""
    for label in ("cat", "dog"):
        source = source.replace(label.upper(), str(nearest_to_first(label)))
    return source


def nearest_to_first(label):
    train, test = datasets.load()
    ids, X = sframe_vectors(train[train["label"] == label], "deep_features")
    return ids[
        int(np.linalg.norm(X - sframe_vectors(test[:1], "deep_features")[1], axis=1).argmin())
    ]


def test_command_makes_both_versions(tmp_path, capsys):
    make_source(
        tmp_path / "source", "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    )
    options = ["--sources", str(tmp_path / "source"), "--output", str(tmp_path / "release")]
    assert main(["release", *options, "--solutions", str(tmp_path / "solved")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"small +3 points  ok", lines[1])
    assert "NotImplementedError" in read(tmp_path / "release", "small").cells[0].source
    solved = read(tmp_path / "solved", "small")
    assert solved.cells[1].execution_count == 2 and "return 1" in solved.cells[0].source
    assert "return 1" not in (tmp_path / "release" / "small" / "small.ipynb").read_text()
    assert (tmp_path / "release" / "small" / "note.txt").read_text() == "beside"
    assert "<html" in (tmp_path / "solved" / "small" / "small.html").read_text(encoding="utf-8")


def test_a_solution_that_fails_its_own_checks_is_named(tmp_path, capsys):
    make_source(tmp_path / "source", "def f():\n    return 2")
    options = ["--sources", str(tmp_path / "source"), "--output", str(tmp_path / "release")]
    assert main(["release", *options, "--solutions", str(tmp_path / "solved")]) == 1
    assert "FAILED at cell [2]: AssertionError: expected 1" in capsys.readouterr().out


def test_a_source_that_nbgrader_refuses_and_an_unknown_name_are_told_in_one_line(tmp_path):
    make_source(tmp_path / "source", "def f():\n    ### BEGIN SOLUTION\n    return 1")
    with pytest.raises(InputError, match="version of small: RuntimeError: no end solution") as told:
        release(tmp_path / "release", tmp_path / "source")
    assert "\n" not in str(told.value)
    with pytest.raises(InputError, match="no assignment 'large'; there are small"):
        create_course(tmp_path / "course", tmp_path / "source", ["large"])


def make_source(folder, answer):
    """Write the source of an assignment with one question and one check."""
    common = {"schema_version": 3, "task": False}
    kinds = [
        {"grade": False, "solution": True, "locked": False, "grade_id": "f"},
        {"grade": True, "solution": False, "locked": True, "grade_id": "check-f", "points": 3},
    ]
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**common, **kind}})
        for source, kind in zip((answer, "assert f() == 1, 'expected 1'"), kinds)
    ]
    (folder / "small").mkdir(parents=True)
    (folder / "small" / "note.txt").write_text("beside")
    nbformat.write(nbformat.v4.new_notebook(cells=cells), str(folder / "small" / "small.ipynb"))
