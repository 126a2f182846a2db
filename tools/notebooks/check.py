"""The rules a committed notebook keeps, as a list of what it breaks.

A cell that was never run is not compared by nbval, so that a stripped notebook would pass
every test: hence the rules about execution counts.
"""

import json
import re

from tools.notebooks.normalize import KERNELSPEC, LANGUAGE_INFO

MAX_BYTES = 3_000_000
MAX_LINES = 15
ABSOLUTE_PATH = re.compile(
    r"(?<![\w./:<-])(?:/(?:home|Users|work|root|tmp|private|mnt|opt|var|content)/\w|[A-Z]:\\{1,2}\w)"
)
BRITISH = re.compile(
    r"\b(?:neighbour\w*|colour\w*|grey|centre[ds]?|normalis\w+|visualis\w+|optimis\w+|behaviour\w*)\b",
    re.IGNORECASE,
)


def find_problems(notebook):
    """Return what keeps `notebook` from being committed, one line a problem.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A notebook as read from its file.

    Returns
    -------
    list of str
        Empty when every rule is kept.
    """
    problems = [*_whole_notebook(notebook)]
    counted = 0
    for position, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code":
            counted += 1
            found = _code_cell(cell, counted)
        else:
            found = _spelling(cell.source)
        problems += [f"cell {position}: {problem}" for problem in found]
    return problems + [*_silent_pictures(notebook)]


def _whole_notebook(notebook):
    # JupyterLab writes its own name for the kernel and the Python's version when it saves.
    for part, known in (("kernelspec", KERNELSPEC), ("language_info", LANGUAGE_INFO)):
        name = notebook.metadata.get(part, {}).get("name")
        if name != known["name"]:
            yield f"its {part} is {name!r}, not {known['name']!r}; run `make notebooks`"
    if not any(cell.cell_type == "code" for cell in notebook.cells):
        yield "it holds no code cell"
    if not notebook.cells or not notebook.cells[-1].source.strip():
        yield "its last cell is empty"
    size = len(json.dumps(notebook))
    if size > MAX_BYTES:
        yield f"it has {size:,} bytes, more than {MAX_BYTES:,}"


def _code_cell(cell, expected):
    if cell.execution_count != expected:
        yield f"its execution count is {cell.execution_count}, not {expected}: run from the top"
    lines = len(cell.source.splitlines())
    if lines > MAX_LINES:
        yield f"it has {lines} lines, more than {MAX_LINES}"
    if ABSOLUTE_PATH.search(cell.source):
        yield f"an absolute path: {_around(ABSOLUTE_PATH, cell.source)}"
    yield from _spelling(cell.source)
    for output in cell.outputs:
        yield from _output(output)


def _output(output):
    if output.output_type == "error":
        yield f"an error output: {output.ename}: {output.evalue}"
    if output.output_type == "stream" and output.name == "stderr":
        yield f"output on stderr: {output.text.strip().splitlines()[-1:]}"
    if _undescribed(output):
        yield "a picture without alternative text; draw it on `plots.empty_axes`"
    for text in _texts(output):
        if ABSOLUTE_PATH.search(text):
            yield f"an absolute path in its output: {_around(ABSOLUTE_PATH, text)}"


def _undescribed(output):
    kinds = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
    return [kind for kind in kinds if not output.metadata.get(kind, {}).get("alt")]


def _silent_pictures(notebook):
    # nbval does not compare pictures: printed text beside one is what a test can check.
    cells = [
        (position, cell)
        for position, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code"
    ]
    for at, (position, cell) in enumerate(cells):
        beside = [near for _, near in cells[max(at - 1, 0) : at + 2]]
        if _has_picture(cell) and not any(map(_has_text, beside)):
            yield f"cell {position}: a picture without text beside it that a test can compare"


def _has_picture(cell):
    return any(
        kind.startswith("image/") for output in cell.outputs for kind in output.get("data", {})
    )


def _has_text(cell):
    texts = [text for output in cell.outputs for text in _texts(output)]
    return any(text.strip() and not re.match(r"\s*<[^\n]*>\s*$", text) for text in texts)


def _texts(output):
    yield output.get("text", "")
    for kind, value in output.get("data", {}).items():
        if kind.startswith("text/"):
            yield re.sub(r"base64,[A-Za-z0-9+/=]+", "", value)


def _spelling(text):
    for word in sorted(set(BRITISH.findall(text))):
        yield f"spell {word!r} the American way"


def _around(pattern, text):
    found = pattern.search(text)
    return text[found.start() : found.start() + 40].splitlines()[0]
