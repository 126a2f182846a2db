"""The widget: a thin face that carries messages between a browser and a `Session`."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from threading import Thread
from typing import Any

import anywidget

from image_retrieval.app.results import address, as_csv, as_gallery, as_page, heat_maps
from image_retrieval.app.session import MOST_NEIGHBORS, Session
from image_retrieval.app.shelf import DEEP, PIXELS, Shelf, open_shelf
from image_retrieval.app.uploads import MAX_BYTES
from image_retrieval.datasets import locate
from image_retrieval.errors import InputError
from image_retrieval.projection.styles import styles

_log = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_ACTIONS = ("words", "example", "row", "back", "mark", "clear_marks", "set", "show_examples")


class SearchApp(anywidget.AnyWidget):
    """A page that takes a picture and shows the pictures most like it, in a notebook's cell.

    It opens on the neighbors of a picture to try. All state is the instance's own: visitors
    of a served notebook have a kernel each, and see nothing of one another.

    Parameters
    ----------
    *data : str, Path, DataLocation, table or Shelf
        What to choose from, see `image_retrieval.app.open_shelf`; the first is opened at once.
        By default the data of the course, and that of its second system.
    k : int
        Neighbors to show.
    engine, metric : str
        See `image_retrieval.index.build`. The cosine is the default because a visitor's picture
        may be of another kind than the references, which tells most on the lengths of vectors.

    Raises
    ------
    InputError
        When there is no such data, or a setting is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> table = {"id": [1, 2, 3], "image": np.zeros((3, 4, 4, 3), np.uint8),
    ...          "label": ["cat", "cat", "dog"], "deep_features": [[0.0], [1.0], [3.0]]}
    >>> app = SearchApp(table, k=2, metric="euclidean")
    >>> app.session.row(0)
    >>> [(one.rank, one.row, one.distance) for one in app.session.find()[0]]
    [(1, 1, 1.0), (2, 2, 3.0)]
    """

    _esm = (_HERE / "widget.js").read_text(encoding="utf-8")
    _css = (_HERE / "widget.css").read_text(encoding="utf-8")

    def __init__(
        self, *data: Any, k: int = 10, engine: str = "exact", metric: str = "cosine"
    ) -> None:
        super().__init__()
        self._data = data or (locate(), locate(dataset="caltech101"))
        self._shelves: dict[int, Shelf] = {}
        self.session = Session(self._shelf(0))
        self.session.set(k=k, engine=engine, metric=metric)
        self.session.example(0)
        self.on_msg(self._receive)

    def _shelf(self, place):
        if place not in self._shelves:
            data = self._data[place]
            self._shelves[place] = data if isinstance(data, Shelf) else open_shelf(data)
        return self._shelves[place]

    def __repr__(self) -> str:
        """Return what the widget shows at first, in words."""
        return f"SearchApp: {self.session.shelf.title}\n{self._gallery()!r}"

    def _repr_mimebundle_(self, **how: Any) -> dict[str, Any]:
        # Where no kernel runs, as on a page made of the notebook, the first results still show.
        shown = super()._repr_mimebundle_(**how)
        bundle = shown[0] if isinstance(shown, tuple) else shown
        text = {"text/plain": repr(self), "text/html": self._gallery()._repr_html_()}
        return {**bundle, **text}

    def _gallery(self):
        return as_gallery(self.session.shelf, self.session.query, self.session.find()[0])

    def _receive(self, _, message, buffers):
        try:
            self._obey(message.get("do"), message.get("with"), buffers)
        except InputError as error:
            self._tell("error", text=str(error))
        except Exception:
            # What nobody foresaw ends neither the visit nor the server.
            _log.exception("the search page could not do %r", str(message)[:80])
            self._tell("error", text="That did not work. Try another picture, or reload the page.")

    def _obey(self, action, value, buffers):
        session = self.session
        if action in ("why", "map", "peek", "save"):
            return getattr(self, f"_{action}")(value)
        if action == "upload":
            session.upload(bytes(buffers[0]))
        elif action == "data":
            self._open(value)
        elif action in _ACTIONS:
            call = getattr(session, action)
            call(**value) if isinstance(value, dict) else call(*[] if value is None else [value])
        elif action != "hello":
            raise InputError(f"the page asked for {str(action)[:40]!r}, which is not known")
        self._show()

    def _open(self, place):
        if type(place) is not int or not 0 <= place < len(self._data):
            raise InputError(f"there is no data set {place!r}; there are {len(self._data)}")
        self.session.open(self._shelf(place))
        self.session.example(0)

    def _tell(self, kind, **content):
        self.send({"kind": kind, **content})

    def _show(self):
        session, columns = self.session, []
        with_pixels = session.settings.compare and session.query.pixels is not None
        for features in (DEEP, PIXELS) if with_pixels else (DEEP,):
            found, seconds = session.find(features)
            hits = [self._hit(one) for one in found]
            columns.append({"features": features, "seconds": seconds, "hits": hits})
        self._tell(
            "state",
            columns=columns,
            query=self._query(session.query, 320),
            trail=[self._query(each, 64) for each in session.trail],
            at=session.at,
            examples=[self._query(each, 96) for each in session.examples],
            settings=asdict(session.settings),
            choices=session.choices,
            data=[self._title(place) for place in range(len(self._data))],
            chosen=[self._shelves.get(p) for p in range(len(self._data))].index(session.shelf),
            words=session.takes_words,
            limits={"k": MOST_NEIGHBORS, "bytes": MAX_BYTES},
        )

    def _title(self, place):
        if place in self._shelves:
            return self._shelves[place].title
        return getattr(self._data[place], "description", None) or f"Data set {place + 1}"

    def _query(self, query, size):
        picture = None if query.pixels is None else address(query.pixels, size)
        marks = {"more": query.more, "less": query.less}
        shown = {"name": query.name, "label": query.label, "seconds": query.seconds}
        return {**shown, "picture": picture, **marks}

    def _hit(self, one):
        return {**asdict(one), **self._image(one.row)}

    def _image(self, row):
        shelf = self.session.shelf
        picture = address(shelf.picture(row))
        return {"id": str(shelf.ids[row]), "label": str(shelf.labels[row]), "picture": picture}

    def _why(self, asked):
        row, features = asked["row"], asked["features"]
        self.session.require_row(row)
        pair = heat_maps(self.session.shelf, self.session.query, row, features)
        self._tell("why", **asked, pictures=[address(pixels, 160) for pixels in pair])

    def _peek(self, row):
        self.session.require_row(row)
        self._tell("peek", row=row, **self._image(row))

    def _map(self, _):
        # It may take half a minute the first time; searching goes on meanwhile.
        Thread(target=self._send_map, args=(self.session.shelf,), daemon=True).start()

    def _send_map(self, shelf):
        try:
            rows, points = shelf.points()
            if shelf is self.session.shelf:
                self._tell("map", **self._drawn(rows, points))
        except Exception:
            _log.exception("no map")
            self._tell("error", text="The map of this data cannot be drawn.")

    def _drawn(self, rows, points):
        session, labels = self.session, self.session.shelf.labels[rows].tolist()
        found = session.find()[0]
        query, *near = session.map_places(found).round(4).tolist()
        names = [str(session.shelf.labels[one.row]) for one in found]
        return {
            "rows": rows.tolist(),
            "points": points.round(4).tolist(),
            "labels": labels,
            "colors": {label: style[0] for label, style in styles(labels + names).items()},
            "query": query,
            "near": list(zip(near, names)),
        }

    def _save(self, kind):
        session = self.session
        shelf, query, found = session.shelf, session.query, session.find()[0]
        if kind == "csv":
            self._tell("file", name="neighbors.csv", type="text/csv", text=as_csv(shelf, found))
        else:
            page = as_page(as_gallery(shelf, query, found))
            self._tell("file", name="neighbors.html", type="text/html", text=page)
