"""Running one submission, in a process of its own.

The job's folder holds `files/`, what was handed in beside the notebook, and in `private/`
`job.json` (the walls and the limits), `full.ipynb` with the hidden tests and `visible.ipynb`
without them; there it writes `result.json`. Where a test fails, the notebook runs once more
without the hidden tests, in a kernel that has never seen them, and only what that run shows is
explained to the student.
"""

import json
from pathlib import Path

import nbformat

from image_retrieval.errors import one_line
from tools.classroom.isolation import Limits, hand_over, kernel_variables
from tools.classroom.kernel import ENDED, Client, failure, is_test, kernel_manager
from tools.notebooks.execute import SAMPLE_ENVIRONMENT, kernel_environment

PRIVATE = "private"
_ATTEMPTS = 3


def main(folder):
    """Run the job in `folder` and write its result."""
    folder = Path(folder)
    private = folder / PRIVATE
    for path in (folder / "files", *(folder / "files").rglob("*")):
        hand_over(path)
    job = json.loads((private / "job.json").read_text(encoding="utf-8"))
    limits = Limits(**job["limits"])
    full = run(folder, "full", job["mode"], limits)
    again = full["failed"] and not full["stopped"]
    visible = run(folder, "visible", job["mode"], limits) if again else None
    text = json.dumps({"full": full, "visible": visible})
    (private / "result.json").write_text(text, encoding="utf-8")


def run(folder, name, mode, limits):
    """Run one of the job's notebooks.

    Parameters
    ----------
    folder : Path
        The job's folder.
    name : str
        The notebook, without its ending.
    mode : str
        The walls, of `tools.classroom.isolation`.
    limits : Limits
        What it may use.

    Returns
    -------
    dict
        `outputs`, a list for each cell, or None when no kernel started; `failed`, the names of
        the tests that did not pass; `stopped`, whether it was ended before its end; and `flags`,
        lines that say what was noticed.
    """
    for _ in range(_ATTEMPTS):
        client = _run_once(folder, name, mode, limits)
        # No submission is to blame for a kernel that does not even start.
        if client.began:
            break
    return _result(client)


def _run_once(folder, name, mode, limits):
    notebook = nbformat.read(str(folder / PRIVATE / f"{name}.ipynb"), as_version=4)
    client = Client(notebook, limits, kernel_manager(folder, mode, limits))
    try:
        client.execute(env=_variables(mode, folder / "files"), cwd=str(folder / "files"))
    except Exception as error:
        # Whatever a kernel that a stranger controls may answer, it costs this submission only.
        client.stop(f"{type(error).__name__}: {one_line(error)}")
    finally:
        client.close()
    return client


def _variables(mode, files):
    return {**kernel_environment(), **SAMPLE_ENVIRONMENT, **kernel_variables(mode, files)}


def _result(client):
    cells = client.nb.cells
    tests = {
        number: cell.metadata.nbgrader.grade_id
        for number, cell in enumerate(cells)
        if is_test(cell)
    }
    outputs = [cell.get("outputs", []) for cell in cells]
    for number in tests:
        outputs[number] = client.outcomes.get(number, [failure("AssertionError", "not run")])
    failed = [name for name in tests.values() if name not in client.passed]
    stopped = bool(client.stopped) and client.stopped != ENDED
    outputs = outputs if client.began else None
    return {"outputs": outputs, "failed": failed, "stopped": stopped, "flags": client.flags}
