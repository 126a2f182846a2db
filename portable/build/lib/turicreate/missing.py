"""What this edition lacks, said by name."""

#: The heading of the README's section that every refusal points at.
SECTION = "What it lacks"
REAL = f"turicreate 6.4.1 on Python 3.8 has it: see '{SECTION}' in portable/README.md"


class NotInPortableEdition(NotImplementedError, AttributeError):  # noqa: N818
    """A part of Turi Create that the portable edition does not have.

    It is an `AttributeError`, so that `hasattr` answers no.
    """


def lacks(name, instead=""):
    """Return the error that names a missing part, and another way if there is one."""
    hint = f"; {instead}" if instead else ""
    return NotInPortableEdition(
        f"{name} is not in the portable edition of Turi Create{hint}; the real one ({REAL})"
    )


_NETWORKS = "its network comes from the real edition; image_retrieval.features extracts features"
_TREES = "no trees here; logistic_classifier and nearest_neighbor_classifier are there"
_NUMBERS = "no regression here; scikit-learn has it"
_TEXT = "count words with collections.Counter, which gives a column of dictionaries"
_RATINGS = "no recommenders here"
_GRAPHS = "no graphs here; networkx has them"
_CLUSTERS = "no clustering here; scikit-learn has it"
_SOUND = "no sounds here"
_INNER = "it is a part of the real edition's inner workings"

#: Public names of the real edition's package that are not here, each with a reason.
MODULE_NAMES = {
    **dict.fromkeys(
        """activity_classifier drawing_classifier image_classifier image_similarity
        object_detector one_shot_object_detector style_transfer text_classifier""".split(),
        _NETWORKS,
    ),
    **dict.fromkeys(
        """boosted_trees_classifier boosted_trees_regression decision_tree_classifier
        decision_tree_regression random_forest_classifier random_forest_regression""".split(),
        _TREES,
    ),
    **dict.fromkeys(("linear_regression", "regression", "svm_classifier"), _NUMBERS),
    **dict.fromkeys(("text_analytics", "topic_model"), _TEXT),
    **dict.fromkeys(
        """factorization_recommender item_content_recommender item_similarity_recommender
        popularity_recommender ranking_factorization_recommender recommender""".split(),
        _RATINGS,
    ),
    **dict.fromkeys(
        """connected_components degree_counting Edge graph_analytics graph_coloring kcore
        label_propagation load_sgraph pagerank SGraph shortest_path triangle_counting
        Vertex""".split(),
        _GRAPHS,
    ),
    **dict.fromkeys(("clustering", "dbscan", "kmeans"), _CLUSTERS),
    **dict.fromkeys(("audio_analysis", "load_audio", "sound_classifier"), _SOUND),
    **dict.fromkeys(("data_structures", "extensions", "meta", "turicreate", "util"), _INNER),
    "version_info": "__version__ says which edition this is",
    "classifier": "logistic_classifier and nearest_neighbor_classifier are there",
    "SFrameBuilder": "collect rows in a list and give SFrame its columns",
}
#: Public names of classes that are not here.
CLASS_NAMES = {
    "SFrame": dict.fromkeys(("from_sql", "to_sql"), "pandas reads and writes databases"),
    "SArray": {"date_range": "no edition has it: turicreate 6.4.1 fails at it too"},
    "LogisticClassifier": {"export_coreml": "no Core ML here"},
}


class Gap:
    """In place of a class's attribute: says by name that it is not here."""

    def __init__(self, name, reason):
        self._name, self._reason = name, reason

    def __get__(self, instance, owner):
        raise lacks(self._name, self._reason)


def refuse_by_name(cls):
    """Let a class refuse what the real edition's has, asked on the class or an instance."""
    for name, reason in CLASS_NAMES[cls.__name__].items():
        setattr(cls, name, Gap(f"{cls.__name__}.{name}", reason))
    return cls
