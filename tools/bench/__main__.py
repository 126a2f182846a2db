"""Measure search engines and feature extraction beside their alternatives.

    python -m tools.bench [--sizes 2000 20000 50000] [--rounds 5] [--skip-extraction]

Writes a dated Markdown page and a plot into `build/`.
"""

import argparse
import sys
import time
from pathlib import Path

from image_retrieval.cli import guarded
from image_retrieval.files import atomic_file
from tools.bench import report, search
from tools.bench.features import QUERIES, pool

BUILD = Path(__file__).resolve().parents[2] / "build"
SIZES = (2_000, 20_000, 50_000)
_APPROXIMATE_AT = 20_000


def main(arguments=None):
    """Run the benchmark and say where the results are."""
    options = _options(arguments)
    features = pool()
    exact, approximate, sframes, parts = {}, {}, {}, []
    for n in options.sizes:
        X, Q, name = features.sample(n, QUERIES)
        _say(f"exact search, n = {n:,} ({name})")
        exact[n] = search.measure_exact(X, Q, options.rounds)
        parts.append(report.exact_table(n, name, exact[n]))
        if n == _APPROXIMATE_AT:
            _say(f"approximate search, n = {n:,}")
            approximate[n] = search.measure_approximate(X, Q, options.rounds)
            parts.append(report.approximate_table(n, name, QUERIES, approximate[n]))
            sframes = search.measure_sframes(X, Q, options.rounds)
    parts.append(report.wanted_table(exact, approximate, sframes))
    if not options.skip_extraction:
        parts.append(_extraction())
    _write(parts, exact, approximate)


def _options(arguments):
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of images")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the best counts")
    parser.add_argument("--skip-extraction", action="store_true", help="searches only")
    return parser.parse_args(arguments)


def _extraction():
    from tools.bench import extraction, inception

    _say("extraction at 160 and 256 px, and InceptionV3's at 299 px")
    tables = extraction.markdown(extraction.measure()), inception.markdown(inception.measure(), 299)
    return "### Extraction\n\n" + "\n".join(tables)


def _write(parts, exact, approximate):
    day = time.strftime("%Y-%m-%d")
    page, picture = BUILD / f"bench-{day}.md", BUILD / f"bench-{day}.png"
    head = f"# Measured on this machine\n\n{report.machine()}\n\n![plot]({picture.name})\n"
    text = "\n".join([head, *parts])
    with atomic_file(page) as path:
        path.write_text(text, encoding="utf-8")
    BUILD.mkdir(exist_ok=True)
    report.plot(picture, exact, approximate, QUERIES)
    print(text)
    _say(f"written: build/{page.name}, build/{picture.name}")


def _say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(guarded(main))
