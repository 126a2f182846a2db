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
- nDCG@k = the sum of 1 / log2(rank + 1) over the relevant ranks up to k, divided by the
  largest sum there could be, that of min(R, k) relevant ranks in a row. [3]_

Where R is 0, recall, AP and nDCG are undefined: they are nan, and left out of every mean.

.. [1] Manning, Raghavan and Schütze, *Introduction to Information Retrieval*, 2008, 8.4.
.. [2] Weyand, Araujo, Cao and Sim, "Google Landmarks Dataset v2", CVPR 2020, 5.1 (mAP@100).
.. [3] Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM
   Transactions on Information Systems 20(4), 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.index import build
from image_retrieval.index.validation import as_vectors
from image_retrieval.tables import column, is_table, neighbor_columns

if TYPE_CHECKING:
    from pandas import DataFrame

    from image_retrieval.signatures import Array, ArrayLike, Table, Values

_MISSING = -1


@dataclass(frozen=True, eq=False, repr=False)
class Ranking:
    """Labels of the neighbors of many queries, in rank order.

    Attributes
    ----------
    query_ids : ndarray, shape (n,)
        What names each query: its id, or its row number.
    query_labels : ndarray of str, shape (n,)
    neighbor_ids : ndarray, shape (n, depth)
        The id, or row number, of the neighbor at each rank.
    neighbor_codes : ndarray of int16, shape (n, depth)
        The place in `labels` of the label of each neighbor, -1 where a query has fewer
        neighbors than others. As numbers, a full ranking of many images fits into memory.
    labels : tuple of str
        All labels of queries and references, sorted.
    n_relevant : ndarray of int, shape (n,)
        References with the query's label, not counting the query itself.
    n_reference : int
        References that a query could find, not counting the query itself.
    """

    query_ids: np.ndarray
    query_labels: np.ndarray
    neighbor_ids: np.ndarray
    neighbor_codes: np.ndarray
    labels: tuple[str, ...]
    n_relevant: np.ndarray
    n_reference: int

    def __len__(self) -> int:
        return len(self.query_labels)

    @cached_property
    def query_codes(self) -> Array:
        """The place in `labels` of the label of each query, shape (n,)."""
        return _encode(self.query_labels, self.labels)

    @cached_property
    def hits(self) -> Array:
        """Whether the neighbor at each rank has the query's label, bool of shape (n, depth)."""
        return self.neighbor_codes == self.query_codes[:, None]

    @property
    def depth(self) -> int:
        """Ranks known for each query."""
        return self.neighbor_codes.shape[1]

    @property
    def neighbor_labels(self) -> Array:
        """Labels of the neighbors, shape (n, depth); "" where a query has fewer than others."""
        return np.asarray([*self.labels, ""])[self.neighbor_codes]

    @property
    def is_full(self) -> bool:
        """Whether every reference is ranked, as AP without a cut-off needs."""
        return self.depth >= self.n_reference

    def __repr__(self) -> str:
        return f"Ranking({len(self)} queries, {self.depth} of {self.n_reference} neighbors each)"


def table(**columns: Any) -> DataFrame:
    """Return columns as a table to read; for one to compute with, use a DataFrame.

    Parameters
    ----------
    **columns : sequence of n values
        By name; the first gives the names of the rows.

    Returns
    -------
    pandas.DataFrame
        Rounded to three decimals, with "–" for what is missing.

    Examples
    --------
    >>> table(label=["cat", "dog"], precision=[0.5, 2 / 3])["precision"].tolist()
    [0.5, 0.667]
    """
    name, *others = columns
    result = _frame({each: list(columns[each]) for each in others}, columns[name], name).round(3)
    for each in result.columns[result.isna().any()]:
        result[each] = result[each].astype(object).where(result[each].notna(), "–")
    return result


