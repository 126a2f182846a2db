"""Words for people who cannot see a figure, made from what the figure says of itself."""

from __future__ import annotations

from typing import Any

from matplotlib import figure as matplotlib_figure

_IMAGES = ("image/png", "image/jpeg")


class Figure(matplotlib_figure.Figure):
    """A Matplotlib figure that gives a notebook its words along with its picture.

    IPython keeps them in the output's metadata as `alt`, where what makes a page of the
    notebook finds them. A label (`figure.set_label`) takes the place of `describe`'s words.
    """

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        words = self.get_label() or describe(self)
        return {}, {kind: {"alt": words} for kind in _IMAGES}


def describe(figure: Figure) -> str:
    """Return what a figure shows, in words.

    The title, the axes' labels, and the name of each line with its first and last value, of
    each bar with its length, and of whatever else has a name.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, axes = plt.subplots()
    >>> lines = axes.plot([1, 2, 5], [0.25, 0.5, 0.75], label="deep features")
    >>> texts = axes.set(title="Precision", xlabel="k", ylabel="precision@k")
    >>> describe(figure)
    'Precision: precision@k against k; deep features from 0.25 to 0.75'
    >>> plt.close(figure)
    """
    panels = [_panel(axes) for axes in figure.axes]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    titles = [text.get_text() for text in figure.texts]
    return ". ".join(filter(None, [*titles, *panels, _told("legend: ", legends)]))


def _panel(axes):
    labels = " against ".join(filter(None, [axes.get_ylabel(), axes.get_xlabel()]))
    parts = [labels, *_lines(axes), *_bars(axes), *_ticks(axes), *_names(axes)]
    shown = "; ".join(filter(None, parts))
    return ": ".join(filter(None, [axes.get_title(), shown])).replace(r"\$", "$")


def _lines(axes):
    for line in _named(axes.lines):
        across, values = line.get_xydata()[[0, -1]].T
        # A line from bottom to top marks a place on the other axis.
        first, last = across if across[0] == across[1] else values
        where = f"at {first:.2g}" if first == last else f"from {first:.2g} to {last:.2g}"
        yield f"{line.get_label()} {where}"


def _bars(axes):
    for bars in axes.containers:
        names = [tick.get_text() for tick in axes.get_yticklabels()]
        lengths = [bar.get_width() for bar in getattr(bars, "patches", ())]
        if names and len(names) == len(lengths):
            yield _told("", [f"{name} {length:.2g}" for name, length in zip(names, lengths)])


def _ticks(axes):
    """Yield the labels along the sides of a matrix."""
    if axes.images and axes.texts:
        yield _told("counts for ", [tick.get_text() for tick in axes.get_yticklabels()])


def _names(axes):
    """Yield the names of outlines, of groups of points, and those written at arrows."""
    yield _told("outlines of ", [each.get_label() for each in _named(axes.patches)])
    yield _told("points of ", [each.get_label() for each in _named(axes.collections)])
    if not axes.images:
        yield _told("arrows to ", [text.get_text() for text in axes.texts])


def _named(artists):
    return [artist for artist in artists if not str(artist.get_label()).startswith("_")]


def _told(before, names):
    names = [name.strip() for name in names if name.strip()]
    return before + ", ".join(names) if names else ""
