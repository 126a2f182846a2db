"""Maps as Matplotlib figures: colored points, and thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

import numpy as np
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.images import iterate_rgb
from image_retrieval.plots import empty_axes, literal
from image_retrieval.projection.placement import place_on_grid
from image_retrieval.projection.styles import styles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from image_retrieval.signatures import Array, ArrayLike, Pictures, Values

_FRAME = 2
_GAP = 1


def scatter(maps: Mapping[str, Any], labels: Values, title: str | None = None) -> Figure:
    """Draw maps next to each other, with a color and a shape for each label.

    Parameters
    ----------
    maps : dict of str to array of shape (n, 2)
        Points by the title of their map.
    labels : sequence of n str
    title : str, optional
        Above all of them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, row = empty_axes(len(maps), 5.2, 5.6)
    of_label = styles(labels)
    for axes, (name, points) in zip(row, maps.items()):
        _draw_points(axes, _as_points(points, len(labels)), np.asarray(labels), of_label)
        axes.set(title=name, xticks=[], yticks=[])
    figure.suptitle(title)
    handles, names = row[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(5, len(names)))
    return figure


def thumbnails(
    points: ArrayLike,
    images: Pictures,
    labels: Values,
    title: str,
    columns: int = 26,
    rows: int = 18,
    size: int = 48,
) -> Figure:
    """Draw a map whose points are small pictures, none over another.

    Parameters
    ----------
    points : array of shape (n, 2)
    images : iterable of n pictures
    labels : sequence of n str
        The color of the frame around a picture.
    title : str
    columns, rows : int
        Of the grid the pictures are moved to, see `place_on_grid`.
    size : int
        Side in pixels of a cell.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.patches import Rectangle

    points = _as_points(points, len(labels))
    canvas = draw_canvas(points, images, labels, columns, rows, size)
    figure, (axes,) = empty_axes(1, 10, 10 * rows / columns + 1.1)
    axes.imshow(canvas, interpolation="antialiased")
    axes.set(title=title, xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    of_label, frame = styles(labels), {"facecolor": "none", "linewidth": 3}
    colors = [color for color, *_ in of_label.values()]
    patches = [Rectangle((0, 0), 1, 1, edgecolor=color, **frame) for color in colors]
    names = [literal(name) for name in of_label]
    figure.legend(patches, names, loc="outside lower center", ncols=5)
    return figure


def draw_canvas(
    points: ArrayLike, images: Pictures, labels: Values, columns: int, rows: int, size: int
) -> Array:
    """Return the picture of a thumbnail map, uint8 (rows * size, columns * size, 3)."""
    of_label = styles(labels)
    canvas = Image.new("RGB", (columns * size, rows * size), "white")
    places = place_on_grid(points, columns, rows).tolist()
    for (column, row), pixels, label in zip(places, iterate_rgb(images), labels):
        thumbnail = _framed(pixels, of_label[label][0], size - 2 * _GAP)
        # Centered in its cell; rows count from below.
        left = column * size + (size - thumbnail.width) // 2
        top = (rows - 1 - row) * size + (size - thumbnail.height) // 2
        canvas.paste(thumbnail, (left, top))
    return np.asarray(canvas)


def _framed(pixels, color, size):
    picture = Image.fromarray(pixels)
    picture.thumbnail((size - 2 * _FRAME, size - 2 * _FRAME), Image.Resampling.LANCZOS)
    frame = Image.new("RGB", (picture.width + 2 * _FRAME, picture.height + 2 * _FRAME), color)
    frame.paste(picture, (_FRAME, _FRAME))
    return frame


def _draw_points(axes, points, labels, of_label):
    for name, (color, marker, _) in of_label.items():
        x, y = points[labels == name].T
        style = {"color": color, "marker": marker, "edgecolors": "black", "linewidths": 0.4}
        axes.scatter(x, y, s=36, label=literal(name), **style)


def _as_points(points, n):
    points = np.asarray(points, dtype=np.float64)
    if points.shape != (n, 2):
        raise InputError(f"a map of {n} images needs points of shape ({n}, 2), got {points.shape}")
    return points
