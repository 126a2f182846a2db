"""Run a command of the classroom: `python -m tools.classroom COMMAND`."""

import argparse
import sys
from importlib import import_module

from image_retrieval.cli import guarded

# A module of each command has `add_arguments(parser)` and `run(args)`, which returns nothing or
# an exit code. Only the one that is asked for is imported.
COMMANDS = {
    "release": "make the students' versions and the solutions of the assignments",
    "grade": "grade a folder of submitted notebooks",
    "gradescope": "write an autograder that Gradescope runs",
}


def main(argv=None):
    """Run a command.

    Parameters
    ----------
    argv : list of str, optional
        The command's name and its arguments; those of the process when not given.

    Returns
    -------
    int
        Exit code, as of `image_retrieval.cli.main`.
    """
    return guarded(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv):
    parser = argparse.ArgumentParser(prog="python -m tools.classroom", description=__doc__)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name, about in COMMANDS.items():
        command = commands.add_parser(name, help=about, description=about)
        if argv[:1] == [name]:
            module = import_module(f"tools.classroom.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
