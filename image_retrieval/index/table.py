"""Tables around the engines: SFrames and images in, Turi Create's neighbors SFrame out."""

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.index.registry import build
from image_retrieval.index.validation import as_vectors
from image_retrieval.sframes import column_names, sarray_to_vectors

COLUMNS = ("query_label", "reference_label", "distance", "rank")


def create(data, engine="exact", features="deep_features", label="id", where="label", **options):
    """Index the rows of an SFrame, as `turicreate.nearest_neighbors.create` does.

    Parameters
    ----------
    data : SFrame, pandas.DataFrame or dict of columns
    engine : str
        One of `engines()`.
    features : str
        The column of vectors.
    label : str or None
        The column that names a row in the results; row numbers for None.
    where : str or None
        The column of strings that `search(…, where=…)` filters by, if there is one.
    **options
        `metric` and the engine's own options.

    Returns
    -------
    Engine

    Examples
    --------
    >>> data = {"id": [18, 8], "label": ["cat", "automobile"], "deep_features": [[0, 1], [1, 0]]}
    >>> create(data).search([0, 1], k=1)[0]
    array([[18]])
    """
    names = column_names(data)
    ids = None if label is None else _column(data, label)
    labels = _column(data, where) if where in names else None
    return build(_vectors(data, features), ids, labels, engine=engine, **options)


def query(
    engine, queries, k=5, radius=None, where=None, features="deep_features", label=None, **extract
):
    """Find neighbors of images, vectors or a table's rows.

    Parameters
    ----------
    engine : Engine
    queries : SFrame or other table, array of shape (q, d), picture or sequence of pictures
        Of a table, the column `features` is used. Pictures are anything that
        `image_retrieval.images.as_rgb` takes and go through
        `image_retrieval.features.extract`.
    k, radius, where
        See `Engine.search`.
    features : str
        The column of vectors of a table.
    label : str or sequence, optional
        What names a query in the result: a table's column, or one value a query. Row
        numbers by default, as in Turi Create.
    **extract
        Options of `image_retrieval.features.extract`, for pictures.

    Returns
    -------
    turicreate.SFrame
        Columns `query_label`, `reference_label`, `distance` and `rank`, from 1.
    """
    Q = _as_query_vectors(queries, features, extract)
    labels = _query_labels(queries, label, len(Q))
    return to_sframe(labels, *engine.search(Q, k=k, radius=radius, where=where))


def neighbors(ids, distances, query_labels=None):
    """Return search results as the columns of Turi Create's neighbors table.

    Parameters
    ----------
    ids, distances : ndarray, shape (q, m)
        As `Engine.search` returns them; places without a neighbor are left out.
    query_labels : sequence of q values, optional
        Row numbers by default.

    Returns
    -------
    dict of str to list

    Examples
    --------
    >>> found = neighbors(np.array([[5, 7]]), np.array([[0.0, 5.0]]))
    >>> found["reference_label"], found["rank"]
    ([5, 7], [1, 2])
    """
    queries, columns = np.nonzero(np.isfinite(distances))
    labels = range(len(ids)) if query_labels is None else query_labels
    names = [labels[query] for query in queries.tolist()]
    values = (
        names,
        ids[queries, columns].tolist(),
        distances[queries, columns].tolist(),
        (columns + 1).tolist(),
    )
    return dict(zip(COLUMNS, values))


def to_sframe(query_labels, ids, distances):
    """Return search results as an SFrame, see `neighbors`."""
    import turicreate as tc

    columns = neighbors(ids, distances, query_labels)
    string = {
        "query_label": len(query_labels) > 0 and isinstance(query_labels[0], str),
        "reference_label": ids.dtype.kind == "U",
    }
    dtypes = [str if string.get(name) else int for name in COLUMNS]
    dtypes[COLUMNS.index("distance")] = float
    table = tc.SFrame()
    for name, dtype in zip(COLUMNS, dtypes):
        table[name] = tc.SArray(columns[name], dtype=dtype)
    return table


def _as_query_vectors(queries, features, extract):
    if _is_table(queries):
        return _vectors(queries, features)
    if _is_matrix(queries):
        return as_vectors(queries, what="the query array")
    from image_retrieval.features import extract as extract_features

    return extract_features(queries, **extract)


def _is_table(value):
    has_columns = callable(getattr(value, "column_names", None)) or hasattr(value, "columns")
    return has_columns or isinstance(value, dict)


def _is_matrix(value):
    # Pixels are uint8; a matrix of features never is.
    if isinstance(value, np.ndarray):
        return value.dtype != np.uint8 and value.dtype != object
    return isinstance(value, (list, tuple)) and len(value) > 0 and _is_row(value[0])


def _is_row(value):
    return isinstance(value, (int, float, list, tuple)) or (
        isinstance(value, np.ndarray) and value.ndim == 1
    )


def _vectors(data, features):
    column = _column(data, features, as_list=False)
    try:
        return sarray_to_vectors(column)
    except InputError as error:
        raise InputError(f"column {features!r}: {error}") from None


def _column(data, name, as_list=True):
    names = column_names(data)
    if name not in names:
        raise InputError(f"there is no column {name!r}; there are {', '.join(names)}")
    return list(data[name]) if as_list else data[name]


def _query_labels(queries, label, q):
    if label is None:
        return range(q)
    if isinstance(label, str):
        if not _is_table(queries):
            raise InputError(f"label {label!r} names a column, but the queries are no table")
        return _column(queries, label)
    labels = list(label)
    if len(labels) != q:
        raise InputError(f"{len(labels)} query labels for {q} queries; give one a query")
    return labels