def rank_features(
    X_reference: ArrayLike,
    y_reference: Values,
    X_query: ArrayLike | None = None,
    y_query: Values | None = None,
    depth: int | None = None,
    metric: str = "euclidean",
) -> Ranking:
    """Rank references by their distance to each query, with the engine `exact`.

    Parameters
    ----------
    X_reference : array of float, shape (m, d)
    y_reference : sequence of str, length m
    X_query : array of float, shape (n, d), optional
        Without it every reference is a query, and is left out of its own neighbors.
    y_query : sequence of str, length n, optional
    depth : int, optional
        Neighbors to keep for each query; by default all of them.
    metric : {"euclidean", "squared_euclidean", "cosine"}

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
    alone = X_query is None
    X, y = _labeled(X_reference, y_reference, "reference")
    Q, y_query = (X, y) if alone else _labeled(X_query, y_query, "query", X.shape[1])
    n = len(X) - alone
    depth = n if depth is None else min(depth, n)
    if depth < 1:
        raise InputError(f"nothing to rank: depth {depth} of {len(X)} references")
    rows = build(X, metric=metric).search(Q, k=depth + alone)[0].astype(np.int32)
    if alone:
        rows = _without_themselves(rows)
    return _ranking((np.arange(len(y_query)), y_query), (rows, rows), y, alone)


def rank_distances(distances: ArrayLike, y_reference: Values, y_query: Values) -> Ranking:
    """Rank references by any distances, such as those of `image_retrieval.reranking`.

    Parameters
    ----------
    distances : array of float, shape (n, m)
        Of n queries to m references; of equal ones the first comes first.
    y_reference : sequence of str, length m
    y_query : sequence of str, length n

    Returns
    -------
    Ranking
        Full; queries and neighbors are named by their row numbers.

    Raises
    ------
    InputError
        When the shapes do not fit, or a distance is nan.

    Examples
    --------
    >>> rank_distances([[0.3, 0.1]], ["cat", "dog"], ["cat"]).neighbor_labels[0].tolist()
    ['dog', 'cat']
    """
    distances = np.asarray(distances, dtype=np.float64)
    y_reference, y_query = (np.asarray(list(y), dtype=str) for y in (y_reference, y_query))
    if distances.shape != (len(y_query), len(y_reference)) or np.isnan(distances).any():
        wanted = f"{len(y_query)} queries by {len(y_reference)} references"
        problem = f"distances of shape {distances.shape}, {np.isnan(distances).sum()} of them nan"
        raise InputError(f"{problem}; give a number for each of {wanted}")
    rows = np.argsort(distances, axis=1, kind="stable").astype(np.int32)
    return _ranking((np.arange(len(y_query)), y_query), (rows, rows), y_reference, False)


def rank_neighbors(
    neighbors: Table, reference: Table | Values, query: Table | Values | None = None
) -> Ranking:
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
    found = _neighbor_table(neighbors)
    ids, labels = _ids_and_labels(reference)
    known_ids, known_labels = (ids, labels) if query is None else _ids_and_labels(query)
    query_ids, counts = np.unique(found["query_label"], return_counts=True)
    depth = int(counts.max())
    if query is None:
        # A query that was not found among its own neighbors has one rank more than the rest.
        found, depth = found[found["query_label"] != found["reference_label"]], depth - 1
    if depth == 0:
        raise InputError("each query has only itself as a neighbor; ask for k of 2 or more")
    found = found.groupby("query_label").head(depth)
    places = found.groupby("query_label").cumcount()
    rows = np.full((len(query_ids), depth), _MISSING)
    known = _rows_of(found["reference_label"], ids, "reference_label")
    rows[np.searchsorted(query_ids, found["query_label"]), places] = known
    query_labels = known_labels[_rows_of(query_ids, known_ids, "query_label")]
    return _ranking((query_ids, query_labels), (ids[rows], rows), labels, query is None)


def precision_at_k(ranking: Ranking, k: int) -> Array:
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


def recall_at_k(ranking: Ranking, k: int) -> Array:
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


def average_precision(ranking: Ranking, k: int | None = None) -> Array:
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
        needed = f"all {ranking.n_reference} references ranked, got {ranking.depth}"
        way_out = "give k, or query with k=None"
        raise InputError(f"average precision without a cut-off needs {needed}; {way_out}")
    k = ranking.depth if k is None else _checked_k(ranking, k)
    ranks = np.arange(1, k + 1)
    sums = [np.sum(np.cumsum(hits) * hits / ranks) for hits in ranking.hits[:, :k]]
    return _divide(np.asarray(sums), np.minimum(ranking.n_relevant, k))


def ndcg_at_k(ranking: Ranking, k: int) -> Array:
    """Return the normalized discounted cumulative gain: early hits count more than late ones.

    Parameters
    ----------
    ranking : Ranking
    k : int

    Returns
    -------
    ndarray of float64, shape (n,)
        nan for a query without a relevant reference.

    Examples
    --------
    One hit, at the second rank: 1 / log2(3), where 1 could have been.

    >>> ranking = rank_features([[1.0], [2.0]], ["cat", "dog"], [[0.0]], ["dog"])
    >>> ndcg_at_k(ranking, 2).round(3)
    array([0.631])
    """
    discounts = 1 / np.log2(np.arange(2, _checked_k(ranking, k) + 2))
    best = np.append(0, discounts.cumsum())[np.minimum(ranking.n_relevant, k)]
    return _divide(ranking.hits[:, :k] @ discounts, best)


def one_nn_accuracy(ranking: Ranking) -> float:
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


def summarize(ranking: Ranking, ks: Values = (1, 5, 10)) -> DataFrame:
    """Return the means of all measures over all queries.

    Parameters
    ----------
    ranking : Ranking
    ks : sequence of int
        Cut-offs, one row each.

    Returns
    -------
    pandas.DataFrame
        `precision`, `recall` and `mAP`, one row per `k`. Where `ranking` is full, the last row,
        "all", is that of all references: precision is then that of chance, recall is 1, and
        mAP has no cut-off.
    """
    rows = {**{k: k for k in ks}, **({"all": ranking.depth} if ranking.is_full else {})}
    return _frame([_measures(ranking, k).mean() for k in rows.values()], list(rows), "k")


def by_label(ranking: Ranking, k: int = 5) -> DataFrame:
    """Return the measures for the queries of each label.

    Parameters
    ----------
    ranking : Ranking
    k : int

    Returns
    -------
    pandas.DataFrame
        `queries` (how many), `precision`, `recall` and `mAP` at `k`, and `1-NN`, the share
        whose nearest neighbor has the label; one row per label.
    """
    measures = _measures(ranking, k).assign(**{"1-NN": precision_at_k(ranking, 1)})
    queries = measures.groupby("label")
    result = queries.mean()
    result.insert(0, "queries", queries.size())
    return result


def confusion(ranking: Ranking, k: int = 1) -> DataFrame:
    """Count the labels of the first `k` neighbors, for the queries of each label.

    Parameters
    ----------
    ranking : Ranking
    k : int
        With 1 this is the confusion matrix of the 1-nearest-neighbor classifier.

    Returns
    -------
    pandas.DataFrame of int
        A row for each label of queries, a column for each of neighbors.

    Examples
    --------
    >>> ranking = rank_features([[1.0], [2.0]], ["cat", "dog"], [[0.0]], ["cat"])
    >>> confusion(ranking, k=2).loc["cat"].tolist()
    [1, 1]
    """
    n = len(ranking.labels)
    neighbors = ranking.neighbor_codes[:, : _checked_k(ranking, k)]
    pairs = ranking.query_codes[:, None].astype(int) * n + neighbors
    counts = np.bincount(pairs[neighbors != _MISSING], minlength=n * n).reshape(n, n)
    result = _frame(counts, ranking.labels, "query")
    return result.set_axis(ranking.labels, axis=1).rename_axis("neighbor", axis=1)


def _frame(values, rows, name):
    import pandas as pd  # takes longer to import than all else here

    return pd.DataFrame(values, pd.Index(rows, name=name))


def _measures(ranking, k):
    """Return the measures of each query, as a table with the label of each as its row's name."""
    measures: dict[str, Any] = {
        "precision": precision_at_k,
        "recall": recall_at_k,
        "mAP": average_precision,
    }
    values = {name: measure(ranking, k) for name, measure in measures.items()}
    return _frame(values, ranking.query_labels, "label")


