"""Tables of points and of what was noticed, and the line that is printed for a submission."""

from pathlib import Path

import pandas as pd

from image_retrieval.files import atomic_file

COLUMNS = ["student", "assignment", "question", "points", "max_points", "graded", "flags"]
FLAGS = ["student", "assignment", "flag"]
_ORDER = ["student", "assignment"]
_SHOWN = 3


def write(folder, rows, noticed):
    """Write the tables.

    `points.csv` has a row for each student and question, `points_ASSIGNMENT.csv` a row for each
    student, and `flags.csv` a row for everything that was noticed.

    Parameters
    ----------
    folder : str or Path
        Where.
    rows, noticed : list of dict
        With the keys `COLUMNS` and `FLAGS`.
    """
    folder = Path(folder)
    points = pd.DataFrame(rows, columns=COLUMNS).sort_values(_ORDER, kind="stable")
    flags = pd.DataFrame(noticed, columns=FLAGS).sort_values(_ORDER, kind="stable")
    _write(points, folder / "points.csv")
    _write(flags, folder / "flags.csv")
    for assignment, part in points.groupby("assignment"):
        about = flags[flags["assignment"] == assignment]
        _write(wide(part, about), folder / f"points_{assignment}.csv")


def wide(points, flags):
    """Return one assignment's points with a row for each student.

    Parameters
    ----------
    points, flags : pandas.DataFrame
        With the columns `COLUMNS` and `FLAGS`.

    Returns
    -------
    pandas.DataFrame
        `student`, the questions' points in their order, `total`, `max_points`, `to_grade` (how
        many questions a person has yet to grade) and `flags`.
    """
    table = points.pivot(index="student", columns="question", values="points")
    table = table[list(dict.fromkeys(points["question"]))]
    students = points.groupby("student")
    table["total"] = students["points"].sum()
    table["max_points"] = students["max_points"].sum()
    table["to_grade"] = students["points"].agg(lambda column: column.isna().sum())
    joined = flags.groupby("student")["flag"].agg("; ".join)
    table["flags"] = joined.reindex(table.index).fillna("")
    return table.reset_index()


def flags_of(row, noticed):
    """Return those of the flags that are about the question of a row, as one text."""
    return "; ".join(flag for flag in noticed if flag.startswith(f"{row['question']}: "))


def line(rows, noticed):
    """Return what is to be said of one submission in one line.

    Parameters
    ----------
    rows, noticed : list of dict
        Its rows of the table, and what was noticed, about it and perhaps others.
    """
    student, assignment = rows[0]["student"], rows[0]["assignment"]
    text = f"{student} {assignment}: {_points(rows)}"
    waiting = sum(row["points"] is None for row in rows)
    text += f", {waiting} to grade by hand" if waiting else ""
    flags = [
        each["flag"] for each in noticed if [each[key] for key in _ORDER] == [student, assignment]
    ]
    more = f"; {len(flags) - _SHOWN} more" if len(flags) > _SHOWN else ""
    return "; ".join([text, *flags[:_SHOWN]]) + more


def _points(rows):
    points = sum(row["points"] or 0 for row in rows)
    return f"{points:g} of {sum(row['max_points'] for row in rows):g} points"


def _write(table, path):
    with atomic_file(path) as temporary:
        table.to_csv(str(temporary), index=False, encoding="utf-8")
