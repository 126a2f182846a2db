"""Set up an edition's environment, name its interpreter, or compile the requirements.

usage: python3 -m tools.environment {setup,python,compile} [EDITION]
       python3 -m tools.environment link EDITION  (lets this very Python import the edition)
"""

import os
import sys
from pathlib import Path

from tools.environment.build import compile_requirements, ensure, make_importable
from tools.environment.choice import PREFERRED, choose, ready_choice
from tools.environment.editions import EDITIONS, SetupError
from tools.environment.folders import interpreter

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments=None):
    """Run the command line, an action and perhaps an edition; return the exit code."""
    action, *names = sys.argv[1:] if arguments is None else arguments
    actions = {"setup": set_up, "python": name_python, "compile": compile_all, "link": link}
    try:
        actions[action](names[0] if names else None)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"The set-up stopped: {error}. Once that is mended, it starts again.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("\nThe set-up was stopped; the next call starts it again.", file=sys.stderr)
        return 130
    return 0


def set_up(name):
    """Make the environment of the edition, or of the one that fits, and say which that is."""
    choice = choose(ROOT, name, os.environ)
    print(choice, flush=True)
    ensure(ROOT, EDITIONS[choice.name], os.environ, choice.found)


def name_python(name):
    """Print the interpreter of the environment that `set_up` makes ready, from the project."""
    if name is None:
        ready = ready_choice(ROOT)
        name = ready.name if ready else PREFERRED
    print(interpreter(Path(EDITIONS[name].folder)).as_posix())


def link(name):
    """Let the interpreter that runs this, which something else set up, import the edition."""
    make_importable(ROOT, sys.executable, EDITIONS[name].paths)


def compile_all(name):
    """Compile the requirements of the edition, or of all."""
    for edition in [EDITIONS[name]] if name else EDITIONS.values():
        compile_requirements(ROOT, edition, os.environ)


if __name__ == "__main__":
    sys.exit(main())