def _ranking(queries, neighbors, reference_labels, self_left_out):
    """Return a Ranking from ids and labels of queries, and ids and rows of neighbors."""
    labels = tuple(np.unique(np.concatenate([queries[1], reference_labels])).tolist())
    codes = _encode(reference_labels, labels)
    frequency = np.bincount(codes, minlength=len(labels))
    neighbor_codes = np.append(codes, codes.dtype.type(_MISSING))[neighbors[1]]
    n_relevant = frequency[_encode(queries[1], labels)] - self_left_out
    counts = n_relevant, len(reference_labels) - self_left_out
    known: Any = (*queries, neighbors[0], neighbor_codes, labels, *counts)
    return Ranking(*known)


def _encode(values, labels):
    return np.searchsorted(labels, values).astype(np.int16)


def _without_themselves(rows):
    """Leave each query, row i of the references, out of row i of its neighbors."""
    own = rows == np.arange(len(rows))[:, None]
    # Among many copies of itself a query may not be found.
    own[~own.any(axis=1), -1] = True
    return rows[~own].reshape(len(rows), -1)


def _labeled(X, y, what, d=None):
    X = as_vectors(X, d, what=f"the {what} matrix")
    y = [] if y is None else list(y)
    if len(y) != len(X):
        raise InputError(f"{len(X)} {what} rows need as many labels, got {len(y) or 'none'}")
    return X, np.asarray(y, dtype=str)


def _neighbor_table(neighbors):
    """Return neighbors as a DataFrame, sorted by query and rank."""
    import pandas as pd

    names = ["query_label", "reference_label", "rank"]
    columns = map(_to_array, neighbor_columns(neighbors, names))
    return pd.DataFrame(dict(zip(names, columns))).sort_values(["query_label", "rank"])


def _ids_and_labels(images):
    if not is_table(images):
        images = {"id": np.arange(len(images)), "label": images}
    ids, labels = (_to_array(column(images, name, "images")) for name in ("id", "label"))
    different = len(np.unique(ids))
    if different < len(ids):
        raise InputError(f"{len(ids)} images have only {different} different ids")
    return ids, labels.astype(str)


def _to_array(values):
    return values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)


def _rows_of(wanted, ids, what):
    import pandas as pd

    rows = pd.Index(ids).get_indexer(wanted)
    if (rows < 0).any():
        problem = f"{what} {wanted[rows < 0].tolist()[0]!r} is not one of the images given"
        way_out = "with ids if the query used label='id', else their labels alone"
        raise InputError(f"{problem}; give the images that were searched, {way_out}")
    return rows


def _checked_k(ranking, k):
    whole = isinstance(k, (int, np.integer)) and not isinstance(k, bool)
    if not whole or not 1 <= k <= ranking.depth:
        limits = f"from 1 to {ranking.depth}, the ranks known"
        raise InputError(f"k must be a whole number {limits}, got {k!r}")
    return int(k)


def _divide(numerators, denominators):
    result = np.full(len(numerators), np.nan)
    return np.divide(numerators, denominators, out=result, where=denominators > 0)
