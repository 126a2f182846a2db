"""Sheets of pictures: a grid of images, and queries with their neighbors in rank order."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from image_retrieval.errors import InputError
from image_retrieval.explore.hits import ITSELF, OTHER, SAME, UNKNOWN, answers, values_of
from image_retrieval.explore.page import cell, page, sheet
from image_retrieval.explore.text import distance_format, text_table
from image_retrieval.explore.thumbnails import image_tag
from image_retrieval.files import atomic_file
from image_retrieval.images import as_rgb, as_rgb_list
from image_retrieval.tables import column, column_names, is_table

if TYPE_CHECKING:
    from image_retrieval.explore.hits import Answer
    from image_retrieval.signatures import Array, StrPath, Table, Values

_SIGNS = {
    SAME: ("\N{HEAVY CHECK MARK}", "same label"),
    OTHER: ("\N{MULTIPLICATION X}", "other label"),
    ITSELF: ("=", "the query itself"),
    UNKNOWN: ("", ""),
}


def gallery(
    neighbors: Table,
    reference: Table,
    query: Any = None,
    k: int | None = None,
    query_by: str | None = None,
    details: Mapping[str, Any] | None = None,
    title: str | None = None,
    thumbnail: int = 96,
) -> Gallery:
    """Show queries with their neighbors as pictures, in rank order.

    Parameters
    ----------
    neighbors : SFrame, pandas.DataFrame or dict of columns
        As `nearest_neighbors`' `query` returns it, with the columns `query_label`,
        `reference_label`, `distance` and `rank`, in any order of rows.
    reference : SFrame, pandas.DataFrame or dict of columns
        The table that was searched, with the columns `id`, `image` and `label`. The model
        must have been created with `label='id'`.
    query : table, picture or sequence of pictures, optional
        What was queried: a table with the column `image`, and `id` and `label` where
        known; or pictures as `image_retrieval.images.as_rgb` takes them. Without it the
        neighbors are shown alone, and none is marked.
    k : int, optional
        Show only the neighbors of rank 1 to k.
    query_by : "row" or "id", optional
        What `query_label` holds. Turi Create numbers the rows of the query from 0, unless
        `query` was called with `label='id'`. Needed only where both readings fit.
    details : dict, optional
        Further pictures below a neighbor, such as the heat maps of
        `image_retrieval.explain.gallery`:
        `{(query_label, reference_label): [(picture, caption), ...]}`. With None in place of
        the neighbor's, they are below the query.
    title : str, optional
        Heading of the saved file.
    thumbnail : int
        Pixels of each picture's longer side.

    Returns
    -------
    Gallery

    Raises
    ------
    InputError
        When a column is missing, there are no neighbors, or a label stands for no row.

    Examples
    --------
    >>> import numpy as np
    >>> pixels = np.zeros((3, 4, 4, 3), np.uint8)
    >>> images = {"id": [5, 6, 7], "image": pixels, "label": ["cat", "dog", "cat"]}
    >>> asked = {"id": [5], "image": pixels[:1], "label": ["cat"]}
    >>> found = {"query_label": [0, 0, 0], "reference_label": [7, 5, 6],
    ...          "distance": [1.5, 0.0, 4.0], "rank": [2, 1, 3]}
    >>> gallery(found, images, asked)
    query       rank  id  label  distance  same label
    cat (id 5)     1   5  cat       0.000  itself
                   2   7  cat       1.500  yes
                   3   6  dog       4.000  no
    1 of 2 neighbors of cat (id 5) has its label, the query itself not counted
    """
    _check_thumbnail(thumbnail)
    found = answers(neighbors, reference, query, k, query_by)
    return Gallery(found, details or {}, title or "Nearest neighbors", thumbnail)


def grid(
    images: Table,
    columns: Values | None = None,
    title: str | None = None,
    thumbnail: int = 96,
) -> Grid:
    """Show images side by side, with what their table says of them.

    Parameters
    ----------
    images : SFrame, pandas.DataFrame or dict of columns
        With a column `image`. Every row is shown: pass a slice of a large table.
    columns : sequence of str, optional
        The columns to write below each picture; by default `id` and `label`, where there.
    title : str, optional
        Heading of the saved file.
    thumbnail : int
        Pixels of each picture's longer side.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        When a column is missing or there are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> grid({"image": np.zeros((2, 4, 4, 3), np.uint8), "label": ["cat", "dog"]})
    label
    cat
    dog
    """
    _check_thumbnail(thumbnail)
    if not is_table(images):
        problem = f"images must be a table with a column 'image', got {type(images).__name__}"
        raise InputError(f"{problem}; pass a slice of an SFrame, or a dict of lists")
    if columns is None:
        columns = [name for name in ("id", "label") if name in column_names(images)]
    known = {name: values_of(images, name, "images") for name in columns}
    pixels = as_rgb_list(list(column(images, "image", "images")))
    if not pixels:
        raise InputError("images has no rows; pass at least one")
    return Grid(pixels, known, title or "Images", thumbnail)


class _Sheet:
    """What a notebook shows as pictures, a terminal as a table, and `save` as a file."""

    title: str

    def _repr_html_(self) -> str:
        raise NotImplementedError

    def save(self, path: StrPath) -> None:
        """Write the sheet to one complete HTML file that needs nothing else.

        Parameters
        ----------
        path : str or Path
        """
        with atomic_file(path) as temporary:
            temporary.write_text(page(self.title, self._repr_html_()), encoding="utf-8")


class Gallery(_Sheet):
    """Queries with their neighbors; made by `gallery`."""

    def __init__(
        self,
        found: Sequence[Answer],
        details: Mapping[Any, Any],
        title: str,
        thumbnail: int,
    ) -> None:
        self.title, self._thumbnail = title, thumbnail
        self._answers, self._details = found, details
        self._write = distance_format(hit.distance for answer in found for hit in answer.hits)

    def _repr_html_(self) -> str:
        rows = map(self._cells, self._answers)
        return sheet(rows, self._thumbnail, "answer", _summaries(self._answers))

    def _cells(self, answer):
        return [self._query_cell(answer), *(self._hit_cell(answer, hit) for hit in answer.hits)]

    def __repr__(self) -> str:
        rows: list[tuple[Any, ...]] = [("query", "rank", "id", "label", "distance", "same label")]
        for answer in self._answers:
            names = [_query_name(answer)] + [""] * (len(answer.hits) - 1)
            for name, hit in zip(names, answer.hits):
                distance = self._write(hit.distance)
                rows.append((name, hit.rank, hit.item.id, hit.item.label, distance, hit.match))
        return "\n".join([text_table(rows, right=(1, 2, 4)), *_summaries(self._answers)])

    def _query_cell(self, answer):
        query, pictures = answer.query, []
        known = {"label": query.label, "id": query.id}
        lines = [_value_line(*item) for item in known.items() if item[1] is not None]
        if query.pixels is not None:
            alt = f"query: {_query_name(answer)}"
            pictures.append(image_tag(query.pixels, alt, self._thumbnail))
        lines = ["query", *lines, *self._detail_lines(answer, None)]
        return cell(pictures, lines, "query", heading=True)

    def _hit_cell(self, answer, hit):
        item, distance = hit.item, self._write(hit.distance)
        sign, meaning = _SIGNS[hit.match]
        lines = [
            f"#{hit.rank} {_value_line('label', item.label)}",
            f'<span class="ir-sign"><b>{sign}</b> {meaning}</span>' if meaning else "",
            _value_line("distance", distance),
            _value_line("id", item.id),
            *self._detail_lines(answer, item.id),
        ]
        alt = f"rank {hit.rank}: {item.label}, id {item.id}, distance {distance}"
        picture = image_tag(item.pixels, ", ".join(filter(None, [alt, meaning])), self._thumbnail)
        return cell([picture], filter(None, lines), f"match-{hit.match}")

    def _detail_lines(self, answer, name):
        for picture, caption in self._details.get((answer.query_label, name), ()):
            tag = image_tag(as_rgb(picture), caption, self._thumbnail)
            yield f"{tag}<small>{escape(caption)}</small>"


class Grid(_Sheet):
    """Images side by side; made by `grid`."""

    def __init__(
        self, pixels: Sequence[Array], columns: Mapping[str, list[Any]], title: str, thumbnail: int
    ) -> None:
        self.title, self._thumbnail = title, thumbnail
        self._pixels, self._columns = pixels, columns

    def _repr_html_(self) -> str:
        rows = zip(*self._columns.values()) if self._columns else [()] * len(self._pixels)
        cells = [self._cell(pixels, row) for pixels, row in zip(self._pixels, rows)]
        return sheet([cells], self._thumbnail)

    def __repr__(self) -> str:
        if not self._columns:
            return f"{len(self._pixels)} images"
        columns = list(self._columns.values())
        right = [place for place, values in enumerate(columns) if not isinstance(values[0], str)]
        return text_table([tuple(self._columns), *zip(*columns)], right)

    def _cell(self, pixels, values):
        alt = ", ".join(map(_value_text, self._columns, values)) or "an image"
        picture = image_tag(pixels, alt, self._thumbnail)
        return cell([picture], map(_value_line, self._columns, values))


def _check_thumbnail(size):
    if not isinstance(size, int) or not 8 <= size <= 1024:
        raise InputError(f"thumbnail must be a whole number from 8 to 1024, got {size!r}")


def _value_text(name, value):
    return str(value) if name == "label" else f"{name} {value}"


def _value_line(name, value):
    text = escape(_value_text(name, value))
    return f"<b>{text}</b>" if name == "label" else f"<small>{text}</small>"


def _query_name(answer):
    """Return what to call a query: its label and id where known, else its query label."""
    query = answer.query
    named = f"query {answer.query_label}" if query.id is None else f"id {query.id}"
    return named if query.label is None else f"{query.label} ({named})"


def _summaries(found):
    """Return a line for each query whose label is known: how many neighbors share it."""
    return [_summary(answer) for answer in found if answer.query.label is not None]


def _summary(answer):
    matches = [hit.match for hit in answer.hits]
    same, others = matches.count(SAME), len(matches) - matches.count(ITSELF)
    end = ", the query itself not counted" if ITSELF in matches else ""
    have = f"{_query_name(answer)} {'has' if same == 1 else 'have'}"
    return f"{same} of {others} neighbors of {have} its label{end}"
