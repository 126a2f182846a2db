"""Writing an autograder that Gradescope runs, and results in the form that it reads.

The forms are Gradescope's own, https://gradescope-autograders.readthedocs.io: a zip with
`setup.sh` and `run_autograder`, submissions in `/autograder/submission`, and
`/autograder/results/results.json`.
"""

import json

from image_retrieval.files import atomic_file


def write_results(path, rows, notes):
    """Write Gradescope's results of one submission.

    Parameters
    ----------
    path : Path
        `results.json`, or where else.
    rows : list of dict
        Of the questions, as `tools.classroom.gradebook.grades` returns them.
    notes : dict
        What is said to the student about a question, by its name.
    """
    tests = [_test(row, notes.get(row["question"], "")) for row in rows]
    results = {"tests": tests, "visibility": "visible", "stdout_visibility": "hidden"}
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _test(row, note):
    waits = row["points"] is None
    return {
        "name": row["question"],
        "score": row["points"] or 0.0,
        "max_score": row["max_points"],
        "output": "This answer is graded by hand." if waits else note,
        "output_format": "text",
        "visibility": "visible",
    }
