"""Measures against cases worked out by hand and against scikit-learn."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, ndcg_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from image_retrieval import evaluate
from image_retrieval.errors import InputError

# One cat query; relevant references at ranks 1, 3 and 6 of six.
WORKED = ["cat", "dog", "cat", "dog", "bird", "cat"]


def worked():
    return evaluate.rank_features([[i] for i in range(1, 7)], WORKED, [[0]], ["cat"])


def clusters(seed=0, n=120, m=60, d=6):
    """Overlapping clusters with three labels: references, then queries."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, n + m)
    X = random.normal(size=(n + m, d)) + y[:, None] * 0.7
    names = np.asarray(["bird", "cat", "dog"])[y]
    return X[:n], names[:n], X[n:], names[n:]


def as_neighbors(X_reference, X_query, k, reference_ids=None, query_ids=None):
    """What an engine would return, found the slow and obvious way."""
    rows = {"query_label": [], "reference_label": [], "distance": [], "rank": []}
    for i, x in enumerate(X_query):
        distances = np.sqrt(((X_reference - x) ** 2).sum(axis=1))
        for rank, j in enumerate(np.argsort(distances, kind="stable")[:k], start=1):
            rows["query_label"].append(i if query_ids is None else query_ids[i])
            rows["reference_label"].append(int(j) if reference_ids is None else reference_ids[j])
            rows["distance"].append(float(distances[j]))
            rows["rank"].append(rank)
    return rows


@pytest.mark.parametrize(
    ("k", "precision", "recall", "ap"),
    [
        (1, 1 / 1, 1 / 3, 1),
        (2, 1 / 2, 1 / 3, 1 / 2),
        (3, 2 / 3, 2 / 3, (1 + 2 / 3) / 3),
        (5, 2 / 5, 2 / 3, (1 + 2 / 3) / 3),
        (6, 3 / 6, 3 / 3, (1 + 2 / 3 + 3 / 6) / 3),
    ],
)
def test_the_worked_case(k, precision, recall, ap):
    ranking = worked()
    assert evaluate.precision_at_k(ranking, k) == pytest.approx([precision])
    assert evaluate.recall_at_k(ranking, k) == pytest.approx([recall])
    assert evaluate.average_precision(ranking, k) == pytest.approx([ap])


def test_ndcg_worked_by_hand():
    # Hits at ranks 1, 3 and 6, where three hits could stand at 1, 2 and 3.
    best = 1 + 1 / math.log2(3) + 0.5
    assert evaluate.ndcg_at_k(worked(), 2) == pytest.approx([1 / (1 + 1 / math.log2(3))])
    assert evaluate.ndcg_at_k(worked(), 3) == pytest.approx([1.5 / best])
    assert evaluate.ndcg_at_k(worked(), 6) == pytest.approx([(1.5 + 1 / math.log2(7)) / best])


@pytest.mark.parametrize("k", [1, 5, 60, 120])
def test_ndcg_is_scikit_learns(k):
    X, y, queries, labels = clusters()
    ranking = evaluate.rank_features(X, y, queries, labels)
    distances = np.linalg.norm(queries[:, None] - X, axis=2)
    found = evaluate.ndcg_at_k(ranking, k)
    for value, label, row in zip(found, labels, distances):
        assert value == pytest.approx(ndcg_score([y == label], [-row], k=k))


def test_ndcg_without_a_relevant_reference_is_nan():
    ranking = evaluate.rank_features([[1.0]], ["cat"], [[0.0]], ["dog"])
    assert math.isnan(evaluate.ndcg_at_k(ranking, 1)[0])


def test_ranking_by_distances_is_ranking_by_features():
    X, y, queries, labels = clusters()
    distances = np.linalg.norm(queries[:, None] - X, axis=2)
    found = evaluate.rank_distances(distances, y, labels)
    expected = evaluate.rank_features(X, y, queries, labels)
    assert found.is_full and (found.neighbor_ids == expected.neighbor_ids).all()
    assert (found.n_relevant == expected.n_relevant).all()


@pytest.mark.parametrize("distances", [[[1.0, math.nan]], [[1.0]], [[1.0, 2.0]] * 2])
def test_distances_that_do_not_fit_are_refused(distances):
    with pytest.raises(InputError, match="give a number for each of 1 queries by 2 references"):
        evaluate.rank_distances(distances, ["cat", "dog"], ["cat"])


