from image_retrieval import datasets, evaluate, explore, index
from image_retrieval.app import SearchApp, Session, open_shelf, read_upload, rocchio
from image_retrieval.duplicates import altered, picture_prints, propose_threshold
from image_retrieval.duplicates import find as find_duplicates
from image_retrieval.duplicates import group as group_duplicates
from image_retrieval.duplicates import kinds as alterations
from image_retrieval.duplicates import leak as find_leak
from image_retrieval.errors import InputError
from image_retrieval.explain import gallery as explain_gallery
from image_retrieval.explain import overlay, pair_shares
from image_retrieval.features import (
    Extraction,
    as_extraction,
    backbones,
    extract,
    extract_map,
    get_backbone,
)
from image_retrieval.features import join as join_features
from image_retrieval.features.preprocessing import resize
from image_retrieval.images import as_rgb, as_rgb_list
from image_retrieval.intervals import of_difference as interval_of_difference
from image_retrieval.intervals import of_mean as interval_of_mean
from image_retrieval.learned import ContrastiveHead, contrastive_loss
from image_retrieval.palette import COLORS
from image_retrieval.plots import arrows as plot_arrows
from image_retrieval.plots import bars as plot_bars
from image_retrieval.plots import confusions as plot_confusions
from image_retrieval.plots import curves as plot_curves
from image_retrieval.plots import empty_axes
from image_retrieval.plots import histograms as plot_histograms
from image_retrieval.postprocess import (
    AverageQueryExpansion,
    bag_of_visual_words,
    default_recipe,
    signed_root,
)
from image_retrieval.projection import (
    interactive_map,
    label_accuracy,
    neighbors_kept,
    place_on_grid,
    scatter,
    tsne,
)
from image_retrieval.projection import thumbnails as thumbnail_map
from image_retrieval.quiet import quiet_turicreate
from image_retrieval.reranking import diffusion_distances, k_reciprocal_distances
from image_retrieval.sframes import (
    sarray_to_images,
    sframe_vectors,
    vectors_to_sarray,
    with_extractions,
)

__all__ = [
    "COLORS",
    "AverageQueryExpansion",
    "ContrastiveHead",
    "Extraction",
    "InputError",
    "SearchApp",
    "Session",
    "alterations",
    "altered",
    "as_extraction",
    "as_rgb",
    "as_rgb_list",
    "backbones",
    "bag_of_visual_words",
    "contrastive_loss",
    "datasets",
    "default_recipe",
    "diffusion_distances",
    "empty_axes",
    "evaluate",
    "explain_gallery",
    "explore",
    "extract",
    "extract_map",
    "find_duplicates",
    "find_leak",
    "get_backbone",
    "group_duplicates",
    "index",
    "interactive_map",
    "interval_of_difference",
    "interval_of_mean",
    "join_features",
    "k_reciprocal_distances",
    "label_accuracy",
    "neighbors_kept",
    "open_shelf",
    "overlay",
    "pair_shares",
    "picture_prints",
    "place_on_grid",
    "plot_arrows",
    "plot_bars",
    "plot_confusions",
    "plot_curves",
    "plot_histograms",
    "propose_threshold",
    "quiet_turicreate",
    "read_upload",
    "resize",
    "rocchio",
    "sarray_to_images",
    "scatter",
    "sframe_vectors",
    "signed_root",
    "thumbnail_map",
    "tsne",
    "vectors_to_sarray",
    "with_extractions",
]
