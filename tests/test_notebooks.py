"""The rules of committed notebooks, and that each rule can be broken."""

import re
import subprocess
import sys
from copy import deepcopy
from shutil import copytree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import conftest
from conftest import ROOT
from image_retrieval.errors import InputError
from tools.notebooks import NotebookError, execute, find_problems, normalize
from tools.notebooks.__main__ import main, select
from tools.notebooks.normalize import KERNELSPEC, WIDGET
from tools.notebooks.page import title_of, to_html

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_committed_notebook_keeps_the_rules(path):
    assert find_problems(nbformat.read(str(path), as_version=4)) == []


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_page_of_committed_notebook_needs_no_network(path):
    assert fetched(to_html(nbformat.read(str(path), as_version=4), path.stem)) == []


def fetched(page):
    """Return the addresses that a browser would fetch for `page`."""
    address = r"(?:https?:)?//[^\"'\s)>]+"
    tags = rf"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=[\"']?({address})"
    return re.findall(rf"{tags}|\burl\([\"']?({address})|\bimport\([\"']({address})", page)


def good():
    printed = new_output("stream", name="stdout", text="3\n")
    cells = [
        new_markdown_cell("# A title"),
        new_code_cell("print(3)", execution_count=1, outputs=[printed]),
        new_code_cell("x = 4", execution_count=2),
    ]
    return normalize(new_notebook(cells=cells))


def test_widget_leaves_its_html_where_it_has_some():
    notebook = good()
    view = {WIDGET: {"model_id": "random"}, "text/plain": "W"}
    notebook.cells[1].outputs = [
        new_output("display_data", data=view),
        new_output("display_data", data={**view, "text/html": "<p>first results</p>"}),
    ]
    kept = normalize(notebook).cells[1].outputs
    assert [output.data for output in kept] == [
        {"text/html": "<p>first results</p>", "text/plain": "W"}
    ]


def test_good_notebook_has_no_problem():
    assert find_problems(good()) == []


def test_the_command_lists_what_is_broken(tmp_path, capsys):
    nbformat.write(good(), str(tmp_path / "01_good.ipynb"))
    assert main(["check", "--folder", str(tmp_path)]) == 0
    bad = good()
    bad.cells[1].update(execution_count=None)
    nbformat.write(bad, str(tmp_path / "02_bad.ipynb"))
    assert main(["check", "--folder", str(tmp_path)]) == 1
    assert "02_bad.ipynb, cell 2: its execution count is None" in capsys.readouterr().out


def picture():
    data = {"image/png": "aaaa", "text/plain": "<Figure size 640x480 with 1 Axes>"}
    words = {"image/png": {"alt": "a curve"}, "image/jpeg": {"alt": "a curve"}}
    return new_output("display_data", data=data, metadata=words)


def test_a_picture_keeps_the_words_of_its_own_kind():
    notebook = good()
    notebook.cells[1].outputs.append(picture())
    assert normalize(notebook).cells[1].outputs[1].metadata == {"image/png": {"alt": "a curve"}}


