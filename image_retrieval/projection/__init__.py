"""Maps of a feature space: each image a point in the plane, near what is near it there."""

from image_retrieval.projection.figures import scatter, thumbnails
from image_retrieval.projection.interactive import interactive_map
from image_retrieval.projection.placement import place_on_grid
from image_retrieval.projection.points import label_accuracy, neighbors_kept, tsne

__all__ = [
    "interactive_map",
    "label_accuracy",
    "neighbors_kept",
    "place_on_grid",
    "scatter",
    "thumbnails",
    "tsne",
]
