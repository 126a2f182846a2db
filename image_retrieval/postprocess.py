"""What is done to features between the backbone and the index, as scikit-learn steps.

Every step has `fit` and `transform`; none looks at labels. The steps that scikit-learn has
are its own classes, put together by its own `Pipeline`:

- Square root, `FunctionTransformer(signed_root)`: a few very strong channels no longer drown
  the many weak ones. [1]_
- L2 normalization, `Normalizer`: keeps the direction of a vector and drops its length, so
  that Euclidean distance ranks as cosine similarity does.
- Centering, `StandardScaler(with_std=False)`: takes away what all images have in common. [2]_
- PCA, `PCA`: fewer dimensions, for a smaller index.

`AverageQueryExpansion` is the one step added here. Averaging an image with its mirror image
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

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler, normalize
from sklearn.utils.validation import check_is_fitted

from image_retrieval.errors import InputError


def default_recipe(n_components=None):
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
    center = StandardScaler(with_std=False)
    steps = [FunctionTransformer(signed_root), Normalizer(), center]
    if n_components is not None:
        steps.append(PCA(n_components, random_state=0))
    return make_pipeline(*steps, Normalizer())


def signed_root(X):
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
    index_ : sklearn.neighbors.NearestNeighbors
        The references, as fitted.
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

    def __init__(self, n_neighbors=5):
        self.n_neighbors = n_neighbors

    def fit(self, X, y=None):
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
            raise InputError(
                f"n_neighbors must be from 1 to the number of references, {len(X)}, "
                f"got {self.n_neighbors}"
            )
        self.index_ = NearestNeighbors(n_neighbors=self.n_neighbors, algorithm="brute").fit(X)
        self.references_ = X
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
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
        found = self.index_.kneighbors(X, return_distance=False)
        total = X + self.references_[found].sum(axis=1)
        return normalize(total)

    def fit_transform(self, X, y=None):
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
