"""The page a student gets back: the notebook as handed in, the points, and no hidden test.

It is made of two things only: what was handed in, and a run in which the hidden tests took no
part. Nothing in it is interpreted: a browser that opens it runs no script and asks no server.
"""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from nbconvert.filters import strip_ansi
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from image_retrieval.files import atomic_file
from tools.classroom.kernel import UNDONE, is_test
from tools.notebooks.page import markdown_to_html

_FOLDER = Path(__file__).parent
_LONGEST = 5000
_PICTURES = ("image/png", "image/jpeg")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_NOT_RUN = "The notebook could not be run to its end."
_UNDONE = "Not answered yet."
_HIDDEN = "Only a hidden test fails: it calls your code with other values."
_UNREADABLE = "The file that was handed in is not a notebook that can be read."
_DELETED = "The cell of this question is missing from the notebook that was handed in."


def write(path, submission, prepared, result, rows, comments, texts):
    """Write the page of one submission.

    Parameters
    ----------
    path : Path
        Where.
    submission : Submission
        Whose.
    prepared : Prepared or None
        None for one that cannot be read.
    result : dict or None
        What its runs showed.
    rows, comments : list of dict, dict
        As `tools.classroom.gradebook.grades` returns them.
    texts : set of str
        The Markdown that is the instructor's, and so may have formulas and HTML.
    """
    cells = _cells(prepared, result, rows, comments, texts) if prepared else []
    shown = {cell["name"] for cell in cells}
    lost = [row for row in rows if row["question"] not in shown]
    page = _template().render(
        submission=submission,
        rows=rows,
        total=sum(row["points"] or 0 for row in rows),
        of=sum(row["max_points"] for row in rows),
        cells=cells + [_lost(row, prepared) for row in lost],
        flags=_told(prepared, result),
        css=Markup((_FOLDER / "feedback.css").read_text(encoding="utf-8")),
        colors=Markup(HtmlFormatter().get_style_defs(".code")),
    )
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def note(row, result, number):
    """Return why a question has not all its points, as its author may know it.

    Parameters
    ----------
    row : dict
        The question's.
    result : dict or None
        What the runs showed.
    number : int
        Of the cell of its tests.
    """
    if row["points"] is None or row["points"] == row["max_points"]:
        return ""
    outputs = ((result or {}).get("visible") or {}).get("outputs")
    if outputs is None:
        return _NOT_RUN
    errors = [each for each in outputs[number] if each["output_type"] == "error"]
    if not errors:
        return _HIDDEN
    name, text = errors[0]["ename"], errors[0]["evalue"]
    if name == UNDONE and not text:
        return _UNDONE
    return strip_ansi(f"{name}: {text}")[:_LONGEST]


def notes(prepared, result, rows):
    """Return `note` of each question, by name."""
    by_name = {row["question"]: row for row in rows}
    found = dict.fromkeys(by_name, _DELETED if prepared else _UNREADABLE)
    for number, cell in enumerate(prepared.shown.cells if prepared else []):
        name = _name(cell)
        if name in by_name:
            found[name] = note(by_name[name], result, number) if is_test(cell) else ""
    return found


def _template():
    environment = Environment(
        loader=FileSystemLoader(str(_FOLDER)), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("feedback.html")


def _told(prepared, result):
    """Return what was noticed, but for what the run with the hidden tests said."""
    visible = (result or {}).get("visible") or {}
    return [*(prepared.flags if prepared else []), *visible.get("flags", [])]


def _cells(prepared, result, rows, comments, texts):
    by_name = {row["question"]: row for row in rows}
    explained = notes(prepared, result, rows)
    return [
        {
            "name": _name(cell),
            "kind": _kind(cell, texts),
            "source": _source(cell, texts),
            "outputs": [] if is_test(cell) else list(map(_output, cell.get("outputs", []))),
            "row": by_name.get(_name(cell)),
            "note": explained.get(_name(cell), ""),
            "comment": comments.get(_name(cell), ""),
        }
        for cell in prepared.shown.cells
    ]


def _lost(row, prepared):
    why = _DELETED if prepared else _UNREADABLE
    return {"name": row["question"], "kind": "lost", "row": row, "note": why}


def _kind(cell, texts):
    if is_test(cell):
        return "tests"
    if cell.cell_type == "code":
        return "code"
    return "course" if cell.source in texts else "answer"


def _source(cell, texts):
    if cell.cell_type == "code":
        return Markup(highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True)))
    return Markup(markdown_to_html(cell.source)) if cell.source in texts else cell.source


def _output(output):
    if output["output_type"] == "stream":
        return {"text": _cut(output["text"])}
    if output["output_type"] == "error":
        return {"text": _cut("\n".join(output["traceback"])), "error": True}
    data = output.get("data", {})
    for kind in _PICTURES:
        if kind in data and _BASE64.fullmatch(str(data[kind])):
            return {"picture": f"data:{kind};base64,{''.join(data[kind].split())}"}
    return {"text": _cut(str(data.get("text/plain", "")))}


def _cut(text):
    text = strip_ansi(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… and more"


def _name(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")
