"""Moving points to the cells of a grid, so that pictures do not cover one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from image_retrieval.errors import InputError

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike


def place_on_grid(points: ArrayLike, columns: int = 26, rows: int = 18) -> Array:
    """Give each point a cell of its own, as near to it as can be.

    Of all ways to share out the cells, the one with the smallest sum of squared
    displacements.

    Parameters
    ----------
    points : array of numbers, shape (n, 2)
        They are stretched to the grid first.
    columns, rows : int
        At least n cells together; the more there are, the less points must move.

    Returns
    -------
    ndarray of int, shape (n, 2)
        Column and row of each point; row 0 is at the bottom. No two are the same.

    Raises
    ------
    InputError
        When there are fewer cells than points.

    References
    ----------
    The assignment is solved by `scipy.optimize.linear_sum_assignment` (D. F. Crouse: On
    implementing 2D rectangular assignment algorithms, 2016).

    Examples
    --------
    >>> place_on_grid([[0.0, 0.0], [0.1, 0.0], [1.0, 1.0]], columns=3, rows=2).tolist()
    [[0, 0], [1, 0], [2, 1]]
    """
    from scipy.optimize import linear_sum_assignment

    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise InputError(f"points must be finite and of shape (n, 2), got {points.shape}")
    if len(points) > columns * rows:
        problem = f"{len(points)} points do not fit into {columns} columns and {rows} rows"
        raise InputError(f"{problem}; give more")
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    low, high = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
    wanted = (points - low) / np.where(high > low, high - low, 1.0) * [columns - 1, rows - 1]
    cost = ((wanted[:, None] - cells[None]) ** 2).sum(axis=2)
    return cells[linear_sum_assignment(cost)[1]]
