"""Plain-text tables: what a terminal shows, and what a test compares beside a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Collection, Sequence

if TYPE_CHECKING:
    from image_retrieval.signatures import Values


def text_table(rows: Sequence[tuple[Any, ...]], right: Collection[int] = ()) -> str:
    """Return rows as lines of aligned columns; the first row is the heading.

    Parameters
    ----------
    rows : list of tuple
        Values are written with `str`; None is left blank.
    right : collection of int
        The columns to align to the right.

    Examples
    --------
    >>> print(text_table([("id", "label"), (7, "cat"), (12, "dog")], right=[0]))
    id  label
     7  cat
    12  dog
    """
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts)]
    sides = [">" if place in right else "<" for place in range(len(widths))]
    line = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths))
    return "\n".join(line.format(*row).rstrip() for row in texts)


def distance_format(distances: Values) -> Callable[[float], str]:
    """Return a function that writes a distance with decimals that suit the largest one.

    Examples
    --------
    >>> distance_format([0.0, 0.61803])(0.61803), distance_format([7.5, 22.0])(7.5)
    ('0.618', '7.50')
    """
    largest = max(map(abs, distances))
    decimals = 2 if largest >= 10 else 3
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    return lambda distance: f"{round(distance, decimals) + 0.0:.{decimals}f}"
