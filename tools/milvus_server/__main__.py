"""Run a command where it can start a Milvus server: the package is there, the network is not.

usage: python -m tools.milvus_server COMMAND [ARGUMENT ...]
"""

import os
import sys

from tools.milvus_server.environment import install, walls


def main(command):
    """Become the command; what needs a server says itself where there can be none."""
    if not command:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    if not install():
        print("There is no Milvus server for this machine; what needs one is left out.", flush=True)
    command = [*walls(), *command]
    return os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
