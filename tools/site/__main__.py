"""Build the course site into build/site."""

import sys

from tools.site.build import build

sys.exit(build())
