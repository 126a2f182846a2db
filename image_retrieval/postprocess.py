"""What is done to features between the backbone and the index, as scikit-learn steps.

Every step has `fit` and `transform`; none looks at labels. The steps that scikit-learn has
are its own classes, put together by its own `Pipeline`:

- Square root, `FunctionTransformer(signed_root)`: a few very strong channels no longer drown
  the many weak ones. [1]_
- L2 normalization, `Normalizer`: keeps the direction of a vector and drops its length, so
  that Euclidean distance ranks as cosine similarity does.
- Centering, `StandardScaler(with_std=False)`: takes away what all images have in common. [2]_
- PCA, `PCA`: fewer dimensions, for a smaller index.

`AverageQueryExpansion` and `VisualWords` are added here. Averaging an image with its mirror image
happens at extraction: `features.extract(images, flip=True)`.

Fit on the references, then transform the queries:

>>> recipe = default_recipe()
>>> references = recipe.fit_transform([[1.0, 3.0], [2.0, 2.0], [4.0, 1.0]])
>>> queries = recipe.transform([[2.0, 1.0]])

.. [1] Perronnin, Sánchez and Mensink, "Improving the Fisher kernel for large-scale image
   classification", ECCV 2010; Arandjelović and Zisserman, "Three things everyone should know
   to improve object retrieval", CVPR 2012.
.. [2] Jégou and Chum, "Negative evidences and co-occurrences in image retrieval: the benefit
   of PCA and whitening", ECCV 2012.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler, normalize
from sklearn.utils.validation import check_is_fitted

from image_retrieval.errors import InputError, one_line
from image_retrieval.index import build
from image_retrieval.visual_words import VisualWords

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Recipe, Values

_FORMAT, _MOST_STEPS = 1, 32
_DAMAGED = AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError
_LARGEST = 1e30  # squares of larger numbers overflow float32


def default_recipe(n_components: int | None = None) -> Recipe:
    """Return the steps that this package recommends before an index is built.

    Parameters
    ----------
    n_components : int, optional
        Dimensions to keep by PCA; all of them, without it.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Square root, L2 normalization, centering, PCA if wanted, and L2 normalization again.
        Not fitted yet.

    Notes
    -----
    `python -m tools.measure_recipe` measures what each step brings, and what others would
    bring, over several random splits.

    Examples
    --------
    >>> vectors = default_recipe().fit_transform([[1.0, 3.0], [2.0, 2.0], [4.0, 1.0]])
    >>> (vectors**2).sum(axis=1).round(6)
    array([1., 1., 1.])
    """
    steps = [FunctionTransformer(signed_root), Normalizer(), StandardScaler(with_std=False)]
    if n_components is not None:
        steps.append(PCA(n_components, random_state=0))
    return make_pipeline(*steps, Normalizer())


def bag_of_visual_words(n_words: int = 200) -> Recipe:
    """Return the steps that make bags of visual words of the map of the backbone `daisy`.

    Parameters
    ----------
    n_words : int
        The size of the vocabulary.

    Returns
    -------
    sklearn.pipeline.Pipeline
        `image_retrieval.visual_words.VisualWords`, then `default_recipe()`. Not fitted yet.

    Examples
    --------
    >>> from image_retrieval.features import Extraction, extract
    >>> pictures = np.random.RandomState(0).randint(0, 256, (3, 32, 32, 3), np.uint8)
    >>> how = Extraction("daisy").fitted(extract(pictures, "daisy"), bag_of_visual_words(50))
    >>> extract(pictures, how).shape
    (3, 50)
    """
    return make_pipeline(VisualWords(n_words), default_recipe())


def signed_root(X: ArrayLike) -> Array:
    """Return the square root of each value, with the value's own sign.

    Parameters
    ----------
    X : array of float

    Returns
    -------
    ndarray of float, the same shape

    Examples
    --------
    >>> signed_root(np.asarray([-4.0, 0.0, 9.0]))
    array([-2.,  0.,  3.])
    """
    return np.sign(X) * np.sqrt(np.abs(X))


def steps_of(recipe: Recipe) -> list[Any]:
    """Return the steps of a recipe one after another, those of pipelines inside it too.

    Parameters
    ----------
    recipe : sklearn.pipeline.Pipeline, step or None

    Returns
    -------
    list
    """
    if recipe is None or recipe == "passthrough":
        return []
    if not hasattr(recipe, "steps"):
        return [recipe]
    return [inner for _, step in recipe.steps for inner in steps_of(step)]


def dumps(recipe: Recipe) -> str:
    """Return a fitted recipe as one JSON text, so that it can be kept beside the features.

    Parameters
    ----------
    recipe : fitted sklearn.pipeline.Pipeline or step
        Of `FunctionTransformer(signed_root)`, `Normalizer`, `StandardScaler(with_std=False)`,
        `PCA` and `VisualWords`, and pipelines of them.

    Returns
    -------
    str
        The same for the same numbers. Arrays are base64 of little-endian floats.

    Raises
    ------
    InputError
        When a step is none of these, or not fitted.

    Examples
    --------
    >>> recipe = default_recipe().fit([[1.0, 3.0], [2.0, 2.0]])
    >>> loads(dumps(recipe)).transform([[3.0, 4.0]]) == recipe.transform([[3.0, 4.0]])
    array([[ True,  True]])
    """
    steps = steps_of(recipe)
    if not 1 <= len(steps) <= _MOST_STEPS:
        raise InputError(f"a recipe must have 1 to {_MOST_STEPS} steps, got {len(steps)}")
    record = {"format": _FORMAT, "steps": [_as_record(step) for step in steps]}
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def loads(text: str) -> Recipe:
    """Return the fitted recipe that `dumps` wrote.

    Parameters
    ----------
    text : str

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fitted; one level, whatever pipelines were inside one another.

    Raises
    ------
    InputError
        When the text is damaged or something else. Nothing in it is ever run.
    """
    try:
        record = json.loads(text)
        if record["format"] != _FORMAT or not 1 <= len(record["steps"]) <= _MOST_STEPS:
            raise ValueError(f"it has another format than {_FORMAT}, or no steps")
        recipe = make_pipeline(*map(_as_step, record["steps"]))
        _try(recipe)
    except _DAMAGED as error:
        problem = f"no recipe that can be read ({type(error).__name__} {one_line(error)})"
        raise InputError(f"this is {problem}; give what postprocess.dumps returned") from None
    return recipe


def _as_record(step):
    name = next((name for name, (like, _) in _STEPS.items() if _fixed(step) == _fixed(like)), None)
    if name is None:
        steps = "signed_root, Normalizer, StandardScaler(with_std=False), PCA and VisualWords"
        problem = f"the step {type(step).__name__} cannot be kept as text"
        raise InputError(f"{problem}; use {steps}")
    kept = _STEPS[name][1]
    if not all(hasattr(step, key) for key in kept):
        raise InputError(f"the step {type(step).__name__} is not fitted; call fit first")
    return {"step": name, **{key: _encoded(getattr(step, key)) for key in kept}}


def _fixed(step):
    settings = (getattr(step, name, None) for name in ("func", "with_mean", "with_std"))
    return (type(step), *settings)


def _as_step(record):
    like, kept = _STEPS[record["step"]]
    step = clone(like)
    for key in kept:
        setattr(step, key, _decoded(record[key]))
    if "mean_" in kept:
        step.n_features_in_ = step.mean_.size
    if "centers_" in kept:
        step.n_words, step.d = step.centers_.shape
        step.n_features_in_ = step.d
    return step


def _try(recipe):
    """Raise a ValueError where the steps of a recipe cannot follow one another."""
    known = [step for step in steps_of(recipe) if hasattr(step, "n_features_in_")]
    X = np.ones((1, known[0].n_features_in_ if known else 1))
    with np.errstate(all="ignore"):
        if not np.isfinite(recipe.transform(X)).all():
            raise ValueError("its vectors are not finite")


def _encoded(value):
    if not isinstance(value, np.ndarray):
        return value
    value = value.astype(value.dtype.newbyteorder("<"))
    data = base64.b64encode(value.tobytes()).decode("ascii")
    return {"dtype": value.dtype.str, "shape": list(value.shape), "data": data}


def _decoded(record):
    if not isinstance(record, dict):
        return record
    if record["dtype"] not in ("<f4", "<f8"):
        raise ValueError("an array is of another type than <f4 and <f8")
    data = base64.b64decode(record["data"].encode("ascii"), validate=True)
    values = np.frombuffer(data, record["dtype"]).reshape(record["shape"])
    if list(values.shape) != record["shape"] or not (np.abs(values) <= _LARGEST).all():
        raise ValueError("an array has another shape than it says, or a value that is not finite")
    return values.astype(values.dtype.newbyteorder("="))


# What each step is like, and what of it is kept: its settings, and arrays that it learned.
_STEPS = {
    "signed_root": (FunctionTransformer(signed_root), ()),
    "normalize": (Normalizer(), ("norm",)),
    "center": (StandardScaler(with_std=False), ("mean_",)),
    "pca": (PCA(), ("whiten", "mean_", "components_", "explained_variance_")),
    "visual_words": (VisualWords(), ("centers_", "idf_")),
}


class AverageQueryExpansion(TransformerMixin, BaseEstimator):
    """Replace each query by the mean of itself and its nearest references.

    The nearest references often show the same thing as the query, seen differently; their
    mean is a steadier query than any one picture. [1]_ References stay as they are, so
    `fit_transform(references)` returns them unchanged, and `transform` is for queries.

    Parameters
    ----------
    n_neighbors : int
        References averaged with each query.

    Attributes
    ----------
    references_ : ndarray of float, shape (m, d)
        As fitted.
    engine_ : image_retrieval.index.Engine
        `exact` over them.
    n_features_in_ : int

    References
    ----------
    .. [1] Chum, Philbin, Sivic, Isard and Zisserman, "Total recall: automatic query expansion
       with a generative feature model for object retrieval", ICCV 2007.

    Examples
    --------
    >>> expansion = AverageQueryExpansion(n_neighbors=1)
    >>> references = expansion.fit_transform([[1.0, 0.0], [0.0, 1.0]])
    >>> expansion.transform([[0.8, 0.6]]).round(3)
    array([[0.949, 0.316]])
    """

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: Values | None = None) -> AverageQueryExpansion:
        """Remember the references.

        Parameters
        ----------
        X : array of float, shape (m, d)
            L2-normalized, with m at least `n_neighbors`.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            When there are fewer references than neighbors wanted.
        """
        X = np.asarray(X)
        if not 1 <= self.n_neighbors <= len(X):
            limits = f"from 1 to the number of references, {len(X)}"
            raise InputError(f"n_neighbors must be {limits}, got {self.n_neighbors}")
        self.references_, self.engine_, self.n_features_in_ = X, build(X), X.shape[1]
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the expanded queries, L2-normalized.

        Parameters
        ----------
        X : array of float, shape (n, d)
            L2-normalized queries.

        Returns
        -------
        ndarray of float, shape (n, d)
        """
        check_is_fitted(self)
        X = np.asarray(X)
        found = self.engine_.search(X, k=self.n_neighbors)[0]
        return normalize(X + self.references_[found].sum(axis=1))

    def fit_transform(self, X: ArrayLike, y: Values | None = None) -> Array:
        """Remember the references and return them unchanged.

        Parameters
        ----------
        X : array of float, shape (m, d)
        y : None
            Ignored.

        Returns
        -------
        ndarray of float, shape (m, d)
        """
        return self.fit(X).references_
