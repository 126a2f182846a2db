"""Running prepared submissions, each in a process of its own, and keeping what came out."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import nbformat

from image_retrieval.files import atomic_file
from tools.classroom.execution import PRIVATE
from tools.classroom.isolation import outer_command
from tools.classroom.kernel import is_test
from tools.notebooks.execute import ROOT

# Starting and ending two kernels.
_SPARE_SECONDS = 120


def run_all(jobs, mode, limits, workers):
    """Run jobs, several at a time.

    Parameters
    ----------
    jobs : list of tuple
        A prepared submission, the folder of its files, and the file that keeps the result.
    mode : str
        The walls, of `tools.classroom.isolation`.
    limits : Limits
        What each may use.
    workers : int
        How many run at a time.

    Yields
    ------
    int, dict
        The job's number and its result, as `run_job` returns it, in the order they end.
    """
    with ThreadPoolExecutor(workers) as pool:
        started = {
            pool.submit(run_job, *job, mode, limits): number for number, job in enumerate(jobs)
        }
        try:
            for done in as_completed(started):
                yield started[done], done.result()
        finally:
            # Else an interrupted grading would wait for all that have not even begun.
            for job in started:
                job.cancel()


def run_job(prepared, files, kept, mode, limits):
    """Run a submission, unless the very same was run before; return what its run showed.

    Returns
    -------
    dict
        `full` and `visible`, as `tools.classroom.execution.run` returns them; `visible` is None
        where nothing failed.
    """
    key = _key(prepared, files, limits)
    if kept.exists():
        result = json.loads(kept.read_text(encoding="utf-8"))
        if result["key"] == key:
            return result
    result = {**_run_in_process(prepared, files, mode, limits), "key": key}
    if result["full"]["outputs"] is not None:
        with atomic_file(kept) as temporary:
            temporary.write_text(json.dumps(result), encoding="utf-8")
    return result


def _run_in_process(prepared, files, mode, limits):
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        folder = Path(place)
        _fill(folder, prepared, files, mode, limits)
        problem = _execute(folder, mode, limits)
        result = folder / PRIVATE / "result.json"
        if result.exists():
            return json.loads(result.read_text(encoding="utf-8"))
    return _nothing(prepared, f"stopped: the run failed: {problem}")


def _fill(folder, prepared, files, mode, limits):
    # A kernel that runs as another user has to get to its files, and to nothing else.
    folder.chmod(0o711)
    private = folder / PRIVATE
    private.mkdir(mode=0o700)
    nbformat.write(prepared.full, str(private / "full.ipynb"))
    nbformat.write(prepared.visible, str(private / "visible.ipynb"))
    job = json.dumps({"mode": mode, "limits": asdict(limits)})
    (private / "job.json").write_text(job, encoding="utf-8")
    shutil.copytree(str(files), str(folder / "files"))


def _execute(folder, mode, limits):
    """Run the job in a folder; return the last line of what went wrong."""
    try:
        done = subprocess.run(
            [*outer_command(mode), sys.executable, "-m", "tools.classroom.worker", str(folder)],
            cwd=str(ROOT),
            timeout=2 * limits.seconds + _SPARE_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it did not end"
    return done.stderr.decode(errors="replace").strip().rpartition("\n")[2]


def _nothing(prepared, flag):
    """Return the result of a run that did not come to any."""
    cells = prepared.full.cells
    failed = [cell.metadata.nbgrader.grade_id for cell in cells if is_test(cell)]
    return {"full": {"outputs": None, "failed": failed, "flags": [flag]}, "visible": None}


def _key(prepared, files, limits):
    total = hashlib.sha256(f"{sys.version} {limits}".encode())
    for notebook in (prepared.full, prepared.visible):
        cells = [[cell.source, dict(cell.metadata)] for cell in notebook.cells]
        total.update(json.dumps(cells, sort_keys=True).encode())
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(files)} {path.stat().st_size}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()
