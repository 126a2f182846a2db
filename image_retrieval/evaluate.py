"""How good a search is: precision, recall, average precision, and what is confused with what.

A neighbor is *relevant* when it has the query's label. Every measure reads a `Ranking`,
made from neighbors (`rank_neighbors`) or from two feature matrices (`rank_features`), and
gives one figure a query, so that a mean, a curve, a breakdown by label and the worst
queries all come from the same numbers.

Definitions, for a query with R relevant references, of which h stand in the first k ranks:

- precision@k = h / k.
- recall@k = h / R. (Papers on metric learning call "Recall@k" the share of queries with
  h >= 1: that is not what is computed here.)
- average precision (AP) = the mean, over all R relevant references, of the precision at
  each one's rank. mAP is its mean over queries. [1]_
- AP@k = the sum of the precisions at the relevant ranks up to k, divided by min(R, k), so
  that k relevant neighbors give 1. [2]_ (Divided by R, as `trec_eval`'s `map_cut` does, it
  could not reach 1 while R > k.)

Where R is 0, recall and AP are undefined: they are nan, and left out of every mean.

.. [1] Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, 2008, 8.4.
.. [2] Weyand, Araujo, Cao and Sim, "Google Landmarks Dataset v2", CVPR 2020, 5.1 (mAP@100).
"""

from collections import OrderedDict
from itertools import count

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.explore.tables import text_table
from image_retrieval.sframes import column_names

NEIGHBOR_COLUMNS = ("query_label", "reference_label", "rank")
METRICS = ("euclidean", "cosine", "manhattan")
_MISSING = -1
_CHUNK_MB = 64  # of distances at a time


class Ranking:
    """Labels of the neighbors of many queries, in rank order.

    Attributes
    ----------
    query_ids : ndarray, shape (n,)
        What names each query: its id, or its row number.
    query_labels : ndarray of str, shape (n,)
    neighbor_ids : ndarray, shape (n, depth)
        The id, or row number, of the neighbor at each rank.
    hits : ndarray of bool, shape (n, depth)
        Whether the neighbor at each rank has the query's label.
    n_relevant : ndarray of int, shape (n,)
        References with the query's label, not counting the query itself.
    n_reference : int
        References that a query could find, not counting the query itself.
    labels : list of str
        All labels of queries and references, sorted.
    """

    def __init__(self, queries, neighbors, reference_labels, self_left_out=False):
        self.query_ids, self.query_labels = queries
        self.neighbor_ids, rows = neighbors
        self.labels = sorted({*self.query_labels.tolist(), *reference_labels.tolist()})
        # Numbers instead of names: a full ranking of many images still fits into memory.
        self._query_codes, codes = self._encode(self.query_labels), self._encode(reference_labels)
        self._neighbor_codes = np.append(codes, _MISSING)[rows]
        self.hits = self._neighbor_codes == self._query_codes[:, None]
        frequency = np.bincount(codes, minlength=len(self.labels))
        self.n_relevant = frequency[self._query_codes] - self_left_out
        self.n_reference = len(reference_labels) - self_left_out

    def _encode(self, labels):
        return np.searchsorted(self.labels, labels).astype(np.int16)

    def __len__(self):
        return len(self.query_labels)

    @property
    def depth(self):
        """Ranks known for each query."""
        return self.hits.shape[1]

    @property
    def neighbor_labels(self):
        """Labels of the neighbors, shape (n, depth); "" where a query has fewer than others."""
        return np.asarray([*self.labels, ""])[self._neighbor_codes]

    def count_labels(self, k):
        """Count the labels of the first `k` neighbors by the query's, see `confusion`."""
        n = len(self.labels)
        neighbors = self._neighbor_codes[:, :k]
        pairs = self._query_codes[:, None].astype(int) * n + neighbors
        return np.bincount(pairs[neighbors != _MISSING], minlength=n * n).reshape(n, n)

    @property
    def is_full(self):
        """Whether every reference is ranked, as AP without a cut-off needs."""
        return self.depth >= self.n_reference

    def __repr__(self):
        return f"Ranking({len(self)} queries, {self.depth} of {self.n_reference} neighbors each)"


class Table(OrderedDict):
    """Columns by name, shown as lines of text with three decimals.

    Examples
    --------
    >>> Table(label=["cat", "dog"], precision=[0.5, 2 / 3])
    label  precision
    cat        0.500
    dog        0.667
    """

    def __repr__(self):
        rows = [tuple(self)] + list(zip(*([_text(v) for v in values] for values in self.values())))
        right = [i for i, values in enumerate(self.values()) if not isinstance(values[0], str)]
        return text_table(rows, right)


