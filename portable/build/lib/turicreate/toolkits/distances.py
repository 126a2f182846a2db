"""`distances`: how far two vectors, dictionaries, lists or strings are from each other."""

import array

from . import _vector_distances
from ._main import ToolkitError
from ._pair_distances import PAIRS, levenshtein_distance

_WRONG_TYPE = "This distance does not support the provided type."
#: All names of distances that the real edition's models take.
NAMES = (*_vector_distances.NAMES, "jaccard", "weighted_jaccard", "levenshtein")


def _kind(value):
    if isinstance(value, (list, tuple, array.array)):
        numbers = len(value) and all(isinstance(item, (int, float)) for item in value)
        return array.array if numbers else list
    return type(value)


def _distance(name, x, y):
    kind = _kind(x)
    if kind is not _kind(y):
        raise ToolkitError("Argument types must match.")
    if kind is str and name == "levenshtein":
        return float(levenshtein_distance(x, y))
    if kind is array.array and name in _vector_distances.NAMES:
        return _vector_distances.of_pair(name, x, y)
    if kind in (dict, list) and name in PAIRS:
        return _of_pairs(name, *(_counted(value) for value in (x, y)))
    raise ToolkitError(_WRONG_TYPE)


def _counted(value):
    """Return a dictionary of numbers; a list's are how often each item comes."""
    if not isinstance(value, dict):
        return {item: float(list(value).count(item)) for item in value}
    if not all(isinstance(number, (int, float)) for number in value.values()):
        raise ToolkitError(
            "At least one of the dictionary values could not be converted to a number."
        )
    return value


def _of_pairs(name, x, y):
    return PAIRS[name](x, y) if x or y else 0.0


def _public(name):
    def distance(x, y):
        return _distance(name, x, y)

    distance.__name__ = distance.__qualname__ = name
    distance.__doc__ = f"Return the {name} distance between two values of one kind."
    return distance


euclidean = _public("euclidean")
squared_euclidean = _public("squared_euclidean")
gaussian_kernel = _public("gaussian_kernel")
manhattan = _public("manhattan")
cosine = _public("cosine")
transformed_dot_product = _public("transformed_dot_product")
jaccard = _public("jaccard")
weighted_jaccard = _public("weighted_jaccard")
levenshtein = _public("levenshtein")


def dot_product(x, y):
    """Fail, as the real edition does: it names this distance and does not have it."""
    raise AttributeError("module '_distances' has no attribute 'dot_product'")


def distance_name(distance):
    """Return the name of a distance given by name or as a function of this module."""
    if not isinstance(distance, str) and not callable(distance):
        raise ValueError(
            "Standard distances must be the name of a distance function (string) or a distance "
            "function handle"
        )
    name = getattr(distance, "__name__", distance)
    if name == "dot_product":
        dot_product(None, None)
    if name in NAMES:
        return name
    if callable(distance):
        raise RuntimeError("Cannot process provided function")
    raise ValueError(f"Distance '{name}' not recognized.")


def check_composite(distance):
    """Return a composite distance as [[features], name, weight] lists, or refuse it."""
    if not isinstance(distance, list):
        raise TypeError("Input 'distance' must be a composite distance.")
    if not distance:
        raise ValueError(
            "Composite distances must have a least one distance component, consisting of a "
            "list of feature names, a distance function (string or function handle), and a "
            "weight."
        )
    return [_checked_part(part) for part in distance]


def _checked_part(part):
    if not isinstance(part, (list, tuple)) or len(part) != 3:
        raise TypeError(
            "Elements of a composite distance function must have three items: a set of feature "
            "names (tuple or list), a distance function (string or function handle), and a "
            "weight."
        )
    features, distance, weight = part
    if not len(features):
        raise ValueError(
            "An empty list of features cannot be passed as part of a composite distance function."
        )
    if not all(isinstance(name, str) for name in features):
        raise TypeError("Feature lists must contain only strings.")
    name = distance_name(distance)
    if not isinstance(weight, (int, float)):
        raise ValueError(
            "The weight of each distance component must be a single integer or a float value."
        )
    if weight < 0:
        raise ValueError(
            "The weight on each distance component must be greater than or equal to zero."
        )
    return [list(features), name, float(weight)]


def compute_composite_distance(distance, x, y):
    """Return the weighted sum of several distances between two rows, given as dictionaries."""
    parts = check_composite(distance)
    if not isinstance(x, dict) or not isinstance(y, dict):
        raise TypeError(
            "Inputs 'x' and 'y' must be in dictionary form. Selecting individual rows of an "
            "SFrame yields the correct format."
        )
    total = 0.0
    for features, name, weight in parts:
        if name == "levenshtein" and len(features) > 1:
            raise ValueError(
                "levenshtein distance cannot be used with multiplecolumns. Please concatenate "
                "strings into a single column before computing the distance."
            )
        one, other = _flattened(features, x, y), _flattened(features, y, x)
        if name == "levenshtein":
            one, other = next(iter(one.values())), next(iter(other.values()))
        total += weight * _distance(name, one, other)
    return total


def _flattened(features, row, other):
    flat = {}
    for name in features:
        value = row[name]
        numbers = all(isinstance(side[name], (int, float)) for side in (row, other))
        if type(value) is not type(other[name]) and not numbers:
            raise ValueError("Input data has different types.")
        if isinstance(value, (int, float, str)):
            flat[name] = value
        elif isinstance(value, dict):
            flat.update({f"{name}.{key}": item for key, item in value.items()})
        elif isinstance(value, (list, array.array)):
            flat.update(enumerate(value))
        else:
            raise TypeError(f"Type of feature '{name}' not understood.")
    return flat


def build_address_distance(number=None, street=None, city=None, state=None, zip_code=None):
    """Return a composite distance for the columns of an address."""
    columns = (number, street, city, state, zip_code)
    if not all(column is None or isinstance(column, str) for column in columns):
        raise TypeError(
            "All inputs must be strings. Each parameter is intended to be the name of an SFrame "
            "column."
        )
    parts = [[[number], "jaccard", 1], [[street], "jaccard", 5], [[state], "jaccard", 5]]
    parts = [part for part in parts if part[0][0]]
    words = [column for column in (city, zip_code) if column]
    return [*parts, [words, "levenshtein", 1]] if words else parts