def test_average_precision_of_the_full_ranking_is_scikit_learns():
    X, y, queries, labels = clusters()
    ranking = evaluate.rank_features(X, y, queries, labels)
    expected = [
        average_precision_score(y == label, -np.linalg.norm(X - x, axis=1))
        for x, label in zip(queries, labels)
    ]
    assert evaluate.average_precision(ranking) == pytest.approx(expected)


def test_perfect_neighbors_give_one_at_every_cut_off():
    ranking = evaluate.rank_features([[1], [2], [9]], ["cat", "cat", "dog"], [[0]], ["cat"])
    for k in (1, 2, 3):
        assert evaluate.average_precision(ranking, k) == pytest.approx([1.0])


def test_one_nn_accuracy_and_confusion_are_the_classifiers():
    X, y, queries, labels = clusters(seed=1)
    ranking = evaluate.rank_features(X, y, queries, labels)
    classifier = KNeighborsClassifier(n_neighbors=1).fit(X, y)
    assert evaluate.one_nn_accuracy(ranking) == pytest.approx(classifier.score(queries, labels))
    counts = evaluate.confusion(ranking)
    assert list(counts.index) == list(counts.columns) == ["bird", "cat", "dog"]
    np.testing.assert_array_equal(counts, confusion_matrix(labels, classifier.predict(queries)))


def test_confusion_counts_k_neighbors_a_query():
    counts = evaluate.confusion(worked(), k=5)
    assert counts.to_numpy().tolist() == [[0, 0, 0], [1, 2, 2], [0, 0, 0]]
    assert counts.loc["cat", "dog"] == 2
    assert (counts.index.name, counts.columns.name) == ("query", "neighbor")


def test_a_query_is_left_out_of_its_own_neighbors():
    X, y, _, _ = clusters()
    ranking = evaluate.rank_features(X, y)
    assert (ranking.neighbor_ids != np.arange(len(X))[:, None]).all()
    assert ranking.depth == ranking.n_reference == len(X) - 1
    assert ranking.n_relevant.tolist() == [(y == label).sum() - 1 for label in y]
    assert evaluate.recall_at_k(ranking, ranking.depth) == pytest.approx(np.ones(len(X)))


@pytest.mark.parametrize("as_table", [dict, pd.DataFrame])
def test_neighbors_of_an_engine_give_what_the_features_give(as_table):
    X, y, queries, labels = clusters()
    ids = [100 + 3 * i for i in range(len(X))]
    neighbors = as_table(as_neighbors(X, queries, 10, reference_ids=ids))
    found = evaluate.rank_neighbors(neighbors, as_table({"id": ids, "label": y}), labels)
    expected = evaluate.rank_features(X, y, queries, labels, depth=10)
    np.testing.assert_array_equal(found.hits, expected.hits)
    np.testing.assert_array_equal(found.n_relevant, expected.n_relevant)
    np.testing.assert_array_equal(found.neighbor_ids, np.asarray(ids)[expected.neighbor_ids])
    assert evaluate.summarize(found).equals(evaluate.summarize(expected))


def test_the_neighbors_of_turi_create():
    turicreate = pytest.importorskip("turicreate")
    X, y, queries, labels = clusters()
    train = turicreate.SFrame({"id": list(range(7, 127)), "label": y.tolist(), "x": X.tolist()})
    test = turicreate.SFrame(
        {"id": list(range(60)), "label": labels.tolist(), "x": queries.tolist()}
    )
    model = turicreate.nearest_neighbors.create(train, features=["x"], label="id", verbose=False)
    by_row = evaluate.rank_neighbors(model.query(test, k=5, verbose=False), train, test["label"])
    by_id = evaluate.rank_neighbors(model.query(test, label="id", k=5, verbose=False), train, test)
    expected = evaluate.rank_features(X, y, queries, labels, depth=5)
    np.testing.assert_array_equal(by_row.hits, expected.hits)
    np.testing.assert_array_equal(by_id.hits, expected.hits)
    own = evaluate.rank_neighbors(model.query(train, label="id", k=6, verbose=False), train)
    np.testing.assert_array_equal(own.hits, evaluate.rank_features(X, y, depth=5).hits)


def test_rows_in_any_order_are_read_by_rank():
    table = pd.DataFrame(as_neighbors(*np.split(np.arange(12.0)[:, None], [8]), k=4))
    labels = list("aabbccdd")
    in_order = evaluate.rank_neighbors(table, labels, list("dddd"))
    shuffled = evaluate.rank_neighbors(table.sample(frac=1, random_state=0), labels, list("dddd"))
    np.testing.assert_array_equal(in_order.neighbor_ids, shuffled.neighbor_ids)


