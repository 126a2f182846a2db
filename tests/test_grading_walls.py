"""Submissions that attack the grading, all in one class: each costs only its author points."""

import json

import nbformat
import pandas as pd
import pytest
from small_course import SECRET, named, release_notebook, solved, write, write_source

from tools.classroom import isolation
from tools.classroom.grade import Grading
from tools.classroom.isolation import SANDBOX, Limits
from tools.classroom.submissions import find

pytestmark = pytest.mark.long

LIMITS = Limits(
    memory=1 << 30, disk=32 << 20, processes=100, cell_seconds=15, seconds=120, output=2 << 20
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("course") / "source")


@pytest.fixture(scope="module")
def release(sources, tmp_path_factory):
    return release_notebook(sources, tmp_path_factory.mktemp("release"))


READ = "open({!r}).read()"
SOCKET = "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=3)"
FORK = """import os, time
while True:
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
"""
FILL = """import os
for number in range(1000):
    with open(f"/tmp/{number}", "wb") as file:
        file.write(bytes(1 << 20))
"""
PATCHES = (
    "expect = lambda found, wanted: None",
    "import builtins\nbuiltins.AssertionError = type('Fine', (BaseException,), {})",
    "get_ipython().showtraceback = lambda *args, **kwargs: None",
    "import ast\nclass Without(ast.NodeTransformer):\n"
    "    def visit_Assert(self, node):\n        return ast.copy_location(ast.Pass(), node)\n"
    "get_ipython().ast_transformers.append(Without())",
)
FORGE = "print('score: 3')\nget_ipython().displayhook(3.0)\nreturn None"
# The test itself is text that the code under test can read.
LEAK = """import linecache
files = [name for name in linecache.cache if "ipython" in name or "ipykernel" in name]
said = "".join(line for name in files for line in linecache.getlines(name))
print(said)
assert x != 42, said
return x * x"""


def attacks(release, elsewhere):
    """Return the class: a notebook for each student."""
    deleted, copied, edited = (
        solved(release()),
        solved(release(), cube="return 0"),
        solved(release()),
    )
    deleted.cells.remove(named(deleted, "check-cube"))
    copy = nbformat.from_dict(named(copied, "check-cube"))
    copied.cells.append(nbformat.from_dict({**copy, "source": "pass", "id": "again"}))
    named(edited, "check-cube").source = "pass"
    named(edited, "check-cube").metadata.nbgrader.points = 100
    named(edited, "cube").source = "def cube(x):\n    return 8"
    answered = solved(
        release(), extra=["from IPython.display import HTML\nHTML('<script>1</script>')"]
    )
    named(answered, "why").source = "Because <script>alert(1)</script> ![](http://192.0.2.1/x.png)"
    return {
        "answered": answered,
        "hidden": solved(release(), square="return {3: 9}[x]"),
        "visible": solved(release(), cube="return 7"),
        "blank": release(),
        "reader": solved(release(), extra=[READ.format(str(path)) for path in elsewhere]),
        "caller": solved(release(), extra=[SOCKET]),
        "hog": solved(release(), extra=["x = bytearray(6 << 30)"]),
        "forker": solved(release(), extra=[FORK]),
        "filler": solved(release(), extra=[FILL]),
        "looper": solved(release(), extra=["while True: pass"]),
        "flooder": solved(release(), extra=["while True: print('again ' * 1000)"]),
        "burster": solved(release(), extra=["print('again ' * 10_000_000)"]),
        "crasher": solved(release(), extra=["import os\nos._exit(1)"]),
        "patcher": solved(release(), "return 0", "return 0", PATCHES),
        "forger": solved(release(), cube=FORGE),
        "leaker": solved(release(), LEAK),
        "deleter": deleted,
        "copier": copied,
        "editor": edited,
    }


@pytest.fixture(scope="module")
def graded(sources, release, tmp_path_factory):
    """The output of grading all attacks in one go."""
    reason = isolation.sandbox_obstacle()
    if reason:
        pytest.skip(f"no sandbox here: {reason}")
    folder = tmp_path_factory.mktemp("class")
    output, submitted = folder / "grades", folder / "submissions"
    elsewhere = [
        output / "gradebook.db",
        submitted / "answered" / "powers.ipynb",
        sources / "powers" / "powers.ipynb",
    ]
    for student, notebook in attacks(release, elsewhere).items():
        write(submitted / student / "powers.ipynb", notebook)
    (submitted / "broken").mkdir()
    (submitted / "broken" / "powers.ipynb").write_text("{}")
    found, complaints = find(submitted, ["powers"])
    assert not complaints
    Grading(output, found, sources).grade(SANDBOX, LIMITS, 2)
    assert all(path.exists() for path in elsewhere)
    return output


@pytest.fixture(scope="module")
def points(graded):
    return pd.read_csv(graded / "points_powers.csv").set_index("student")


def flags(graded, student):
    table = pd.read_csv(graded / "flags.csv")
    return list(table[table["student"] == student]["flag"])


