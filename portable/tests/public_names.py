"""The public names of the real edition, class by class and module by module."""

import types

PLACES = (
    "",
    "SFrame",
    "SArray",
    "Image",
    "Sketch",
    "SArrayBuilder",
    "aggregate",
    "config",
    "distances",
    "evaluation",
    "image_analysis",
    "logistic_classifier",
    "logistic_classifier.LogisticClassifier",
    "nearest_neighbors",
    "nearest_neighbors.NearestNeighborsModel",
    "nearest_neighbor_classifier",
    "nearest_neighbor_classifier.NearestNeighborClassifier",
    "visualization",
)


def place(turicreate, name):
    """Return the module or class of a dotted name within the package."""
    found = turicreate
    for part in name.split(".") if name else ():
        found = getattr(found, part)
    return found


def public_names(turicreate):
    """Return {place: its public names}, without what modules import from elsewhere."""
    return {name: _names(place(turicreate, name)) for name in PLACES}


def _names(owner):
    found = []
    for name in dir(owner):
        value = None if name.startswith("_") else getattr(owner, name, None)
        module = value.__name__ if isinstance(value, types.ModuleType) else value
        own = getattr(module, "__module__", module if isinstance(module, str) else "")
        if not name.startswith("_") and (isinstance(owner, type) or "turicreate" in str(own)):
            found.append(name)
    return found
