"""Figures that say what they show: titles, axis labels, legends, numbers."""

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.colors import to_hex

from image_retrieval import plots


def test_curves_are_named_and_told_apart():
    figure = plots.curves(
        [1, 5, 10],
        {"pixels": [0.4, 0.3, 0.2], "deep features": [0.8, 0.7, 0.7]},
        "Precision",
        "k",
        "precision@k",
        level=("chance", 0.25),
    )
    axes = figure.axes[0]
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == (
        "Precision",
        "k",
        "precision@k",
    )
    pixels, deep, chance = axes.get_lines()
    np.testing.assert_array_equal(deep.get_ydata(), [0.8, 0.7, 0.7])
    assert chance.get_ydata()[0] == 0.25
    assert to_hex(pixels.get_color()) != to_hex(deep.get_color())
    assert pixels.get_linestyle() != deep.get_linestyle()
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["pixels", "deep features", "chance"]


def test_histograms_share_their_bins():
    figure = plots.histograms({"a": [0.0, 1.0], "b": [[9.0, 10.0]]}, "Lengths", "length", bins=5)
    outlines = [patch.get_xy()[:, 0] for patch in figure.axes[0].patches]
    assert len(outlines) == 2
    np.testing.assert_array_equal(np.unique(outlines[0]), np.unique(outlines[1]))
    assert figure.axes[0].get_ylabel() == "images"


def test_confusions_carry_their_counts():
    counts = np.asarray([[8, 2], [0, 0]])
    figure = plots.confusions({"one": counts, "two": counts.T}, ["cat", "dog"], "query", "found")
    first, second = figure.axes
    assert [text.get_text() for text in first.texts] == ["8", "2", "0", "0"]
    assert [text.get_text() for text in second.texts] == ["8", "0", "2", "0"]
    assert first.get_title() == "one" and first.get_xlabel() == "found"


def test_figures_are_shown_once():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    plots.curves([1], {"a": [1]}, "t", "x", "y")
    plots.confusions({"a": [[1]]}, ["cat"], "query", "found")
    assert plt.get_fignums() == before