def rank_features(
    X_reference, y_reference, X_query=None, y_query=None, depth=None, metric="euclidean"
):
    """Rank references by their distance to each query.

    Parameters
    ----------
    X_reference : array of float, shape (m, d)
    y_reference : sequence of str, length m
    X_query : array of float, shape (n, d), optional
        Without it every reference is a query, and is left out of its own neighbors.
    y_query : sequence of str, length n, optional
    depth : int, optional
        Neighbors to keep for each query; by default all of them.
    metric : str
        "euclidean", "cosine" or "manhattan".

    Returns
    -------
    Ranking
        Queries and neighbors are named by their row numbers.

    Raises
    ------
    InputError
        When shapes do not fit or a value is not finite.

    Examples
    --------
    >>> ranking = rank_features([[0.0], [1.0], [5.0]], ["cat", "cat", "dog"])
    >>> ranking.neighbor_labels[0].tolist()
    ['cat', 'dog']
    """
    X_reference, y_reference = _labeled_matrix(X_reference, y_reference, "reference")
    if X_query is None:
        return _rank_rows(X_reference, y_reference, None, y_reference, depth, metric)
    X_query, y_query = _labeled_matrix(X_query, y_query, "query")
    if X_query.shape[1] != X_reference.shape[1]:
        raise InputError(
            f"queries have {X_query.shape[1]} dimensions and references "
            f"{X_reference.shape[1]}; extract both with the same backbone and post-processing"
        )
    return _rank_rows(X_reference, y_reference, X_query, y_query, depth, metric)


def rank_neighbors(neighbors, reference, query=None):
    """Read the neighbors that a search engine returned.

    Parameters
    ----------
    neighbors : SFrame, DataFrame or dict of columns
        Columns `query_label`, `reference_label` and `rank` (from 1), as Turi Create's
        `NearestNeighborsModel.query` returns them.
    reference : SFrame, DataFrame, dict of columns, or sequence of labels
        The searched images. Columns `id` and `label`, when `reference_label` holds ids;
        the labels alone, when it holds row numbers.
    query : as `reference`, optional
        The query images, in the same two forms. Without it the queries are references
        themselves, named by `query_label` as in `reference`; each is left out of its own
        neighbors.

    Returns
    -------
    Ranking

    Raises
    ------
    InputError
        When a column is missing, or a neighbor names an image that is not there.

    Examples
    --------
    >>> neighbors = {"query_label": [7, 7], "reference_label": [7, 9], "rank": [1, 2]}
    >>> rank_neighbors(neighbors, {"id": [7, 9], "label": ["cat", "dog"]}).hits.tolist()
    [[False]]
    """
    queries, references, ranks = _neighbor_columns(neighbors)
    of_reference = _labels_by_id(reference)
    of_query = of_reference if query is None else _labels_by_id(query)
    order = np.lexsort((ranks, queries))
    queries, references = queries[order], references[order]
    query_ids, counts = np.unique(queries, return_counts=True)
    depth = int(counts.max())
    if query is None:
        others = queries != references
        # A query that was not found among its own neighbors has one rank more than the rest.
        queries, references, depth = queries[others], references[others], depth - 1
    if depth == 0:
        raise InputError("each query has only itself as a neighbor; ask for k of 2 or more")
    neighbor_ids, known = _as_rows(query_ids, queries, references, depth)
    rows = _look_up(dict(zip(of_reference, count())), neighbor_ids, "reference_label")
    return Ranking(
        (query_ids, _look_up(of_query, query_ids, "query_label").astype(str)),
        (neighbor_ids, np.where(known, rows, _MISSING)),
        np.asarray(list(of_reference.values()), dtype=str),
        self_left_out=query is None,
    )


def precision_at_k(ranking, k):
    """Return the share of the first `k` neighbors that are relevant.

    Parameters
    ----------
    ranking : Ranking
    k : int
        From 1 to `ranking.depth`.

    Returns
    -------
    ndarray of float64, shape (n,)

    Examples
    --------
    >>> ranking = rank_features([[1.0], [2.0]], ["cat", "dog"], [[0.0]], ["cat"])
    >>> precision_at_k(ranking, 2)
    array([0.5])
    """
    return ranking.hits[:, : _checked_k(ranking, k)].mean(axis=1)


def recall_at_k(ranking, k):
    """Return the share of all relevant references found in the first `k` ranks.

    Parameters
    ----------
    ranking : Ranking
    k : int

    Returns
    -------
    ndarray of float64, shape (n,)
        nan for a query without a relevant reference.
    """
    found = ranking.hits[:, : _checked_k(ranking, k)].sum(axis=1)
    return _divide(found, ranking.n_relevant)


