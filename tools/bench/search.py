"""Search engines beside each other: the time of a search, and what it finds."""

from image_retrieval import index
from image_retrieval.index.hnsw import HnswEngine
from tools.bench.timing import best_seconds, one_by_one

K = 10
BARE = "bare product"
EXACT = "exact"
FRESH = "exact, before it has learned"
TURI = "turicreate brute_force"
SKLEARN = "scikit-learn brute force"
FLAT = "FAISS flat"
MILVUS = "milvus (Milvus Lite, FLAT)"
SFRAMES = "exact, from SFrame to SFrame"
HNSW = "hnsw, recall {}"
CODES = "codes, recall {}"
PLAIN = "hnswlib on all dimensions, ef {}"
TARGETS = (0.9, 0.95, 0.99)
EFS = (50, 100, 200)
# Many short rounds of single queries: one that nothing else disturbs is enough.
_REPEATS, _SINGLE_ROUNDS, _SINGLE_SECONDS = 5, 8, 5.0


def exact_searches(X):
    """Return the exact ways to search `X`, functions of queries, by name."""
    engine, fresh = exact_engine(X), index.build(X)
    milvus = index.build(X, engine="milvus", progress=False)
    turicreate = index.build(X, engine="turicreate")
    ways = {
        BARE: lambda Q: Q @ X.T,
        EXACT: lambda Q: engine.search(Q, K),
        FRESH: lambda Q: fresh.search(Q, K),
        SKLEARN: _scikit_learn(X),
        FLAT: _faiss_flat(X),
        MILVUS: lambda Q: milvus.search(Q, K),
        TURI: lambda Q: turicreate.search(Q, K),
    }
    return {name: way for name, way in ways.items() if way is not None}


def exact_engine(X):
    """Return the engine `exact` as it is after many single queries."""
    engine = index.build(X)
    engine.learn()
    return engine


def measure_exact(X, Q, rounds):
    """Time every exact way to search, in a batch and one query at a time.

    Returns
    -------
    dict of str to (float, float)
        Seconds of all queries in one call, and of one query in a call of its own.
    """
    ways = exact_searches(X)
    batch = best_seconds({name: _bound(way, Q) for name, way in ways.items()}, rounds)
    single = {name: one_by_one(way, Q, _REPEATS) for name, way in ways.items()}
    one = best_seconds(single, rounds * _SINGLE_ROUNDS, _SINGLE_SECONDS)
    return {name: (batch[name], one[name] / _REPEATS) for name in ways}


def measure_sframes(X, Q, rounds):
    """Return the seconds of `exact` from arrays to arrays, and from SFrame to SFrame."""
    import turicreate as tc

    from image_retrieval.sframes import vectors_to_sarray

    images = index.ImageIndex(exact_engine(X))
    queries = tc.SFrame({"id": list(range(len(Q))), "deep_features": vectors_to_sarray(Q)})
    ways = {
        EXACT: lambda: images.search(Q, K),
        SFRAMES: lambda: images.query(queries, K, label="id"),
    }
    return best_seconds(ways, rounds)


def measure_approximate(X, Q, rounds, targets=TARGETS, efs=EFS):
    """Time approximate searches and count what they find.

    Returns
    -------
    dict of str to (float, float, float)
        Recall@10, seconds of all queries in one call, seconds of one query.
    """
    truth = index.build(X).search(Q, K)[0]
    ways = {HNSW.format(target): _hnsw(X, target) for target in targets}
    ways.update({CODES.format(target): _codes(X, target) for target in targets})
    ways.update(_plain_hnswlib(X, efs))
    exact, flat = exact_engine(X), _faiss_flat(X)
    ways[EXACT] = lambda Q: exact.search(Q, K)[0]
    if flat is not None:
        ways[FLAT] = lambda Q: flat(Q)[1]
    batch = best_seconds({name: _bound(way, Q) for name, way in ways.items()}, rounds)
    single = {name: one_by_one(way, Q, _REPEATS) for name, way in ways.items()}
    one = best_seconds(single, rounds * _SINGLE_ROUNDS, _SINGLE_SECONDS)
    return {
        name: (index.recall(way(Q), truth), batch[name], one[name] / _REPEATS)
        for name, way in ways.items()
    }


def _bound(way, Q):
    return lambda: way(Q)


def _scikit_learn(X):
    from sklearn.neighbors import NearestNeighbors

    model = NearestNeighbors(n_neighbors=K, algorithm="brute").fit(X)
    return model.kneighbors


def _faiss_flat(X):
    try:
        import faiss
    except ImportError:
        return None
    flat = faiss.IndexFlatL2(X.shape[1])
    flat.add(X)
    return lambda Q: flat.search(Q, K)


def _hnsw(X, target):
    engine = HnswEngine(recall=target).build(X)
    return lambda Q: engine.search(Q, K)[0]


def _codes(X, target):
    engine = index.build(X, engine="codes", recall=target)
    return lambda Q: engine.search(Q, K)[0]


def _plain_hnswlib(X, efs):
    import hnswlib

    graph = hnswlib.Index(space="l2", dim=X.shape[1])
    graph.init_index(max_elements=len(X), M=16, ef_construction=200, random_seed=1)
    graph.add_items(X)

    def way(ef):
        def search(Q):
            graph.set_ef(ef)
            return graph.knn_query(Q, k=K)[0]

        return search

    return {PLAIN.format(ef): way(ef) for ef in efs}
