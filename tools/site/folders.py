"""Where the site is made, and what of."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What Jupyter Book reads: copies of the pages, with links that hold on the site.
SOURCE = ROOT / "build" / "site-source"
SITE = ROOT / "build" / "site"