def test_self_is_left_out_of_neighbors_wherever_it_stands():
    # Image 2 is a copy of image 1 and comes first in its list; query 3 did not find itself.
    neighbors = {
        "query_label": [1, 1, 1, 3, 3, 3],
        "reference_label": [2, 1, 3, 2, 1, 4],
        "rank": [1, 2, 3, 1, 2, 3],
    }
    images = {"id": [1, 2, 3, 4], "label": ["cat", "cat", "dog", "dog"]}
    ranking = evaluate.rank_neighbors(neighbors, images)
    assert ranking.neighbor_ids.tolist() == [[2, 3], [2, 1]]
    assert ranking.hits.tolist() == [[True, False], [False, False]]
    assert ranking.n_relevant.tolist() == [1, 1]


def test_a_query_with_fewer_neighbors_counts_the_missing_ones_as_wrong():
    neighbors = {"query_label": [0, 0, 1], "reference_label": [0, 1, 1], "rank": [1, 2, 1]}
    ranking = evaluate.rank_neighbors(neighbors, ["cat", "cat", "dog"], ["cat", "cat"])
    assert evaluate.precision_at_k(ranking, 2).tolist() == [1.0, 0.5]
    assert evaluate.confusion(ranking, 2).to_numpy().tolist() == [[3, 0], [0, 0]]


def test_a_query_that_found_only_itself_still_counts():
    neighbors = {"query_label": [0, 0, 1], "reference_label": [0, 1, 1], "rank": [1, 2, 1]}
    ranking = evaluate.rank_neighbors(neighbors, ["cat", "cat", "dog"])
    assert ranking.query_ids.tolist() == [0, 1]
    assert evaluate.precision_at_k(ranking, 1).tolist() == [1.0, 0.0]


def test_labels_without_references_are_undefined_and_left_out_of_means():
    ranking = evaluate.rank_features([[1], [2]], ["cat", "dog"], [[0], [0]], ["cat", "horse"])
    assert math.isnan(evaluate.recall_at_k(ranking, 1)[1])
    assert math.isnan(evaluate.average_precision(ranking)[1])
    table = evaluate.summarize(ranking, ks=[1])
    assert table.loc[1].tolist() == [0.5, 1.0, 1.0]
    assert math.isnan(evaluate.by_label(ranking, 1).loc["horse", "recall"])


def test_by_label_splits_the_means():
    X, y, queries, labels = clusters()
    ranking = evaluate.rank_features(X, y, queries, labels)
    table = evaluate.by_label(ranking, k=5)
    assert table["queries"].sum() == len(queries)
    weighted = np.dot(table["precision"], table["queries"]) / len(queries)
    assert weighted == pytest.approx(evaluate.precision_at_k(ranking, 5).mean())
    dogs = evaluate.rank_features(X, y, queries[labels == "dog"], labels[labels == "dog"])
    assert table.loc["dog", "1-NN"] == pytest.approx(evaluate.one_nn_accuracy(dogs))


def test_summary_ends_with_the_full_ranking_only_where_it_is_known():
    X, y, queries, labels = clusters()
    ranking = evaluate.rank_features(X, y, queries, labels)
    full = evaluate.summarize(ranking, ks=[5])
    cut = evaluate.summarize(evaluate.rank_features(X, y, queries, labels, depth=5), ks=[5])
    assert list(full.index) == [5, "all"] and list(cut.index) == [5]
    assert full.loc[5].equals(cut.loc[5])
    chance = np.mean([(y == label).mean() for label in labels])
    mean = evaluate.average_precision(ranking).mean()
    assert full.loc["all"].tolist() == pytest.approx([chance, 1.0, mean])


def test_equal_distances_are_ranked_by_row():
    ranking = evaluate.rank_features([[1.0]] * 300, ["cat"] * 300, [[0.0]], ["cat"])
    np.testing.assert_array_equal(ranking.neighbor_ids[0], np.arange(300))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_every_metric_ranks_by_its_distance(metric):
    X, y, queries, labels = clusters()
    X, queries = X.astype(np.float32), queries.astype(np.float32)
    ranking = evaluate.rank_features(X, y, queries, labels, depth=7, metric=metric)
    expected = NearestNeighbors(metric=metric, algorithm="brute").fit(X).kneighbors(queries, 7)[1]
    np.testing.assert_array_equal(ranking.neighbor_ids, expected)