@pytest.mark.parametrize(
    ("student", "square", "cube"),
    [
        ("answered", 2, 3),
        ("hidden", 0, 3),
        ("visible", 2, 0),
        ("blank", 0, 0),
        ("reader", 2, 3),
        ("caller", 2, 3),
        ("hog", 2, 3),
        ("forker", 2, 3),
        ("filler", 2, 3),
        ("looper", 2, 3),
        ("flooder", 0, 0),
        ("burster", 0, 0),
        ("crasher", 0, 0),
        ("patcher", 0, 0),
        ("forger", 2, 0),
        ("leaker", 0, 3),
        ("deleter", 2, 0),
        ("copier", 2, 0),
        ("editor", 2, 0),
        ("broken", 0, 0),
    ],
)
def test_each_submission_gets_the_points_it_has_earned(points, student, square, cube):
    assert list(points.loc[student, ["check-square", "check-cube"]]) == [square, cube]


@pytest.mark.parametrize(
    ("student", "noticed"),
    [
        ("reader", ["gradebook.db", "answered/powers.ipynb", "source/powers"]),
        ("caller", ["Network is unreachable"]),
        ("hog", ["MemoryError"]),
        ("forker", ["Resource temporarily unavailable"]),
        ("filler", ["No space left on device"]),
        ("looper", ["no end within 15 s"]),
        ("flooder", ["printed more than 2 MB"]),
        ("crasher", ["Kernel died"]),
        (
            "patcher",
            ["check-square: replaced expect", "replaced builtins.AssertionError", "Without"],
        ),
        ("deleter", ["check-cube: deleted"]),
        ("copier", ["check-cube: handed in more than once"]),
        ("editor", ["check-cube: edited, and put back"]),
        ("broken", ["not a notebook"]),
    ],
)
def test_what_a_submission_tried_is_named(graded, student, noticed):
    said = "\n".join(flags(graded, student))
    assert all(text in said for text in noticed), said


def test_who_tries_nothing_is_not_named(graded):
    assert [flags(graded, name) for name in ("answered", "hidden", "visible", "blank")] == [[]] * 4


def test_an_answer_in_words_waits_for_a_person_and_an_untouched_one_gets_nothing(points):
    assert points.loc["answered", "to_grade"] == 1 and pd.isna(points.loc["answered", "why"])
    assert points.loc["visible", "to_grade"] == 0 and points.loc["visible", "why"] == 0


def test_no_page_shows_a_hidden_test(graded):
    pages = {path.parent.name: path.read_text() for path in graded.glob("feedback/*/*.html")}
    assert len(pages) == 20
    assert not [student for student, page in pages.items() if SECRET in page]
    # It got hold of the test, and the instructor's copy shows it.
    assert SECRET in (graded / "autograded/leaker/powers/powers.ipynb").read_text()
    assert not [p for p in graded.glob("feedback/*/*.json") if SECRET in p.read_text()]


def test_a_page_explains_what_a_visible_test_says_and_that_a_hidden_one_fails(graded):
    visible = (graded / "feedback/visible/powers.html").read_text()
    hidden = (graded / "feedback/hidden/powers.html").read_text()
    assert "AssertionError: expected 8, got 7" in visible and "0 of 3" in visible
    assert "Only a hidden test fails" in hidden and "0 of 2" in hidden
    assert "<math" in visible


def test_nothing_a_student_wrote_is_interpreted_or_fetched(graded):
    page = (graded / "feedback/answered/powers.html").read_text()
    assert "<script" not in page and "<img" not in page and "alert(1)" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_what_a_person_grades_in_a_browser_runs_no_script(graded):
    autograded = nbformat.read(
        str(graded / "autograded/answered/powers/powers.ipynb"), as_version=4
    )
    assert "&lt;script>" in named(autograded, "why").source
    kinds = {
        kind for c in autograded.cells for o in c.get("outputs", []) for kind in o.get("data", {})
    }
    assert kinds == {"text/plain"}


def test_gradescope_gets_each_question(graded):
    results = json.loads((graded / "feedback/visible/powers.json").read_text())
    scores = {test["name"]: (test["score"], test["max_score"]) for test in results["tests"]}
    assert scores == {"check-square": (2, 2), "check-cube": (0, 3), "why": (0, 1)}


def test_a_second_grading_keeps_what_was_graded_by_hand_and_runs_nothing_again(
    graded, sources, monkeypatch, capsys
):
    grading = Grading(graded, find(graded.parent / "submissions", ["powers"])[0], sources)
    with grading.course.gradebook as book:
        grade = book.find_grade("why", "powers", "powers", "answered")
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        book.find_comment("why", "powers", "powers", "answered").manual_comment = "Nearly"
        book.db.commit()
    chosen = [each for each in grading.submissions if each.student == "answered"]
    monkeypatch.setattr("tools.classroom.jobs._run_in_process", None)
    Grading(graded, chosen, sources).grade(SANDBOX, LIMITS, 1)
    assert "answered powers: 5.5 of 6 points\n" in capsys.readouterr().out
    assert "Nearly" in (graded / "feedback/answered/powers.html").read_text()
