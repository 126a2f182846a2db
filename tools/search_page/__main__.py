"""Serve notebook 08's search widget as a page, by Voilà."""

import argparse

from image_retrieval.cli import guarded
from tools.search_page.server import serve

LOOPBACK = "127.0.0.1"


def main(arguments=None):
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    return guarded(lambda: serve(**vars(options)))


def _parser():
    parser = argparse.ArgumentParser(prog="python -m tools.search_page", description=__doc__)
    parser.add_argument("--port", type=int, default=8866, help="another one near it if it is taken")
    parser.add_argument("--address", default=LOOPBACK, help="see docs/search_page.md first")
    parser.add_argument("--visitors", type=int, default=8, help="kernels that may run at a time")
    parser.add_argument("--no-browser", dest="browser", action="store_false")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
