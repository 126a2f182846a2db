"""The figures of the notebooks: curves, bars, arrows and confusion matrices.

Colors are those of `image_retrieval.palette`, each with a line style of its own; confusion
matrices use "cividis" and carry their numbers.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np

from image_retrieval.palette import COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from image_retrieval.intervals import Interval
    from image_retrieval.signatures import Values

_LINES = ("-", "--", "-.", ":")


def curves(
    x: Values,
    series: Mapping[str, Any],
    title: str,
    x_label: str,
    y_label: str,
    y_limits: tuple[float, float] = (0, 1),
    level: tuple[str, float] | None = None,
) -> Figure:
    """Draw one line a series over a common x.

    Parameters
    ----------
    x : sequence of float, or of str for places along the axis
    series : dict of str to sequence of float
        The lines by name, each as long as `x`.
    title, x_label, y_label : str
    y_limits : (float, float)
    level : (str, float), optional
        Name and height of a thin gray line across, for example chance.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = _axes(title, x_label, y_label)
    x = [literal(place) if isinstance(place, str) else place for place in x]
    marker = "o" if len(x) <= 12 else None
    for (name, values), color, line in zip(series.items(), cycle(COLORS), cycle(_LINES)):
        axes.plot(x, values, line, color=color, label=literal(name), linewidth=2, marker=marker)
    if level is not None:
        axes.axhline(level[1], color="gray", linewidth=1, linestyle=":", label=level[0])
    if all(isinstance(place, int) for place in x):
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(*y_limits)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def histograms(
    series: Mapping[str, Any], title: str, x_label: str, y_label: str = "images", bins: int = 40
) -> Figure:
    """Draw the distribution of each series as an outline, over common bins.

    Parameters
    ----------
    series : dict of str to sequence of float
    title, x_label, y_label : str
    bins : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = _axes(title, x_label, y_label)
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in series.values()]), bins)
    for (name, values), color, line in zip(series.items(), cycle(COLORS), cycle(_LINES)):
        style = {"color": color, "linestyle": line, "linewidth": 2, "label": literal(name)}
        axes.hist(np.ravel(values), edges, histtype="step", **style)
    if len(series) > 1:
        axes.legend()
    return figure


def bars(
    results: Mapping[str, Interval],
    title: str,
    x_label: str,
    level: tuple[str, float] | None = None,
) -> Figure:
    """Draw a bar a mean, below one another, with its interval.

    Parameters
    ----------
    results : dict of str to image_retrieval.intervals.Interval
        By name, from bottom to top.
    title, x_label : str
    level : (str, float), optional
        As for `curves`, here a line from bottom to top.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = empty_axes(1, 6.4, 1 + 0.3 * len(results))
    means = [result.mean for result in results.values()]
    ends = [[r.mean - r.low for r in results.values()], [r.high - r.mean for r in results.values()]]
    axes.barh(list(map(literal, results)), means, xerr=ends, color=COLORS[0], ecolor="black")
    if level is not None:
        axes.axvline(level[1], color="black", linestyle=":", label=level[0])
        axes.legend(loc="lower right")
    axes.set(title=title, xlabel=x_label)
    return figure


def confusions(matrices: Mapping[str, Any]) -> Figure:
    """Draw confusion matrices next to each other, with their counts.

    Parameters
    ----------
    matrices : dict of str to pandas.DataFrame of int
        By title, as `evaluate.confusion` returns them: their rows and columns are labels, and
        the names of these axes are written beside them. Colors show the share of each row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    size = 1.6 + 0.62 * max(map(len, matrices.values()))
    figure, row = empty_axes(len(matrices), size, size)
    for axes, (title, table) in zip(row, matrices.items()):
        _draw_confusion(axes, table)
        axes.set(title=title, xlabel=table.columns.name, ylabel=table.index.name)
    return figure


def arrows(panels: Mapping[str, Any]) -> Figure:
    """Draw vectors of two dimensions as arrows from the origin, one panel next to another.

    Parameters
    ----------
    panels : dict of str to dict of str to array of float, shape (2,)
        By title: the vectors by the name written at each one's tip.

    Returns
    -------
    matplotlib.figure.Figure
        Of equal scales, so that lengths and angles can be compared by eye.
    """
    figure, row = empty_axes(len(panels), 3.4, 3.4)
    for axes, (title, vectors) in zip(row, panels.items()):
        for (name, tip), color in zip(vectors.items(), cycle(COLORS)):
            style = {"arrowstyle": "->", "color": color, "linewidth": 2}
            axes.annotate("", tip, (0, 0), arrowprops=style)
            beside = {"textcoords": "offset points", "va": "center", "color": color}
            axes.annotate(literal(name), tip, (4, 0), **beside)
        reach = max(np.abs(tip).max() for tip in vectors.values())
        axes.set(title=title, xlim=(0, 1.5 * reach), ylim=(0, 1.2 * reach), aspect="equal")
    return figure


def empty_axes(n: int, width: float, height: float) -> tuple[Figure, Any]:
    """Return a figure of `n` empty axes next to one another, and these; sizes are of each."""
    import matplotlib.pyplot as plt

    from image_retrieval.alternative_text import Figure

    look = {"figsize": (n * width, height), "layout": "constrained", "FigureClass": Figure}
    figure, row = plt.subplots(1, n, squeeze=False, **look)
    # Closed, so that a notebook shows the figure once: as the value of its cell.
    plt.close(figure)
    return figure, row[0]


def literal(text: str) -> str:
    r"""Return a name from outside so that Matplotlib draws it as it stands.

    Between dollar signs it would typeset a formula, or fail to; and a legend leaves out what
    starts with an underscore.

    Examples
    --------
    >>> print(literal("$5 or $x"), literal("_cat"))
    \$5 or \$x  _cat
    """
    text = str(text).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _draw_confusion(axes, table):
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    axes.set_xticks(range(len(table.columns)), map(literal, table.columns), rotation=30, ha="right")
    axes.set_yticks(range(len(table)), map(literal, table.index))
    for i, j in np.ndindex(counts.shape):
        color = "black" if shares[i, j] > 0.55 else "white"
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", color=color)


def _axes(title, x_label, y_label):
    figure, (axes,) = empty_axes(1, 6.4, 3.6)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return figure, axes
