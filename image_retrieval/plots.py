"""The figures of the notebooks: curves, bars and confusion matrices.

Colors are Okabe and Ito's, which every kind of color vision tells apart, each with a line
style of its own; confusion matrices use "cividis" and carry their numbers.
"""

import numpy as np

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_LINES = ("-", "--", "-.", ":", "-", "--")


def curves(x, series, title, x_label, y_label, y_limits=(0, 1), level=None):
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
    figure, axes = _axes(title, x_label, y_label, width=6.4)
    for (name, values), color, line in zip(series.items(), COLORS, _LINES):
        marker = "o" if len(x) <= 12 else None
        axes.plot(x, values, line, color=color, label=name, linewidth=2, marker=marker)
    if level is not None:
        axes.axhline(level[1], color="gray", linewidth=1, linestyle=":", label=level[0])
    axes.set_ylim(*y_limits)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def histograms(series, title, x_label, y_label="images", bins=40):
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
    figure, axes = _axes(title, x_label, y_label, width=6.4)
    edges = np.histogram_bin_edges(np.concatenate([np.ravel(v) for v in series.values()]), bins)
    for (name, values), color, line in zip(series.items(), COLORS, _LINES):
        style = {"color": color, "linestyle": line, "linewidth": 2, "label": name}
        axes.hist(np.ravel(values), edges, histtype="step", **style)
    if len(series) > 1:
        axes.legend()
    return figure


def confusions(matrices, labels, row_label, column_label):
    """Draw confusion matrices next to each other, with their counts.

    Parameters
    ----------
    matrices : dict of str to array of int, shape (labels, labels)
        By title. Colors show the share of each row.
    labels : sequence of str
    row_label, column_label : str
        What the rows and the columns are.

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib.pyplot as plt

    size = 1.6 + 0.62 * len(labels)
    figure, row = plt.subplots(
        1, len(matrices), figsize=(size * len(matrices), size), squeeze=False, layout="constrained"
    )
    for axes, (title, counts) in zip(row[0], matrices.items()):
        _draw_confusion(axes, np.asarray(counts), labels)
        axes.set(title=title, xlabel=column_label, ylabel=row_label)
    plt.close(figure)
    return figure


def _draw_confusion(axes, counts, labels):
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="cividis", vmin=0, vmax=1)
    places = range(len(labels))
    axes.set_xticks(places, labels, rotation=30, ha="right")
    axes.set_yticks(places, labels)
    for i, j in np.ndindex(counts.shape):
        color = "black" if shares[i, j] > 0.55 else "white"
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", color=color)


def _axes(title, x_label, y_label, width):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(width, 3.6), layout="constrained")
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    # Closed, so that a notebook shows the figure once: as the value of its cell.
    plt.close(figure)
    return figure, axes
