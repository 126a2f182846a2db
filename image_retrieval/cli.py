"""The command line: `image-retrieval COMMAND`, or `python -m image_retrieval COMMAND`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import textwrap
import traceback
from functools import partial
from importlib import import_module
from typing import Any, Callable

from image_retrieval.errors import ImageRetrievalError, printable

# As a shell counts programs that SIGINT and SIGPIPE have ended.
FAILED, INTERRUPTED, CLOSED = 2, 130, 141

PROGRAM, WIDTH = "image-retrieval", 80
COMMANDS = ("search", "index", "duplicates", "extract", "evaluate", "info", "completion")


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process when not given.

    Returns
    -------
    int
        Exit code: 0, 1 when a search finds nothing, 2 after an error told in one line on
        standard error, 130 when interrupted.
    """
    return guarded(lambda: _run(argv))


def guarded(work: Callable[..., Any]) -> int:
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
    except BrokenPipeError:
        # Who reads our output, such as `head`, has read enough. Python would say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except (ImageRetrievalError, OSError) as error:
        return _fail(error)
    except KeyboardInterrupt as reason:
        print(": ".join(["interrupted", *map(str, reason.args)]), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        return _fail(f"{type(error).__name__}: {error} ({_kept_details()})")


def _run(argv):
    parser = _parser()
    args = parser.parse_args(argv)
    args.parser = parser
    code = args.run(args)
    sys.stdout.flush()
    return code


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
        prog=PROGRAM,
        description="Find pictures by what they show, and build and measure the data for it.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, about, examples, add_arguments, run in _commands():
        # `python -OO` leaves a module's text out.
        summary, _, details = (about or name).strip().partition("\n")
        command = commands.add_parser(
            name,
            help=summary,
            description=textwrap.fill(f"{summary} {' '.join(details.split())}", WIDTH),
            epilog="\n".join(f"example: {PROGRAM} {name} {each}".strip() for each in examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_arguments(command)
        command.set_defaults(run=run)
    return parser


def _commands():
    """Yield name, help, examples, declaration of options and function of each command."""
    # Imported behind the door: a package they need may be damaged.
    from image_retrieval.commands import build
    from image_retrieval.datasets.registry import CARDS

    for name in COMMANDS:
        module = import_module(f"image_retrieval.commands.{name}")
        yield name, module.__doc__, module.EXAMPLES, module.add_arguments, module.run
    for name, card in CARDS.items():
        add_arguments, run = partial(build.add_arguments, card), partial(build.run, card)
        yield name, card.about, build.examples(card), add_arguments, run