def test_neighbor_labels_are_those_of_the_ids():
    X, y, queries, labels = clusters()
    ranking = evaluate.rank_features(X, y, queries, labels, depth=4)
    np.testing.assert_array_equal(ranking.neighbor_labels, y[ranking.neighbor_ids])
    neighbors = {"query_label": [0, 0, 1], "reference_label": [0, 1, 1], "rank": [1, 2, 1]}
    ranking = evaluate.rank_neighbors(neighbors, ["cat", "dog"], ["cat", "cat"])
    assert ranking.neighbor_labels.tolist() == [["cat", "dog"], ["dog", ""]]


def test_a_table_is_read_with_its_first_column_as_names_and_three_decimals():
    table = evaluate.table(
        label=["cat", "dog"], images=[3, 14], share=[2 / 3, None], mode=["a", None]
    )
    assert isinstance(table, pd.DataFrame)
    assert [line.split() for line in str(table).split("\n")] == [
        ["images", "share", "mode"],
        ["label"],
        ["cat", "3", "0.667", "a"],
        ["dog", "14", "–", "–"],
    ]


def test_a_query_among_copies_of_itself_has_as_many_neighbors_as_others():
    X, y = [[0.0]] * 6 + [[1.0]], ["cat"] * 6 + ["dog"]
    for depth in (2, None):
        ranking = evaluate.rank_features(X, y, depth=depth)
        assert ranking.neighbor_ids.shape == (7, depth or 6)
        assert (ranking.neighbor_ids != np.arange(7)[:, None]).all()
    assert ranking.neighbor_ids[5].tolist() == [0, 1, 2, 3, 4, 6]


def test_a_ranking_is_a_record():
    with pytest.raises(FrozenInstanceError):
        worked().n_reference = 3


def test_pixels_do_not_wrap_around():
    pixels = np.asarray([[250], [3]], np.uint8)
    ranking = evaluate.rank_features(pixels, ["far", "near"], np.asarray([[5]], np.uint8), ["near"])
    assert evaluate.one_nn_accuracy(ranking) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: evaluate.precision_at_k(worked(), 7), "from 1 to 6, the ranks known, got 7"),
        (lambda: evaluate.precision_at_k(worked(), 0), "got 0"),
        (lambda: evaluate.rank_features([[1.0]], ["a", "b"]), "1 reference rows need as many"),
        (lambda: evaluate.rank_features([[[1.0]]], ["a"]), r"shape \(n, d\)"),
        (
            lambda: evaluate.rank_features([[1.0], [math.nan]], ["a", "b"]),
            "reference matrix row 1 holds a NaN",
        ),
        (
            lambda: evaluate.rank_features([[1.0], [2]], ["a", "b"], [[1, 2]], ["a"]),
            "query matrix has 2 dimensions a row, the index has 1",
        ),
        (
            lambda: evaluate.rank_features([[1.0], [2]], ["a", "b"], metric="near"),
            "metric 'near' is not known",
        ),
        (lambda: evaluate.rank_features([[1.0]], ["a"]), "nothing to rank"),
        (lambda: evaluate.rank_neighbors({"rank": [1]}, ["a"]), "no column 'query_label'"),
        (
            lambda: evaluate.rank_neighbors(
                {"query_label": [0], "reference_label": [9], "rank": [1]}, ["a", "b"], ["a"]
            ),
            "reference_label 9 is not one of the images given",
        ),
        (
            lambda: evaluate.rank_neighbors(
                {"query_label": [], "reference_label": [], "rank": []}, ["a"]
            ),
            "neighbors has no rows",
        ),
        (
            lambda: evaluate.rank_neighbors(
                {"query_label": [0], "reference_label": [0], "rank": [1]}, ["a", "b"]
            ),
            "only itself",
        ),
        (
            lambda: evaluate.rank_neighbors(
                {"query_label": [1], "reference_label": [1], "rank": [1]},
                {"id": [1, 1], "label": ["a", "b"]},
                ["a"],
            ),
            "2 images have only 1 different ids",
        ),
        (
            lambda: evaluate.average_precision(
                evaluate.rank_features([[1], [2]], ["a", "b"], [[0]], ["a"], depth=1)
            ),
            "needs all 2 references ranked, got 1",
        ),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
