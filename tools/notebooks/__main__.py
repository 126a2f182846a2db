"""Run the notebooks into HTML pages, record their outputs in place, or check their rules."""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat

from image_retrieval.cli import guarded
from image_retrieval.datasets import locate
from image_retrieval.datasets.registry import get_card
from image_retrieval.errors import InputError
from image_retrieval.files import atomic_file
from tools.notebooks.check import find_problems
from tools.notebooks.execute import ROOT, SAMPLE_ENVIRONMENT, NotebookError, execute
from tools.notebooks.normalize import normalize


def main(arguments=None):
    """Run the command line; return the exit code."""
    return guarded(lambda: _run(arguments))


def _run(arguments):
    options = _parser().parse_args(arguments)
    # make hands several names over as one.
    paths = select(options.folder, " ".join(options.names).split())
    if options.command == "check":
        return check(paths)
    return record(paths) if options.command == "record" else run(paths, options.pages)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument(
        "command",
        choices=["run", "record", "check"],
        help="run: write a page for each notebook; record: save the outputs in the notebooks; "
        "check: list what keeps a notebook from being committed, without running it",
    )
    parser.add_argument("names", nargs="*", help="beginnings of names, such as 02; all when none")
    parser.add_argument("--folder", type=Path, default=ROOT / "notebooks")
    parser.add_argument("--pages", type=Path, default=ROOT / "build" / "notebooks")
    return parser


def select(folder, names):
    """Return the notebooks of `folder` in order, or those whose names begin with `names`."""
    paths = sorted(Path(folder).glob("*.ipynb"))
    unknown = [name for name in names if not any(p.name.startswith(name) for p in paths)]
    if unknown or not paths:
        known = ", ".join(path.stem for path in paths) or "none"
        wanted = " or ".join(map(repr, unknown)) or "anything"
        raise InputError(f"no notebook in {folder} begins with {wanted}; there are: {known}")
    return [path for path in paths if not names or path.name.startswith(tuple(names))]


def run(paths, pages):
    """Execute the notebooks in order and write a page for each; return 1 if one failed."""
    location = locate()
    print(location.description, flush=True)
    failed = []
    for path in paths:
        notebook, ran = attempt(path)
        failed += [] if ran else [path]
        write_page(notebook, pages / f"{path.stem}.html", *_around(path, paths, pages))
    page = os.path.relpath(pages / f"{(failed or paths)[0].stem}.html")
    if failed:
        print(f"{len(failed)} of {len(paths)} notebooks failed. Open {page} to see where.")
    else:
        print(f"All {len(paths)} notebooks ran. Open {page} and the pages beside it.")
    if location.name == "sample":
        print(real_photographs())
    return 1 if failed else 0


def real_photographs():
    """Return a line that says how to get what the sample stands in for."""
    card = get_card("cifar10")
    return (
        f"The pictures are drawn. For the real photographs ({card.effort}): `{card.command}`, "
        f"then `{card.variable}={card.name} make run`."
    )


def record(paths):
    """Execute the notebooks on the bundled sample and save their outputs in place.

    A notebook that fails is left as it was. Returns 1 if one failed.
    """
    os.environ.update(SAMPLE_ENVIRONMENT)
    failures = 0
    for path in paths:
        notebook, ran = attempt(path)
        failures += not ran
        if ran:
            with atomic_file(path) as temporary:
                nbformat.write(normalize(notebook), str(temporary))
    return 1 if failures else 0


def check(paths):
    """Print the rules that the notebooks break, one a line; return 1 if there are any."""
    problems = [
        f"{path.name}, {problem}"
        for path in paths
        for problem in find_problems(nbformat.read(str(path), as_version=4))
    ]
    print("\n".join(problems) or f"{len(paths)} notebooks keep the rules.")
    return 1 if problems else 0


def attempt(path):
    """Execute the notebook at `path` and print its line.

    Returns
    -------
    notebook : nbformat.NotebookNode
        With its new outputs, up to the failing cell if it failed.
    ran : bool
        Whether every cell ran.
    """
    notebook = nbformat.read(str(path), as_version=4)
    started, outcome = time.perf_counter(), "ok"
    try:
        execute(notebook, path.parent)
    except NotebookError as error:
        outcome = f"FAILED at {error}"
    seconds = time.perf_counter() - started
    print(f"{path.stem:<32} {seconds:6.1f} s  {outcome}", flush=True)
    return notebook, outcome == "ok"


def _around(path, paths, pages):
    """Return (address, title) of the pages before and after a notebook's, or None."""
    others = sorted(path.parent.glob("*.ipynb"))
    shown = [p for p in others if p in paths or (pages / f"{p.stem}.html").exists()]
    place = shown.index(path)
    beside = [shown[at] if 0 <= at < len(shown) else None for at in (place - 1, place + 1)]
    return [(f"{p.stem}.html", _title(p)) if p else None for p in beside]


def _title(path):
    from tools.notebooks.page import title_of

    return title_of(nbformat.read(str(path), as_version=4), path.stem)


def write_page(notebook, path, previous=None, following=None):
    """Write the executed notebook as an HTML page at `path`, linked with those beside it."""
    from tools.notebooks.page import title_of, to_html

    page = to_html(notebook, title_of(notebook, path.stem), previous, following)
    with atomic_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
