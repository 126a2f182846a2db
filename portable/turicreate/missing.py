"""What this edition lacks, said by name."""

REAL = "the real one (turicreate 6.4.1 on Python 3.8) has it: see 'Where it runs' in the README"


class NotInPortableEdition(NotImplementedError, AttributeError):  # noqa: N818
    """A part of Turi Create that the portable edition does not have.

    It is an `AttributeError`, so that `hasattr` answers no.
    """


def lacks(name, instead=""):
    """Return the error that names a missing part, and another way if there is one."""
    hint = f"; {instead}" if instead else ""
    return NotInPortableEdition(
        f"{name} is not in the portable edition of Turi Create{hint}; {REAL}"
    )


#: Public names of the real edition's modules, so that a typing error is told from a gap.
MODULE_NAMES = frozenset(
    """activity_classifier boosted_trees_classifier boosted_trees_regression classifier clustering
    connected_components dbscan decision_tree_classifier decision_tree_regression degree_counting
    drawing_classifier Edge extensions factorization_recommender graph_analytics graph_coloring
    image_classifier image_similarity item_content_recommender item_similarity_recommender kcore
    kmeans label_propagation linear_regression load_audio load_sgraph object_detector
    one_shot_object_detector pagerank popularity_recommender random_forest_classifier
    random_forest_regression ranking_factorization_recommender recommender regression SFrameBuilder
    SGraph shortest_path sound_classifier style_transfer svm_classifier text_analytics
    text_classifier topic_model triangle_counting util Vertex""".split()
)
SFRAME_NAMES = frozenset(
    """export_csv export_json flat_map from_sql read_csv read_csv_with_errors read_json
    split_datetime to_sql""".split()
)
SARRAY_NAMES = frozenset(
    """cumulative_std cumulative_var date_range datetime_to_str dict_trim_by_keys
    dict_trim_by_values read_json rolling_count rolling_max rolling_mean
    rolling_min rolling_stdv rolling_sum rolling_var split_datetime str_to_datetime""".split()
)


def refuse_attribute(owner, name, known):
    """Raise the right error for an attribute that is not there."""
    if name in known:
        raise lacks(f"{owner}.{name}")
    raise AttributeError(f"'{owner}' object has no attribute '{name}'")
