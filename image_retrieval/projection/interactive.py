"""A map as a web page: the pointer over a point shows its picture. Nothing is fetched."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.files import atomic_file
from image_retrieval.images import as_rgb_list
from image_retrieval.projection.styles import styles

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Pictures, StrPath, Values

_QUALITY = 80
_ABOVE = 90  # px; the heading and the line below it
_TOOLTIP = """
<div style="width:{size}px"><img src="@picture" style="display:block;max-width:{size}px" alt="">
<b>@label</b><br>id @id</div>
"""


def _read(name):
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


_PAGE = Template(_read("page.html"))
# Where style sheets and frames are dropped, as JupyterLab does in a notebook that it does not
# trust, this line is what remains.
_UNTRUSTED = (
    "The map is a page with a script, which is not run in a notebook that is not trusted. Run the "
    "cell, or choose “Trust Notebook” in JupyterLab (View, Activate Command Palette)."
)


def interactive_map(
    points: ArrayLike,
    images: Pictures,
    labels: Values,
    ids: Values | None = None,
    title: str = "Map",
    thumbnail: int = 96,
    height: int = 520,
) -> InteractiveMap:
    """Return a map to explore with the pointer.

    Parameters
    ----------
    points : array of shape (n, 2)
    images : iterable of n pictures
    labels : sequence of n str
    ids : sequence of n int or str, optional
        Shown below the picture; row numbers by default.
    title : str
    thumbnail : int
        Pixels of the longer side of the picture that is shown.
    height : int
        Of the map on the page, in pixels.

    Returns
    -------
    InteractiveMap

    Raises
    ------
    InputError
        When there is not one picture, label and id for each point.
    """
    points = np.asarray(points, dtype=np.float64)
    pictures = [jpeg_address(pixels, thumbnail) for pixels in as_rgb_list(images)]
    labels = [str(label) for label in labels]
    ids = range(len(points)) if ids is None else ids
    ids = [value if isinstance(value, str) else int(value) for value in ids]
    counts = {len(points), len(pictures), len(labels), len(ids)}
    if len(counts) > 1 or points.ndim != 2 or points.shape[1] != 2:
        problem = "a map needs a picture, a label and an id for each point (n, 2)"
        found = f"{len(pictures)} pictures, {len(labels)} labels, {len(ids)} ids"
        raise InputError(f"{problem}; got points {points.shape}, {found}")
    figure = _figure(points, pictures, labels, ids, thumbnail, height)
    return InteractiveMap(figure, title, height)


class InteractiveMap:
    """A page that needs nothing else; a notebook shows it in a frame."""

    def __init__(self, figure: Any, title: str, height: int) -> None:
        self._figure, self._title, self._height = figure, title, height

    @property
    def page(self) -> str:
        """The page as one HTML document, with BokehJS in it."""
        from bokeh.embed import json_item
        from bokeh.resources import Resources

        # Without widgets and formulas, which a scatter plot does not use.
        bokeh = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
        # No text of a label may end the script or open a comment in it.
        item = json.dumps(json_item(self._figure)).replace("<", "\\u003c")
        bokeh = bokeh.replace("</script", "<\\/script")
        parts = {"style": _read("page.css"), "script": _read("page.js"), "bokeh": bokeh}
        return _PAGE.substitute(parts, title=html.escape(self._title), item=item)

    def save(self, path: StrPath) -> None:
        """Write the page to a file."""
        with atomic_file(path) as temporary:
            temporary.write_text(self.page, encoding="utf-8")

    def _repr_html_(self) -> str:
        # In a frame, because the page's script would otherwise run once for all notebooks.
        return (
            f'<div class="ir-map"><style>{_read("frame.css")}</style><p>{_UNTRUSTED}</p>\n'
            f'<iframe title="{html.escape(self._title)}" srcdoc="{html.escape(self.page)}" hidden '
            f'width="100%" height="{self._height + _ABOVE}" style="border:0"></iframe></div>'
        )

    def __repr__(self) -> str:
        return f"InteractiveMap({self._title!r})"


def jpeg_address(pixels: Array, size: int) -> str:
    """Return a picture, shrunk to `size` pixels, as a `data:` address."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _figure(points, pictures, labels, ids, thumbnail, height):
    from bokeh.models import HoverTool, Legend, LegendItem
    from bokeh.plotting import figure

    usual = {"sizing_mode": "stretch_width", "tools": "pan,wheel_zoom,reset"}
    plot = figure(height=height, **usual)
    plot.toolbar.logo = None
    plot.xaxis.visible = plot.yaxis.visible = False
    plot.toolbar.active_scroll = "auto"
    items = []
    for name, (color, _, marker) in styles(labels).items():
        rows = [row for row, label in enumerate(labels) if label == name]
        data = dict(zip("xy", points[rows].T.tolist()), picture=[pictures[row] for row in rows])
        data.update(label=[name] * len(rows), id=[ids[row] for row in rows])
        style = {"color": color, "line_color": "black", "line_width": 0.5, "size": 10}
        drawn = plot.scatter("x", "y", source=data, marker=marker, muted_alpha=0.08, **style)
        items.append(LegendItem(label=name, renderers=[drawn]))
    plot.add_layout(Legend(items=items, click_policy="mute"), "right")
    plot.add_tools(HoverTool(tooltips=_TOOLTIP.format(size=thumbnail)))
    return plot
