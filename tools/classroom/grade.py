"""Grading a folder of submitted notebooks."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from image_retrieval.errors import InputError, one_line, printable
from tools.classroom import feedback, gradebook, gradescope, report
from tools.classroom.course import ROOT, SOURCES, assignment_names
from tools.classroom.isolation import CONTAINER, SANDBOX, TRUST, Limits, choose, close
from tools.classroom.jobs import run_all
from tools.classroom.prepare import prepare, read
from tools.classroom.submissions import copy_files, find

GRADES = ROOT / "build" / "grades"
_SAID = {
    SANDBOX: "in a sandbox without network, with its own files only",
    CONTAINER: "as another user; the container is the wall around it",
    TRUST: "UNPROTECTED, with all your rights, because you trust it",
}


def add_arguments(parser):
    """Declare the options of the command."""
    parser.add_argument("--submissions", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=GRADES, metavar="FOLDER")
    parser.add_argument("--sources", type=Path, default=SOURCES, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=2, help="submissions at a time, 2 if not given")
    parser.add_argument("--seconds", type=int, help="for a run of a whole notebook")
    walls = parser.add_mutually_exclusive_group()
    walls.add_argument("--trust", action="store_true", help="run the submissions unprotected")
    walls.add_argument("--container", action="store_true", help="this is a container made for it")


def run(args):
    """Grade what is in the folder; write tables and pages."""
    if min(args.jobs, args.seconds or 1) < 1:
        raise InputError("--jobs and --seconds take whole numbers from 1 on")
    mode = choose(args.trust, args.container)
    limits = Limits(seconds=args.seconds) if args.seconds else Limits()
    found, complaints = find(args.submissions, assignment_names(args.sources))
    print(f"{len(found)} submissions. Their code runs {_SAID[mode]}.")
    for line in complaints:
        print(line)
    grading = Grading(args.output, found, args.sources)
    if mode == CONTAINER:
        for folder in (args.sources, args.submissions, args.output):
            close(folder)
    grading.grade(mode, limits, args.jobs)
    output = os.path.relpath(str(args.output))
    print(f"Points: {output}/points.csv. What was noticed: {output}/flags.csv.")
    print(f"Pages to return: {output}/feedback/STUDENT/ASSIGNMENT.html.")


class Grading:
    """The grading of some submissions in one output folder.

    Parameters
    ----------
    output : str or Path
        A folder as nbgrader has it; what is in it already stays.
    submissions : list of Submission
        What to grade.
    sources : str or Path
        The sources of the assignments.
    """

    def __init__(self, output, submissions, sources=SOURCES):
        self.output, self.submissions = Path(output), submissions
        names = sorted({each.assignment for each in submissions})
        self.course = gradebook.open_gradebook(output, names, sources)
        self.known = {name: gradebook.known_cells(self.course, name) for name in names}
        self.texts = {name: gradebook.texts(self.course, name) for name in names}
        self.prepared, self.flags, self.noticed = {}, {}, []

    def grade(self, mode, limits, jobs):
        """Run all submissions and write what is known about each as soon as it has run.

        Parameters
        ----------
        mode : str
            The walls, of `tools.classroom.isolation`.
        limits : Limits
            What each may use.
        jobs : int
            How many run at a time.
        """
        table, self.noticed = [], []
        with tempfile.TemporaryDirectory() as folder:
            for done, (submission, result) in enumerate(self._run(folder, mode, limits, jobs), 1):
                rows = self._write(submission, result)
                table += rows
                line = report.line(rows, self.noticed)
                print(f"[{done}/{len(self.submissions)}] {line}", flush=True)
        report.write(self.output, table, self.noticed)

    def _run(self, folder, mode, limits, jobs):
        """Yield each submission and its result; None for one that cannot be read."""
        started = []
        for submission in self.submissions:
            self._prepare(submission, Path(folder), limits)
            if self.prepared[submission] is None:
                yield submission, None
            else:
                started.append(submission)
        work = [self._job(submission, Path(folder)) for submission in started]
        for number, result in run_all(work, mode, limits, jobs):
            yield started[number], result

    def _prepare(self, submission, folder, limits):
        files = _place(folder, submission)
        files.mkdir(parents=True)
        try:
            prepared = prepare(read(submission.notebook), self.known[submission.assignment])
        except InputError as error:
            self.prepared[submission], self.flags[submission] = None, [str(error)]
            return
        left_out = copy_files(submission, files, limits.disk // 2)
        self.prepared[submission] = replace(prepared, flags=[*prepared.flags, *left_out])

    def _job(self, submission, folder):
        kept = self.output / "runs" / submission.student / f"{submission.assignment}.json"
        return self.prepared[submission], _place(folder, submission), kept

    def _write(self, submission, result):
        """Write the grades and the page of a submission; return its rows of the table."""
        try:
            return self._write_all(submission, result)
        except Exception as error:
            # A kernel that a stranger controls may have answered anything.
            self.prepared[submission] = None
            why = f"stopped: its outputs are of no use ({type(error).__name__}: {one_line(error)})"
            self.flags[submission] = [printable(why)]
            return self._write_all(submission, None)

    def _write_all(self, submission, result):
        prepared = self.prepared[submission]
        outputs = result["full"]["outputs"] if result else None
        gradebook.record(self.course, submission, prepared, outputs)
        rows, comments = gradebook.grades(self.course, submission)
        noticed = [*prepared.flags, *result["full"]["flags"]] if result else self.flags[submission]
        page, texts = self._page(submission), self.texts[submission.assignment]
        feedback.write(page, submission, prepared, result, rows, comments, texts)
        notes = feedback.notes(prepared, result, rows)
        gradescope.write_results(page.with_suffix(".json"), rows, notes)
        about = {"student": submission.student, "assignment": submission.assignment}
        self.noticed += [{**about, "flag": flag} for flag in noticed]
        return [{**about, **row, "flags": report.flags_of(row, noticed)} for row in rows]

    def _page(self, submission):
        return self.output / "feedback" / submission.student / f"{submission.assignment}.html"


def _place(folder, submission):
    return folder / submission.student / submission.assignment