def spoil(notebook, how):
    first = notebook.cells[1]
    actions = {
        "not run": lambda: first.update(execution_count=None),
        "run twice": lambda: first.update(execution_count=2),
        "run out of order": lambda: notebook.cells[2].update(execution_count=1),
        "error": lambda: first.outputs.append(
            new_output("error", ename="ValueError", evalue="no", traceback=[])
        ),
        "warning": lambda: first.outputs.append(new_output("stream", name="stderr", text="w\n")),
        "path in code": lambda: first.update(source="open('/home/me/x.png')"),
        "path in text output": lambda: first.outputs[0].update(text="see /Users/me/x.png"),
        "Windows path": lambda: first.outputs[0].update(text="see C:\\Users\\me"),
        "path in HTML": lambda: first.outputs.append(
            new_output("display_data", data={"text/html": "<i>/var/course/x.png</i>"})
        ),
        "other kernel": lambda: notebook.metadata.kernelspec.update(name="conda-env-x"),
        "other language": lambda: notebook.metadata.language_info.update(name="R"),
        "empty last cell": lambda: notebook.cells.append(new_code_cell("", execution_count=3)),
        "long cell": lambda: first.update(source="x = 1\n" * 16),
        "British spelling": lambda: notebook.cells[0].update(source="The nearest neighbours"),
        "large": lambda: first.outputs[0].update(text="9" * 3_000_000),
        "silent picture": lambda: first.update(outputs=[picture()]),
        "no words": lambda: first.outputs.append(
            new_output("display_data", data={"image/png": "aaaa"})
        ),
        "no code": lambda: notebook.update(cells=notebook.cells[:1]),
    }
    actions[how]()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("not run", "cell 2: its execution count is None, not 1"),
        ("run twice", "cell 2: its execution count is 2, not 1"),
        ("run out of order", "cell 3: its execution count is 1, not 2"),
        ("error", "cell 2: an error output: ValueError: no"),
        ("warning", "cell 2: output on stderr"),
        ("path in code", "cell 2: an absolute path: /home/me"),
        ("path in text output", "cell 2: an absolute path in its output: /Users/me"),
        ("Windows path", "cell 2: an absolute path in its output: C:\\Users"),
        ("path in HTML", "cell 2: an absolute path in its output: /var/course"),
        ("other kernel", "its kernelspec is 'conda-env-x', not 'python3'; run `make notebooks`"),
        ("other language", "its language_info is 'R', not 'python'"),
        ("empty last cell", "its last cell is empty"),
        ("long cell", "cell 2: it has 16 lines, more than 15"),
        ("British spelling", "cell 1: spell 'neighbours' the American way"),
        ("large", "more than 3,000,000"),
        ("silent picture", "cell 2: a picture without text beside it"),
        ("no words", "cell 2: a picture without alternative text"),
        ("no code", "it holds no code cell"),
    ],
)
def test_each_broken_rule_is_named(how, message):
    notebook = good()
    spoil(notebook, how)
    problems = find_problems(notebook)
    assert any(message in problem for problem in problems), problems


def test_links_and_embedded_pictures_are_no_paths():
    notebook = good()
    html = '<a href="https://x.org/home/me">a</a><img src="data:image/png;base64,ab/home/me=">'
    notebook.cells[1].outputs.append(new_output("display_data", data={"text/html": html}))
    notebook.cells[1].source = "a = b /var\nload('../data/home/x')\nprint('Rows:\\\\n')"
    assert find_problems(notebook) == []


def saved_by_jupyterlab(notebook):
    """Add what JupyterLab writes when it saves a notebook."""
    notebook.metadata["kernelspec"]["display_name"] = "Python 3 (ipykernel)"
    notebook.metadata["language_info"].update(
        version="3.8.18",
        codemirror_mode={"name": "ipython", "version": 3},
        pygments_lexer="ipython3",
    )
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    for cell in notebook.cells:
        cell.metadata.update(editable=True, slideshow={"slide_type": ""}, collapsed=False)
    return notebook


def test_saving_in_jupyterlab_breaks_no_rule_and_recording_undoes_it():
    before = good()
    notebook = saved_by_jupyterlab(deepcopy(before))
    assert find_problems(notebook) == []
    assert normalize(notebook) == before


def test_a_picture_may_have_its_text_in_the_next_cell():
    notebook = good()
    first, second = notebook.cells[1:]
    first.outputs, second.outputs = [picture()], first.outputs
    assert find_problems(notebook) == []


def scratch(tmp_path, name, *sources):
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "gone", "display_name": "Gone", "language": "R"}
    path = tmp_path / f"{name}.ipynb"
    nbformat.write(notebook, str(path))
    return path


def test_record_gives_the_committed_form_and_the_same_bytes_twice(tmp_path):
    path = scratch(tmp_path, "01_a", "import sys", "print(1)\nprint(2)", "sys.version_info[0]", "")
    assert main(["record", "--folder", str(tmp_path)]) == 0
    once = path.read_bytes()
    notebook = nbformat.read(str(path), as_version=4)
    assert find_problems(notebook) == []
    assert notebook.metadata.kernelspec == KERNELSPEC
    assert [out.get("text") for out in notebook.cells[1].outputs] == ["1\n2\n"]
    assert notebook.cells[2].outputs[0].data["text/plain"] == "3"
    assert main(["record", "--folder", str(tmp_path)]) == 0
    assert path.read_bytes() == once


