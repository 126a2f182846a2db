"""How much faster two workers of a Ray cluster extract than one.

    python -m tools.bench.cluster [--pictures 2000] [--size 160] [--rounds 3]

One thread a worker; both numbers of workers take turns on the same pictures, and the best of
several rounds counts. Starting the workers is part of the time, as it is for users.
"""

import argparse
import itertools
import tempfile
from functools import partial
from pathlib import Path

from PIL import Image

from image_retrieval import datasets, features
from image_retrieval.cluster import extract
from image_retrieval.hardware import cores
from image_retrieval.images import as_rgb
from tools.bench.timing import best_seconds

WANTED = 1.7
_ROWS = 2000


def measure(folder, how, rounds):
    """Return the best seconds of one and of two workers, by their number."""
    outputs = (folder / f"parts-{number}" for number in itertools.count())
    ways = {workers: partial(_extract, folder, how, workers, outputs) for workers in (1, 2)}
    return best_seconds(ways, rounds, patience=600)


def draw(folder, n):
    """Save n different pictures, the sample's and then the same in other brightness."""
    images = datasets.load("sample")[0]["image"][:_ROWS]
    pixels = [as_rgb(image) for image in images]
    for number in range(n):
        repeat, row = divmod(number, len(pixels))
        changed = pixels[row] // (repeat + 1)
        Image.fromarray(changed).save(str(folder / f"{number}.png"))


def markdown(n, how, seconds):
    """Return what was measured, and whether it is enough."""
    rates = ", ".join(f"{n / time:.0f} a second with {w}" for w, time in seconds.items())
    ratio = seconds[1] / seconds[2]
    reached = "yes" if ratio >= WANTED else "**no**"
    head = "| two workers / one | wanted | reached |\n| ---: | ---: | --- |"
    return (
        f"{n:,} pictures by {how} on {cores()} cores: {rates}.\n\n"
        f"{head}\n| {ratio:.2f} | >= {WANTED} | {reached} |"
    )


def _extract(folder, how, workers, outputs):
    paths = sorted(folder.glob("*.png"))
    extract(paths, output=next(outputs), extraction=how, workers=workers, part_size=64)


def main(arguments=None):
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--size", type=int, default=160, help="side in pixels for the network")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    how = features.as_extraction(size=options.size)
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), options.pictures)
        print(markdown(options.pictures, how, measure(Path(folder), how, options.rounds)))


if __name__ == "__main__":
    main()