def average_precision(ranking, k=None):
    """Return the average precision of each query, over the full ranking or cut off at `k`.

    Parameters
    ----------
    ranking : Ranking
    k : int, optional
        The cut-off; without it `ranking` must hold every reference.

    Returns
    -------
    ndarray of float64, shape (n,)
        nan for a query without a relevant reference.

    Raises
    ------
    InputError
        When there is no cut-off and the ranking was itself cut off.

    Examples
    --------
    Relevant neighbors at ranks 1 and 3, of two: (1/1 + 2/3) / 2.

    >>> X, y = [[1.0], [2.0], [3.0]], ["cat", "dog", "cat"]
    >>> average_precision(rank_features(X, y, [[0.0]], ["cat"])).round(3)
    array([0.833])
    """
    if k is None and not ranking.is_full:
        raise InputError(
            f"average precision without a cut-off needs all {ranking.n_reference} references "
            f"ranked, got {ranking.depth}; give k, or query with k=None"
        )
    k = ranking.depth if k is None else _checked_k(ranking, k)
    ranks = np.arange(1, k + 1)
    sums = [np.sum(np.cumsum(hits) * hits / ranks) for hits in ranking.hits[:, :k]]
    return _divide(np.asarray(sums), np.minimum(ranking.n_relevant, k))


def one_nn_accuracy(ranking):
    """Return the share of queries whose nearest neighbor has their label.

    Parameters
    ----------
    ranking : Ranking

    Returns
    -------
    float
        The accuracy of the 1-nearest-neighbor classifier, which is also precision@1.
    """
    return float(precision_at_k(ranking, 1).mean())


def summarize(ranking, ks=(1, 5, 10)):
    """Return the means of all measures over all queries.

    Parameters
    ----------
    ranking : Ranking
    ks : sequence of int
        Cut-offs, one row each.

    Returns
    -------
    Table
        `k`, `precision`, `recall` and `mAP`. Where `ranking` is full, a last row with k
        "all" holds the mAP over the full ranking, and None for the other two, which say
        nothing there.
    """
    rows = [
        (k, precision_at_k(ranking, k).mean(), _mean(recall_at_k(ranking, k)))
        + (_mean(average_precision(ranking, k)),)
        for k in ks
    ]
    if ranking.is_full:
        rows.append(("all", None, None, _mean(average_precision(ranking))))
    return _columns(("k", "precision", "recall", "mAP"), rows)


def by_label(ranking, k=5):
    """Return the measures for the queries of each label.

    Parameters
    ----------
    ranking : Ranking
    k : int

    Returns
    -------
    Table
        `label`, `queries` (how many), `precision`, `recall` and `mAP` at `k`, and `1-NN`,
        the share whose nearest neighbor has the label.
    """
    measures = (
        precision_at_k(ranking, k),
        recall_at_k(ranking, k),
        average_precision(ranking, k),
        precision_at_k(ranking, 1),
    )
    rows = []
    for label in sorted(set(ranking.query_labels)):
        chosen = ranking.query_labels == label
        rows.append((label, int(chosen.sum()), *(_mean(values[chosen]) for values in measures)))
    return _columns(("label", "queries", "precision", "recall", "mAP", "1-NN"), rows)


def confusion(ranking, k=1):
    """Count the labels of the first `k` neighbors, for the queries of each label.

    Parameters
    ----------
    ranking : Ranking
    k : int
        With 1 this is the confusion matrix of the 1-nearest-neighbor classifier.

    Returns
    -------
    labels : list of str
    counts : ndarray of int, shape (labels, labels)
        `counts[i, j]` neighbors have label j where the query has label i.
    """
    return ranking.labels, ranking.count_labels(_checked_k(ranking, k))


def confusion_table(labels, counts, corner="query"):
    """Return a confusion matrix as named columns.

    Parameters
    ----------
    labels : sequence of str
    counts : array, shape (labels, labels)
    corner : str
        The name of the first column, which holds the row's label.

    Returns
    -------
    Table
        One column a label.

    Examples
    --------
    >>> confusion_table(["cat", "dog"], [[8, 2], [1, 9]])
    query  cat  dog
    cat      8    2
    dog      1    9
    """
    columns = {label: np.asarray(counts)[:, j].tolist() for j, label in enumerate(labels)}
    return Table([(corner, list(labels)), *columns.items()])


def _rank_rows(X_reference, y_reference, X_query, y_query, depth, metric):
    indices = _nearest(X_reference, X_query, depth, metric)
    return Ranking(
        (np.arange(len(y_query)), y_query),
        (indices, indices),
        y_reference,
        self_left_out=X_query is None,
    )


