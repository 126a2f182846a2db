"""Figures that say what they show: titles, axis labels, legends, numbers."""

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from image_retrieval import plots
from image_retrieval.intervals import Interval


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


def test_no_series_is_left_out_however_many_there_are():
    series = {f"label {i}": [i / 30, 1] for i in range(30)}
    lines = plots.curves([1, 2], series, "t", "x", "y").axes[0].get_lines()
    assert [line.get_label() for line in lines] == list(series)
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 30


def counts(labels=("cat", "dog")):
    rows, columns = pd.Index(labels, name="query"), pd.Index(labels, name="found")
    return pd.DataFrame([[8, 2], [0, 0]], rows, columns)


@pytest.mark.parametrize("name", ["$\\frac$", "5 $ or 6 $", "_cat", "a_b^c"])
def test_names_from_outside_are_drawn_as_they_stand(name):
    figures = [
        plots.curves([name, "x"], {name: [0, 1]}, "t", "x", "y"),
        plots.histograms({name: [0, 1], "b": [1]}, "t", "x"),
        plots.confusions({"t": counts([name, "dog"])}),
    ]
    for figure in figures:
        figure.draw_without_rendering()
    texts = [text.get_text() for text in figures[0].axes[0].get_legend().get_texts()]
    assert [text.strip().replace(r"\$", "$") for text in texts] == [name]
    assert len(figures[1].axes[0].get_legend().get_texts()) == 2


def test_confusions_carry_their_counts():
    figure = plots.confusions({"one": counts(), "two": counts().T})
    first, second = figure.axes
    assert [text.get_text() for text in first.texts] == ["8", "2", "0", "0"]
    assert [text.get_text() for text in second.texts] == ["8", "0", "2", "0"]
    assert first.get_title() == "one" and first.get_xlabel() == "found"
    assert (first.get_ylabel(), second.get_ylabel()) == ("query", "found")
    assert [text.get_text() for text in first.get_xticklabels()] == ["cat", "dog"]


def test_arrows_lead_from_the_origin_to_their_names_on_one_scale():
    panels = {"long": {"cat": np.array([4.0, 1.0]), "$x": np.array([1.0, 3.0])}, "short": {}}
    panels["short"]["cat"] = np.array([0.5, 0.1])
    long, short = plots.arrows(panels).axes
    arrow, name = long.texts[:2]
    assert tuple(arrow.xy) == (4.0, 1.0) and arrow.get_position() == (0, 0)
    assert (name.get_text(), long.texts[3].get_text()) == ("cat", r"\$x")
    assert long.get_title() == "long" and long.get_aspect() == 1.0
    assert long.get_xlim() == (0, 6.0) and long.get_ylim()[1] > 4
    assert short.get_xlim()[1] < 1


def test_figures_are_shown_once():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    plots.curves([1], {"a": [1]}, "t", "x", "y")
    plots.confusions({"a": counts()})
    assert plt.get_fignums() == before


def test_bars_are_as_long_as_the_means_and_their_ends_are_the_intervals():
    results = {"$a": Interval(0.5, 0.1, 0.3, 0.6), "b": Interval(0.2, 0.1, 0.1, 0.4)}
    figure = plots.bars(results, "title", "precision", level=("chance", 0.25))
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.2]
    (ends,) = (each for each in axes.collections if len(each.get_segments()) == 2)
    assert np.round([segment[:, 0] for segment in ends.get_segments()], 6).tolist() == [
        [0.3, 0.6],
        [0.1, 0.4],
    ]
    assert [label.get_text() for label in axes.get_yticklabels()] == [r"\$a", "b"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["chance"]
