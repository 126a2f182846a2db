"""Print what makes a shell complete this command's words.

For bash, add the line `eval "$(image-retrieval completion bash)"` to ~/.bashrc. For zsh, write
the text into a file _image-retrieval in a folder of $fpath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

EXAMPLES = ("bash", "zsh > ~/.zfunc/_image-retrieval")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")


def run(args: Namespace) -> None:
    """Print the script."""
    import shtab

    print(shtab.complete(_with_files(args.parser), args.shell))


def _with_files(parser):
    """Return a parser of which the arguments that take a path complete files and folders."""
    import shtab

    for command in parser._subparsers._group_actions[0].choices.values():
        for action in command._actions:
            if action.metavar in ("PICTURE", "FILE", "PATH"):
                action.complete = shtab.FILE
            elif action.metavar in ("FOLDER", "PLACE", "FOLDER|DATA"):
                action.complete = shtab.DIRECTORY
    return parser
