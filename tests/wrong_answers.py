"""Answers to the assignments' questions as students give them, wrong ones and unusual right ones.

Every wrong answer is one that somebody who misunderstood one thing might hand in, and says
which checks it must fail; all others must be passed.
"""

from collections import namedtuple

# `cell` of `assignment` is answered by `source`, and loses the points of the cells in `loses`.
Wrong = namedtuple("Wrong", "name assignment cell source loses")

FIRST, SECOND = "01_nearest_neighbors", "02_image_retrieval"

WRONG = [
    Wrong(
        "off-by-one k",
        FIRST,
        "nearest",
        "def nearest_rows(distances, k):\n    return np.argsort(distances)[: k + 1]",
        {"check-nearest"},
    ),
    Wrong(
        "query left among its own neighbors",
        FIRST,
        "without-query",
        """
def neighbors_of_row(X, row, k):
    return np.argsort(np.linalg.norm(X - X[row], axis=1), kind="stable")[:k]
""",
        {"check-without-query", "check-copies"},
    ),
    Wrong(
        "drops the first instead of the query",
        FIRST,
        "without-query",
        """
def neighbors_of_row(X, row, k):
    return np.argsort(np.linalg.norm(X - X[row], axis=1), kind="stable")[1 : k + 1]
""",
        {"check-copies"},
    ),
    Wrong(
        "unsorted",
        FIRST,
        "nearest",
        "def nearest_rows(distances, k):\n    return sorted(np.argsort(distances)[:k])",
        {"check-nearest-order"},
    ),
    Wrong(
        "cosine for Euclidean",
        FIRST,
        "distance",
        """
def euclidean_distance(a, b):
    a, b = np.array(a, float), np.array(b, float)
    return 1 - a @ b / np.sqrt((a @ a) * (b @ b))
""",
        {"check-distance"},
    ),
    Wrong(
        "uint8 differences",
        FIRST,
        "all-distances",
        """
def distances_to_all(references, query):
    return np.sqrt(((references - query) ** 2).sum(axis=1))
""",
        {"check-bytes"},
    ),
    Wrong(
        "rank from 0",
        FIRST,
        "ask-model",
        """
def model_neighbors(model, images, row, k):
    answer = model.query(images[row : row + 1], k=k + 1)
    answer = answer[answer["reference_label"] != images[row]["id"]]
    answer["rank"] = turicreate.SArray(range(k))
    return answer
""",
        {"check-ranks"},
    ),
    Wrong(
        "labels for ids",
        FIRST,
        "ask-model",
        """
def model_neighbors(model, images, row, k):
    answer = model.query(images[row : row + 1], k=k + 1)
    answer = answer[answer["reference_label"] != images[row]["id"]]
    label_of = dict(zip(images["id"], images["label"]))
    answer["reference_label"] = answer["reference_label"].apply(lambda found: label_of[found])
    answer["rank"] = turicreate.SArray(range(1, k + 1))
    return answer
""",
        {"check-ask-model"},
    ),
    Wrong(
        "hard-coded ids",
        SECOND,
        "nearest",
        """
def nearest_with_label(models, query, label):
    return {"cat": CAT, "dog": DOG}[label]
""",
        {"check-nearest"},
    ),
    Wrong(
        "the last of k distances instead of their mean",
        SECOND,
        "mean-distance",
        """
def mean_distance(models, query, label, k=5):
    return max(models[label].query(query, k=k)["distance"])
""",
        {"check-mean-distance"},
    ),
    Wrong(
        "a share of all test images instead of the dogs",
        SECOND,
        "accuracy",
        """
def dog_accuracy(table):
    return table.apply(is_dog_correct).sum() / len(image_test)
""",
        {"check-accuracy"},
    ),
]

# Ways that are as right as those of the solutions: other types, other tools, other orders.
UNUSUAL = {
    FIRST: {
        "distance": "import math\n\n\ndef euclidean_distance(a, b):\n    return math.dist(a, b)",
        "all-distances": """
def distances_to_all(references, query):
    rows = [[float(value) for value in row] for row in references]
    asked = [float(value) for value in query]
    return [math.dist(row, asked) for row in rows]
""",
        "nearest": """
def nearest_rows(distances, k):
    pairs = sorted((distance, -row) for row, distance in enumerate(distances))
    return tuple(-row for _, row in pairs[:k])
""",
        "without-query": """
def neighbors_of_row(X, row, k):
    distances = ((X - X[row]) ** 2).sum(axis=1)
    distances[row] = np.inf
    return np.lexsort((-np.arange(len(X)), distances))[:k].tolist()
""",
        "ask-model": """
def model_neighbors(model, images, row, k):
    table = model.query(images[row : row + 1], k=len(images)).to_dataframe()
    table = table[table.reference_label != images["id"][row]].nsmallest(k, "distance")
    table["rank"] = range(1, k + 1)
    return turicreate.SFrame(table[::-1].reset_index(drop=True))
""",
        "hits": """
def count_hits(neighbors, images, label):
    joined = neighbors.join(images[["id", "label"]], on={"reference_label": "id"})
    return int(np.sum(np.array(list(joined["label"])) == label))
""",
    },
    SECOND: {
        "summary": """
def label_summary(images):
    counts = images["label"].value_counts()
    return dict(zip(counts["value"], counts["count"]))
""",
        "rarest": """
def rarest_label(images):
    return images["label"].value_counts()["value"][-1]
""",
        "nearest": """
def nearest_with_label(models, query, label):
    answer = models[label].query(query, k=30, verbose=False)
    return answer.to_dataframe().set_index("distance").reference_label.loc[answer["distance"].min()]
""",
        "table": """
def distance_table(models, queries, name):
    columns = {}
    for label in sorted(models, reverse=True):
        answer = models[label].query(queries, k=3).to_dataframe()
        columns[f"{name}-{label}"] = answer.groupby("query_label").distance.min().tolist()
    return turicreate.SFrame(columns)
""",
        "correct": """
def is_dog_correct(row):
    return all(row["dog-dog"] <= row[f"dog-{rival}"] for rival in ("cat", "bird", "automobile"))
""",
        "accuracy": """
def dog_accuracy(table):
    return sum(is_dog_correct(row) for row in table) / len(table)
""",
    },
}
