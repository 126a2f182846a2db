"""Set up an edition's environment, or compile its requirements.

usage: python3 -m tools.environment {setup,compile} EDITION
"""

import os
import sys
from pathlib import Path

from tools.environment.build import compile_requirements, ensure
from tools.environment.editions import EDITIONS, SetupError

ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments=None):
    """Run the command line, an action and an edition; return the exit code."""
    actions = {"setup": ensure, "compile": compile_requirements}
    action, name = sys.argv[1:] if arguments is None else arguments
    try:
        if name not in EDITIONS:
            raise SetupError(f"no edition {name!r}; there is: {', '.join(EDITIONS)}")
        actions[action](ROOT, EDITIONS[name], os.environ)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe set-up was stopped; the next call starts it again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
