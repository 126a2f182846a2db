"""Colors that every kind of color vision tells apart, for all figures and pages.

Okabe and Ito's eight (https://jfly.uni-koeln.de/color/) and a dark brown, which stays far from
them for every kind of color vision, as gray does not.
"""

from __future__ import annotations

BLUE, VERMILION, GREEN, GRAY = "#0072B2", "#D55E00", "#009E73", "#8B8F96"
COLORS = (BLUE, VERMILION, GREEN, "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442", "#803333")


def as_rgb_values(color: str) -> tuple[int, ...]:
    """Return a color as (red, green, blue) from 0 to 255.

    Examples
    --------
    >>> as_rgb_values(BLUE)
    (0, 114, 178)
    """
    return tuple(bytes.fromhex(color[1:]))
