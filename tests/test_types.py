"""The types of the package: everything public has them, and a user's mypy reads them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import image_retrieval
from conftest import ROOT

PACKAGE = Path(image_retrieval.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# A user's script: each line that ends in "# wrong" makes a call that must be refused.
SCRIPT = """\
import numpy as np

from image_retrieval import datasets, evaluate, explore, index, interval_of_mean, plot_curves
from image_retrieval import extrakt  # wrong
from image_retrieval.evaluate import Ranking

train, test = datasets.load()
ranking: Ranking = evaluate.rank_features(np.eye(3), list("abc"), depth=2)
print(evaluate.precision_at_k(ranking, 2).mean())
print(evaluate.precision_at_k(ranking, "2"))  # wrong
print(evaluate.precision_at_k("ranking", 2))  # wrong
print(interval_of_mean([0.0, 1.0]).error)
print(interval_of_mean([0.0, 1.0]).eror)  # wrong
explore.grid(test, thumbnail=64).save("found.html")
explore.grid(test, thumbnail="large")  # wrong
index.create(train, metric="cosine").query(test, k=5)
index.create(train, engine=5)  # wrong
datasets.locate(5)  # wrong
plot_curves([1, 2], {"a": [0.1, 0.2]}, "Title", "k", "precision")
plot_curves([1, 2], {"a": [0.1, 0.2]}, "Title")  # wrong
"""


def without_types(body, owner=""):
    """Yield the public functions and methods that lack the type of an argument or of the result."""
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name[0] != "_":
            yield from without_types(node.body, f"{owner}{node.name}.")
        if isinstance(node, ast.FunctionDef) and is_public(node.name):
            several = [each for each in (node.args.vararg, node.args.kwarg) if each]
            arguments = [*node.args.args, *node.args.kwonlyargs, *several]
            typed = [each.annotation for each in arguments if each.arg not in ("self", "cls")]
            if None in (*typed, node.returns):
                yield f"{owner}{node.name}"


def is_public(name):
    return name[0] != "_" or (name.startswith("__") and name.endswith("__"))


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_public_functions_are_fully_annotated(path):
    assert list(without_types(ast.parse(path.read_text(encoding="utf-8")).body)) == []


def test_a_missing_annotation_is_seen():
    code = "class A:\n  def f(self, x, *, y: int) -> int: ...\n  def _g(self): ...\ndef h(): ..."
    assert list(without_types(ast.parse(code).body)) == ["A.f", "h"]


def test_shared_types_are_not_imported_at_runtime():
    code = (
        "import sys, image_retrieval.evaluate\nprint('image_retrieval.signatures' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=str(ROOT))
    assert done.stdout.decode().strip() == "False"


@pytest.mark.long
def test_a_users_script_with_wrong_calls_is_refused(tmp_path):
    """As an installed package is read: from elsewhere, and without the project's settings."""
    (tmp_path / "script.py").write_text(SCRIPT)
    # Not to read the types of all of numpy, which takes longer than the rest.
    (tmp_path / "mypy.ini").write_text(
        "[mypy]\nignore_missing_imports = True\n"
        "[mypy-numpy.*,pandas.*,matplotlib.*,PIL.*,sklearn.*]\n"
        "follow_imports = skip\nfollow_imports_for_stubs = True\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "script.py"],
        cwd=str(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = SCRIPT.splitlines()
    reported = {
        int(line.split(":")[1])
        for line in done.stdout.decode().splitlines()
        if line.startswith("script.py:") and ": error:" in line
    }
    wrong = {at for at, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert reported == wrong, done.stdout.decode()
