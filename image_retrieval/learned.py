"""A linear map learned from labels, with a contrastive loss whose gradient is worked out here.

The map takes each vector to a direction. The loss asks that images of one label point the
same way, and others elsewhere: the supervised contrastive loss. [1]_

.. [1] Khosla and others, "Supervised contrastive learning", NeurIPS 2020, equation 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from image_retrieval.errors import InputError
from image_retrieval.index.validation import as_vectors

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Values


def contrastive_loss(
    A: ArrayLike, X: ArrayLike, y: Values, temperature: float = 0.2
) -> tuple[float, Array]:
    r"""Return the supervised contrastive loss of a linear map, and its gradient.

    With u_i the direction of x_i A, and s_ij = u_i · u_j / temperature, each image i says how
    likely each other image j is to be its partner: p_ij = exp(s_ij) / Σ_{k≠i} exp(s_ik). The
    loss is the mean of -log p_ij over all j of i's label, and then over all i.

    Parameters
    ----------
    A : array of float, shape (d, e)
    X : array of float, shape (n, d)
    y : sequence of str, length n
    temperature : float
        The smaller, the more the nearest images count.

    Returns
    -------
    loss : float
        Images whose label no other one has are left out; 0 where all are.
    gradient : ndarray of float64, shape (d, e)

    Examples
    --------
    Images that point the same way as their partners cost less:

    >>> X, y = [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]], ["cat", "cat", "dog", "dog"]
    >>> good, bad = contrastive_loss(np.eye(2), X, y)[0], contrastive_loss([[1.0], [1.0]], X, y)[0]
    >>> print(f"{good:.2f} {bad:.2f}")
    0.03 1.10
    """
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y)
    Z = X @ A
    lengths = np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-12)
    U = Z / lengths
    log_p = _log_softmax(U @ U.T / temperature)
    wanted = (y[:, None] == y) & ~np.eye(len(y), dtype=bool)
    partners = wanted.sum(axis=1, keepdims=True)
    wanted = wanted / np.maximum(partners, 1) / max(np.count_nonzero(partners), 1)
    loss = -(wanted * np.where(wanted, log_p, 0)).sum()
    # d loss / d s_ij; then through s, the division by the length, and the map.
    slope = np.exp(log_p) * wanted.sum(axis=1, keepdims=True) - wanted
    toward = (slope + slope.T) @ U / temperature
    return loss, X.T @ ((toward - U * (U * toward).sum(axis=1, keepdims=True)) / lengths)


class ContrastiveHead(TransformerMixin, BaseEstimator):
    """Learn a linear map with `contrastive_loss`, by gradient descent on batches.

    It starts from the directions in which the vectors are largest.

    Parameters
    ----------
    n_components : int
        Numbers of a vector afterwards, at most those before.
    temperature : float
    steps, batch : int
        Steps taken, and images seen in each.
    rate : float
        Length of the first steps, for Adam. [1]_
    seed : int
        Of the batches.

    Attributes
    ----------
    map_ : ndarray of float64, shape (d, n_components)
    losses_ : ndarray of float64, shape (steps,)
    n_features_in_ : int

    References
    ----------
    .. [1] Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> X, y = [[1.0, 0.1], [-1.0, 0.0], [0.1, 1.0], [0.0, -1.0]], ["cat", "cat", "dog", "dog"]
    >>> losses = ContrastiveHead(n_components=2, rate=0.1).fit(X, y).losses_
    >>> bool(losses[-1] < losses[0])
    True
    """

    def __init__(
        self,
        n_components: int = 32,
        temperature: float = 0.2,
        steps: int = 150,
        batch: int = 256,
        rate: float = 0.01,
        seed: int = 0,
    ) -> None:
        self.n_components = n_components
        self.temperature = temperature
        self.steps = steps
        self.batch = batch
        self.rate = rate
        self.seed = seed

    def fit(self, X: ArrayLike, y: Values) -> ContrastiveHead:
        """Learn the map.

        Parameters
        ----------
        X : array of float, shape (n, d)
        y : sequence of str, length n
            Of two labels or more.

        Returns
        -------
        self

        Raises
        ------
        InputError
            When there is one label only, or the numbers do not fit.
        """
        X, y = as_vectors(X).astype(np.float64), np.asarray(y)
        if len(y) != len(X) or len(np.unique(y)) < 2:
            problem = (
                f"{len(X)} vectors with {len(y)} labels, {len(np.unique(y))} of them different"
            )
            raise InputError(f"{problem}; give a label a vector, and two different ones at least")
        self.n_features_in_ = X.shape[1]
        if not 1 <= self.n_components <= X.shape[1]:
            limits = f"from 1 to the numbers of a vector, {X.shape[1]}"
            raise InputError(f"n_components must be {limits}, got {self.n_components}")
        A = np.linalg.eigh(X.T @ X)[1][:, : -self.n_components - 1 : -1]
        random = np.random.RandomState(self.seed)
        speed, force, self.losses_ = np.zeros(A.shape), np.zeros(A.shape), np.empty(self.steps)
        for step in range(self.steps):
            rows = random.permutation(len(X))[: self.batch]
            self.losses_[step], slope = contrastive_loss(A, X[rows], y[rows], self.temperature)
            speed += 0.1 * (slope - speed)
            force += 0.001 * (slope**2 - force)
            scale = np.sqrt(force / (1 - 0.999 ** (step + 1))) + 1e-8
            A = A - self.rate * speed / (1 - 0.9 ** (step + 1)) / scale
        self.map_ = A
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Return the mapped vectors, L2-normalized.

        Parameters
        ----------
        X : array of float, shape (n, d)

        Returns
        -------
        ndarray of float64, shape (n, n_components)
        """
        check_is_fitted(self)
        return normalize(as_vectors(X, self.n_features_in_) @ self.map_)


def _log_softmax(S):
    """Return the logarithms of each row's shares, with the image itself left out."""
    S = np.where(np.eye(len(S), dtype=bool), -np.inf, S)
    S = S - S.max(axis=1, keepdims=True)
    return S - np.log(np.exp(S).sum(axis=1, keepdims=True))
