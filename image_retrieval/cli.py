"""The command line: `python -m image_retrieval COMMAND`."""

import argparse
import sys
from importlib import import_module

from image_retrieval.errors import ImageRetrievalError

# Each is a module of `image_retrieval.commands`.
COMMANDS = (
    "caltech101",
    "cifar10",
    "evaluate",
    "folder",
)
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
    for name in COMMANDS:
        module = import_module(f"image_retrieval.commands.{name}")
        summary, _, details = module.__doc__.partition("\n")
        command = commands.add_parser(name, help=summary, description=f"{summary} {details}")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
