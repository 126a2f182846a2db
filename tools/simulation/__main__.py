"""Simulate a cluster, or check the model against searches on this machine.

python -m tools.simulation             # the assumptions, and tables from 1,000 to 10⁹ pictures
python -m tools.simulation check       # measures 20,000 and 100,000 vectors
"""

import argparse
import sys

from image_retrieval.cli import guarded
from tools.simulation import check, report
from tools.simulation.assumptions import Assumptions


def main(arguments=None):
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.simulation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("what", nargs="?", choices=("tables", "check"), default="tables")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the best counts")
    options = parser.parse_args(arguments)
    if options.what == "check":
        print(check.markdown(check.measure(options.rounds)))
        return
    how = Assumptions()
    print(how.table(), report.walk(how), report.grown(how), sep="\n\n")


if __name__ == "__main__":
    sys.exit(guarded(main))
