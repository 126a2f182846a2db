"""Draw the bundled samples again from their sources, and make their features.

The pixels depend on the versions of the drawings, the renderer, NumPy and Pillow, all of
which are pinned.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

from image_retrieval.datasets.building import make
from image_retrieval.datasets.cards import FOLDERS
from image_retrieval.errors import ImageRetrievalError
from image_retrieval.features import as_extraction
from image_retrieval.files import atomic_file
from tools.sample import caltech101, cifar10, drawings
from tools.sample.credits import artwork_page
from tools.sample.save import save_sframe

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = {drawings.CIFAR: cifar10.CARD, drawings.CALTECH101: caltech101.CARD}


def main(arguments=None):
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.sample.build", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT, help="folder for the samples")
    output, work = parser.parse_args(arguments).output, ROOT / "build" / "sample"
    try:
        for listed, card in SAMPLES.items():
            save(card, build(card, drawings.render(work, listed)), output)
        with atomic_file(output / "ARTWORK.md") as temporary:
            temporary.write_text(artwork_page(work), encoding="utf-8")
    except ImageRetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def build(card, folder):
    """Return the training and the test images; `folder` holds the rendered drawings."""
    defaults = {name: option.default for name, option in card.options.items()}
    options = SimpleNamespace(seed=card.seed, **defaults)
    return make(card, folder, options, as_extraction(card.extraction))[0]


def save(card, sframes, output):
    """Save both parts at the card's place in `output`."""
    for name, sframe in zip(FOLDERS, sframes):
        save_sframe(sframe, output / card.place / name)
        print(f"{card.place}/{name}: {len(sframe):,} images")


if __name__ == "__main__":
    sys.exit(main())