def test_record_leaves_a_failing_notebook_as_it_was(tmp_path, capsys):
    path = scratch(tmp_path, "02_b", "1 + 1", "None.missing", "print('never')")
    before = path.read_bytes()
    assert main(["record", "--folder", str(tmp_path)]) == 1
    assert path.read_bytes() == before
    assert "FAILED at cell [2]: AttributeError: 'NoneType' object" in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_cell_that_takes_too_long_and_a_dead_kernel_are_named(tmp_path):
    slow = nbformat.read(str(scratch(tmp_path, "s", "import time\ntime.sleep(60)")), as_version=4)
    with pytest.raises(NotebookError, match=r"cell \[1\]: took more than 1 s"):
        execute(slow, tmp_path, timeout=1)
    dead = nbformat.read(str(scratch(tmp_path, "d", "import os", "os._exit(3)")), as_version=4)
    with pytest.raises(NotebookError, match=r"cell \[2\]: the kernel died"):
        execute(dead, tmp_path)


def test_select_by_the_beginning_of_a_name(tmp_path):
    for name in ("02_b", "01_a", "10_c"):
        scratch(tmp_path, name, "1")
    assert [path.stem for path in select(tmp_path, [])] == ["01_a", "02_b", "10_c"]
    assert [path.stem for path in select(tmp_path, ["1", "02"])] == ["02_b", "10_c"]
    with pytest.raises(InputError, match="begins with '03'; there are: 01_a, 02_b, 10_c"):
        select(tmp_path, ["01", "03"])


def test_page_shows_formulas_and_outputs_without_a_network():
    notebook = good()
    notebook.cells[0].source = "# T\n$a_1$ is\n\n$$\\frac{1}{k}\\sum_{i=1}^k x_i$$\n"
    page = to_html(notebook, "A title")
    assert fetched(page) == []
    assert page.count("<math") == 2 and "<mfrac>" in page and "$" not in page.split("<main>")[1]
    assert "<title>A title</title>" in page and "<pre>3" in page


def test_page_has_a_title_neighbors_a_dark_scheme_and_words_for_figures():
    notebook = good()
    figure = picture()
    figure.metadata = {"image/png": {"alt": 'precision "at" <k>'}}
    notebook.cells[2].outputs = [figure]
    page = to_html(notebook, "2. Two", ("01_one.html", "1. One & only"), ("03.html", "3. Three"))
    assert '<html lang="en">' in page and "<title>2. Two</title>" in page
    assert page.count('href="01_one.html" rel="prev">← 1. One &amp; only</a>') == 2
    assert page.count('href="03.html"') == 2
    assert "alt='precision \"at\" &lt;k&gt;'" in page
    dark = page.split("@media screen and (prefers-color-scheme: dark) {")[1]
    assert "--jp-layout-color0: #111" in dark
    alone = to_html(notebook, "2. Two")
    assert "<nav" not in alone


def test_title_of_a_page_is_the_first_heading():
    assert title_of(good(), "01_a") == "A title"
    assert title_of(new_notebook(cells=[new_markdown_cell("## Small")]), "01_a") == "01_a"


def test_what_a_page_would_fetch_is_seen():
    page = (
        "<script src=\"https://cdn.org/require.js\"></script><img alt='' src=//x.org/a.png>"
        "<style>a{background:url(http://y.org/b)}</style><a href='https://fine.org'>a</a>"
    )
    found = ["".join(groups) for groups in fetched(page)]
    assert found == ["https://cdn.org/require.js", "//x.org/a.png", "http://y.org/b"]


