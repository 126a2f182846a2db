"""Tables of points: a row for each student and question, and a column for each question."""

from pathlib import Path

import pandas as pd

from image_retrieval.files import atomic_file

COLUMNS = ["student", "assignment", "question", "points", "max_points", "graded", "flags"]


def write(folder, rows):
    """Write `points.csv`, and `points_ASSIGNMENT.csv` with a row for each student.

    Parameters
    ----------
    folder : str or Path
        Where.
    rows : list of dict
        The long table's, with all its columns.
    """
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.sort_values(["student", "assignment"], kind="stable")
    _write(table, Path(folder) / "points.csv")
    for assignment, part in table.groupby("assignment"):
        _write(wide(part), Path(folder) / f"points_{assignment}.csv")


def wide(table):
    """Return one assignment's table with a row for each student and a column for each question.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns of `COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        `student`, the questions' points in their order, `total`, `max_points`, `to_grade` (how
        many questions a person has yet to grade) and `flags`.
    """
    points = table.pivot(index="student", columns="question", values="points")
    points = points[list(dict.fromkeys(table["question"]))]
    students = table.groupby("student")
    points["total"] = students["points"].sum()
    points["max_points"] = students["max_points"].sum()
    points["to_grade"] = students["points"].agg(lambda column: column.isna().sum())
    points["flags"] = students["flags"].first()
    return points.reset_index()


def line(rows):
    """Return what is to be said of one submission, given its rows, in one line."""
    points = sum(row["points"] or 0 for row in rows)
    total = sum(row["max_points"] for row in rows)
    waiting = sum(row["points"] is None for row in rows)
    text = f"{rows[0]['student']} {rows[0]['assignment']}: {points:g} of {total:g} points"
    text += f", {waiting} questions to grade by hand" if waiting else ""
    return f"{text}; {rows[0]['flags']}" if rows[0]["flags"] else text


def _write(table, path):
    with atomic_file(path) as temporary:
        table.to_csv(str(temporary), index=False, encoding="utf-8")
