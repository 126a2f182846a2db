"""Draw the README's picture: the cat's and the automobile's neighbors in the bundled sample.

Run as `python -m tools.readme_picture [file]`; the same data give the same bytes.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from image_retrieval.datasets import load
from image_retrieval.files import atomic_file
from image_retrieval.palette import GRAY, GREEN
from image_retrieval.quiet import quiet_turicreate

ROOT = Path(__file__).resolve().parent.parent
QUERY_ROWS = (18, 8)
NEIGHBORS = 5


def find_neighbors(images, row):
    """Return the rows nearest to one row, as dicts in rank order, without itself."""
    import turicreate as tc

    model = tc.nearest_neighbors.create(images, features=["deep_features"], label="id")
    found = model.query(images[row : row + 1], k=NEIGHBORS + 1)
    found = found.filter_by([images["id"][row]], "reference_label", exclude=True)
    joined = found.join(images[["id", "image", "label"]], on={"reference_label": "id"})
    return list(joined.sort("rank"))


def draw(images):
    """Return a figure with a line for each query."""
    widths = [1, 0.12] + NEIGHBORS * [1]
    layout = {"width_ratios": widths, "wspace": 0.08, "hspace": 0.42}
    shape = (len(QUERY_ROWS), len(widths))
    figure, axes = plt.subplots(*shape, figsize=(9.8, 3.9), gridspec_kw=layout)
    for line, row in zip(axes, QUERY_ROWS):
        query = images[row]
        line[1].set_axis_off()
        _show(line[0], query["image"], f"query: {query['label']}\nid {query['id']}")
        for axis, hit in zip(line[2:], find_neighbors(images, row)):
            same = hit["label"] == query["label"]
            sign = "\N{HEAVY CHECK MARK}" if same else "\N{MULTIPLICATION X}"
            caption = f"{sign} {hit['label']}\ndistance {hit['distance']:.1f}"
            _show(axis, hit["image"], caption, GREEN if same else GRAY, "-" if same else "--")
    figure.subplots_adjust(left=0.01, right=0.99, top=0.98, bottom=0.12)
    return figure


def _show(axis, image, caption, color=None, style=None):
    pixels = image.pixel_data
    axis.imshow(pixels, interpolation="nearest")
    axis.set_axis_off()
    axis.text(0.5, -0.05, caption, ha="center", va="top", fontsize=10, transform=axis.transAxes)
    if style:
        height, width = pixels.shape[:2]
        edge = {"edgecolor": color, "linestyle": style, "linewidth": 3, "fill": False}
        axis.add_patch(Rectangle((-0.5, -0.5), width, height, clip_on=False, **edge))


def main(path=None):
    """Write the picture."""
    quiet_turicreate()
    images, _ = load("sample")
    with atomic_file(path or ROOT / "docs" / "images" / "retrieval.png") as temporary:
        draw(images).savefig(str(temporary), format="png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
