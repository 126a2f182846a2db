"""The command line: `python -m image_retrieval COMMAND`."""

import argparse
import sys
from functools import partial

from image_retrieval.commands import build, evaluate
from image_retrieval.datasets.registry import CARDS
from image_retrieval.errors import ImageRetrievalError

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
    args = _parser().parse_args(argv)
    try:
        return args.run(args) or 0
    except (ImageRetrievalError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m image_retrieval",
        description="Build and measure the data of the image retrieval course.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, about, add_arguments, run in _commands():
        summary, _, details = about.partition("\n")
        command = commands.add_parser(name, help=summary, description=f"{summary} {details}")
        add_arguments(command)
        command.set_defaults(run=run)
    return parser


def _commands():
    """Yield the name, help, declaration of options and function of each command."""
    for name, card in CARDS.items():
        yield name, card.about, partial(build.add_arguments, card), partial(build.run, card)
    yield "evaluate", evaluate.__doc__, evaluate.add_arguments, evaluate.run
