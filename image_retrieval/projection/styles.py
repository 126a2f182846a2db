"""A color and a shape for each label, which people with any color vision can tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from image_retrieval.errors import InputError
from image_retrieval.palette import COLORS

if TYPE_CHECKING:
    from image_retrieval.signatures import Values

# The same shapes under Matplotlib's and Bokeh's names.
_BOKEH = "circle square triangle diamond inverted_triangle hex plus star square_pin"
_SHAPES = tuple(zip("os^DvhP*X", _BOKEH.split()))


def styles(labels: Values) -> Mapping[str, Any]:
    """Return (color, Matplotlib's marker, Bokeh's marker) for each label.

    Parameters
    ----------
    labels : sequence of str
        In any order, with repetitions.

    Returns
    -------
    dict of str to tuple
        In alphabetical order of the labels, which also decides the styles.

    Raises
    ------
    InputError
        When there are more labels than styles.

    Examples
    --------
    >>> styles(["dog", "cat", "dog"])["cat"]
    ('#0072B2', 'o', 'circle')
    """
    names = sorted(set(labels))
    n = len(COLORS)
    if len(names) > n * n:
        raise InputError(f"{len(names)} labels cannot be told apart in a map; show at most {n * n}")
    # After nine labels the shapes shift by one, so that no pair comes twice.
    shapes = [_SHAPES[(i + i // n) % len(_SHAPES)] for i in range(len(names))]
    return {name: (COLORS[i % n], *shapes[i]) for i, name in enumerate(names)}