def _nearest(X_reference, X_query, depth, metric):
    """Return the rows of the nearest references, ties in the order of the rows."""
    # Imported here: `import image_retrieval` stays fast for those who evaluate nothing.
    from sklearn.metrics import pairwise_distances_chunked

    if metric not in METRICS:
        raise InputError(f"metric {metric!r} is unknown; use one of: {', '.join(METRICS)}")
    found = len(X_reference) - (X_query is None)
    depth = found if depth is None else min(depth, found)
    if depth < 1:
        raise InputError(f"nothing to rank: depth {depth} of {len(X_reference)} references")

    def rank(distances, start):
        if X_query is None:
            rows = np.arange(len(distances))
            distances[rows, start + rows] = np.inf
        return np.argsort(distances, axis=1, kind="stable")[:, :depth].astype(np.int32)

    queries = X_reference if X_query is None else X_query
    chunks = pairwise_distances_chunked(
        queries, X_reference, metric=metric, reduce_func=rank, working_memory=_CHUNK_MB
    )
    return np.concatenate(list(chunks))


def _labeled_matrix(X, y, what):
    X = np.asarray(X)
    if X.ndim != 2 or X.size == 0 or X.dtype.kind not in "fiu":
        raise InputError(
            f"{what} features must be numbers of shape (n, d), got {X.dtype} of shape {X.shape}"
        )
    # Differences of unsigned pixels would wrap around, and float32 would round near distances.
    X = X.astype(np.float64)
    if not np.isfinite(X).all():
        row = int(np.argmin(np.isfinite(X).all(axis=1)))
        raise InputError(f"{what} features have a value that is not finite in row {row}; remove it")
    if y is None or len(y) != len(X):
        count = "none" if y is None else len(y)
        raise InputError(f"{len(X)} {what} rows need as many labels, got {count}")
    return X, np.asarray(list(y), dtype=str)


def _neighbor_columns(neighbors):
    names = column_names(neighbors) if _is_table(neighbors) else ()
    missing = [name for name in NEIGHBOR_COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"neighbors have no column {missing[0]!r}; give what a nearest-neighbor query "
            f"returned, with columns {', '.join(NEIGHBOR_COLUMNS)}"
        )
    columns = [_to_array(neighbors[name]) for name in NEIGHBOR_COLUMNS]
    if len(columns[0]) == 0:
        raise InputError("neighbors are empty; query with k of 1 or more and no small radius")
    return columns


def _labels_by_id(images):
    if not _is_table(images):
        return dict(enumerate(images))
    names = column_names(images)
    for name in ("id", "label"):
        if name not in names:
            raise InputError(f"images have no column {name!r}; there are {', '.join(names)}")
    labels = dict(zip(_to_array(images["id"]).tolist(), images["label"]))
    if len(labels) < len(images["id"]):
        raise InputError(f"{len(images['id'])} images have only {len(labels)} different ids")
    return labels


def _is_table(value):
    return hasattr(value, "column_names") or isinstance(value, dict) or hasattr(value, "columns")


def _to_array(column):
    return column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column)


def _as_rows(query_ids, queries, references, depth):
    """Fold pairs sorted by query into one row a query, cut or filled up to `depth`."""
    starts = np.searchsorted(queries, query_ids, side="left")
    ends = np.searchsorted(queries, query_ids, side="right")
    indices = starts[:, None] + np.arange(depth)
    known = indices < ends[:, None]
    return references[np.minimum(indices, len(references) - 1)], known


def _look_up(known, ids, what):
    unique, inverse = np.unique(ids, return_inverse=True)
    try:
        found = np.asarray([known[name] for name in unique.tolist()])
    except KeyError as error:
        raise InputError(
            f"{what} {error.args[0]!r} is no image given here; give the images that were "
            "searched, with ids if the query used label='id', else their labels alone"
        ) from None
    return found[inverse.reshape(ids.shape)]


def _checked_k(ranking, k):
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= ranking.depth:
        raise InputError(
            f"k must be a whole number from 1 to {ranking.depth}, the ranks known, got {k!r}"
        )
    return int(k)


def _divide(numerators, denominators):
    result = np.full(len(numerators), np.nan)
    return np.divide(numerators, denominators, out=result, where=denominators > 0)


def _mean(values):
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def _columns(names, rows):
    return Table((name, [row[i] for row in rows]) for i, name in enumerate(names))


def _text(value):
    return f"{value:.3f}" if isinstance(value, float) else value