def test_a_run_on_other_data_than_the_sample_does_not_speak_of_drawings(
    tmp_path, capsys, monkeypatch
):
    for name in ("image_train_data", "image_test_data"):
        copytree(ROOT / name, tmp_path / "mine" / name)
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", str(tmp_path / "mine"))
    scratch(tmp_path, "01_a", "print('first')")
    assert main(["run", "--folder", str(tmp_path), "--pages", str(tmp_path / "pages")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Data: the folder mine") and len(lines) == 3


def test_run_writes_a_page_for_each_and_goes_on_after_a_failure(tmp_path, capsys):
    scratch(tmp_path, "01_a", "print('first')")
    scratch(tmp_path, "02_b", "1 / 0")
    scratch(tmp_path, "03_c", "import image_retrieval, os\nprint(os.path.basename(os.getcwd()))")
    pages = tmp_path / "pages"
    options = ["--folder", str(tmp_path), "--pages", str(pages)]
    assert main(["run", *options]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Data: ") and len(lines) == 6
    assert re.fullmatch(r"01_a +\d+\.\d s  ok", lines[1])
    assert lines[2].endswith("FAILED at cell [1]: ZeroDivisionError: division by zero")
    assert lines[4].startswith("1 of 3 notebooks failed. Open ") and "02_b.html" in lines[4]
    assert "download of 170 MB and about a minute" in lines[5]
    assert lines[5].endswith("`make cifar10`, then `IMAGE_RETRIEVAL_DATA=cifar10 make run`.")
    assert "ZeroDivisionError" in (pages / "02_b.html").read_text(encoding="utf-8")
    assert f"<pre>{tmp_path.name}" in (pages / "03_c.html").read_text(encoding="utf-8")
    middle = (pages / "02_b.html").read_text(encoding="utf-8")
    assert re.findall(r'href="(\d\d_\w+\.html)"', middle)[:2] == ["01_a.html", "03_c.html"]
    assert main(["run", "01", *options]) == 0
    assert 'href="02_b.html"' in (pages / "01_a.html").read_text(encoding="utf-8")
    assert "01_a.html and the pages beside it" in capsys.readouterr().out


def test_kernel_is_this_python_and_not_one_the_user_installed(tmp_path, monkeypatch):
    other = tmp_path / "jupyter" / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text('{"argv": ["false"], "display_name": "x"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    path = scratch(tmp_path, "k", "import sys\nprint(sys.executable)")
    notebook = nbformat.read(str(path), as_version=4)
    execute(notebook, tmp_path)
    assert notebook.cells[0].outputs[0].text.strip() == sys.executable


def nbval(*paths):
    """Test notebooks in a pytest of their own, with the project's options."""
    # A notebook elsewhere would be tested without the project's conftest.
    options = [
        "-c",
        "pyproject.toml",
        "-p",
        "no:cacheprovider",
        "-p",
        "conftest",
        "-m",
        "long or not long",
    ]
    command = [sys.executable, "-m", "pytest", *options, *map(str, paths)]
    return subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, encoding="utf-8")


def test_a_notebook_that_cannot_run_here_is_named(monkeypatch):
    assert set(conftest.NEEDED) <= {path.stem for path in NOTEBOOKS}
    monkeypatch.setattr(conftest, "NEEDED", {"01_a": ("json", "no_such_module")})
    assert conftest.lacking("01_a") == "01_a needs no_such_module, not installed here"
    assert conftest.lacking("02_b") == ""


def test_an_output_edited_by_hand_fails_and_another_time_does_not(tmp_path):
    path = scratch(
        tmp_path,
        "01_a",
        "import os, time",
        "print(f'{time.time():.3f} s at {object()}')",
        "print('precision', 0.75)",
        "os.environ['IMAGE_RETRIEVAL_DATA']",
    )
    main(["record", "--folder", str(tmp_path)])
    edited = tmp_path / "02_edited.ipynb"
    edited.write_text(path.read_text().replace("precision 0.75", "precision 0.95"))
    done = nbval(path, edited)
    assert done.returncode == 1
    assert "1 failed, 7 passed" in done.stdout and "precision 0.95" in done.stdout
    assert "......F." in done.stdout


FRAME = ["| **Time** |", "| **You need** |", "After this notebook you can", "redict", "## Recap"]
FRAME += ["**To discuss:**", "## Exercises", "★ ", "★★ ", "★★★ ", "<details>"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_notebook_has_goals_time_predictions_recap_and_exercises_of_three_levels(path):
    cells = [cell.source for cell in nbformat.read(str(path), as_version=4).cells]
    assert [part for part in FRAME if part not in "\n".join(cells)] == []
    blank = cells.count("# Write your code here.")
    assert blank == "\n".join(cells).count("<details>") >= 3
