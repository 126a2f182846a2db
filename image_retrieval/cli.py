"""The command line: `python -m image_retrieval COMMAND`."""

import argparse
import sys
import tempfile
import traceback
from functools import partial

from image_retrieval.errors import ImageRetrievalError, printable

FAILED, INTERRUPTED = 2, 130


def main(argv=None):
    """Run a command.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process when not given.

    Returns
    -------
    int
        Exit code: 0, 2 after an error told in one line on standard error, 130 when
        interrupted.
    """
    return guarded(lambda: _run(argv))


def guarded(work):
    """Call `work`, and return an exit code whatever it does.

    Parameters
    ----------
    work : callable
        Takes nothing and returns an exit code, or None for 0.

    Returns
    -------
    int
        As for `main`. The traceback of an error that nobody foresaw is kept in a file, which
        the line names.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal's encoding may lack the letters of a label.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        return work() or 0
    except (ImageRetrievalError, OSError) as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _fail(f"{type(error).__name__}: {error} ({_kept_details()})")


def _run(argv):
    args = _parser().parse_args(argv)
    return args.run(args)


def _fail(error):
    print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)
    return FAILED


def _kept_details():
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="image-retrieval-", suffix=".log", delete=False
        ) as file:
            file.writelines(f"{printable(line)}\n" for line in traceback.format_exc().splitlines())
    except OSError:
        return "its details could not be written"
    return f"nobody foresaw this; its details are in {file.name}"


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m image_retrieval",
        description="Build and measure the data of the image retrieval course.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, about, add_arguments, run in _commands():
        # `python -OO` leaves a module's text out.
        summary, _, details = (about or name).partition("\n")
        command = commands.add_parser(name, help=summary, description=f"{summary} {details}")
        add_arguments(command)
        command.set_defaults(run=run)
    return parser


def _commands():
    """Yield the name, help, declaration of options and function of each command."""
    # Imported behind the door: a package they need may be damaged.
    from image_retrieval.commands import build, evaluate
    from image_retrieval.datasets.registry import CARDS

    for name, card in CARDS.items():
        yield name, card.about, partial(build.add_arguments, card), partial(build.run, card)
    yield "evaluate", evaluate.__doc__, evaluate.add_arguments, evaluate.run
