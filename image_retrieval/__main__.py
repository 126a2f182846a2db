"""Lets `python -m image_retrieval` run the command line."""

import sys

from image_retrieval.cli import main

sys.exit(main())
