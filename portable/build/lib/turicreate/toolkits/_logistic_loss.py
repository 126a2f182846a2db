"""Turi Create's logistic loss: the negative log-likelihood of rescaled features, penalized.

The loss is the sum of negative log-likelihoods plus `l2_penalty` times the sum of squared
coefficients of rescaled features. A feature is divided by the root of its squared mean plus
its sample variance. The intercepts are not penalized, and the first class has no coefficients.
"""

import numpy as np

_SMALLEST_SQUARE = 1e-10  # of a feature: a column of zeros would be divided by zero


def feature_scales(X, rescale):
    """Return what each of the columns of X is divided by."""
    if not rescale:
        return np.ones(X.shape[1])
    variance = X.var(axis=0, ddof=1) if len(X) > 1 else np.zeros(X.shape[1])
    return np.sqrt(np.maximum(X.mean(axis=0) ** 2 + variance, _SMALLEST_SQUARE))


class LogisticLoss:
    """The loss as a function of one point: for each class but the first, d weights, an intercept.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    y : ndarray of int, shape (n,)
        Class numbers 0 to c - 1.
    classes : int
        c, at least 2.
    l2_penalty : float
    rescale : bool

    Attributes
    ----------
    size : int
        Length of a point, (c - 1) (d + 1).
    """

    def __init__(self, X, y, classes, l2_penalty, rescale):
        self._scales = np.append(feature_scales(X, rescale), 1.0)
        self._Z = np.hstack([X, np.ones((len(X), 1))])
        self._Z /= self._scales
        self._rows = classes - 1
        self._hits = np.eye(classes)[y][:, 1:]
        self.size = self._rows * self._Z.shape[1]
        # Turi Create reads the penalty as a number of 32 bits.
        penalized = np.append(np.ones(X.shape[1]), 0.0) * float(np.float32(l2_penalty))
        self._penalties = np.tile(penalized, self._rows)

    def likelihood(self, point):
        """Return the negative log-likelihood and its gradient."""
        kernel, hit_margins = self._kernels(point)
        sums = kernel.sum(axis=1)
        errors = kernel / (1 + sums)[:, None] - self._hits
        return float((np.log1p(sums) - hit_margins).sum()), (errors.T @ self._Z).reshape(-1)

    def penalty(self, point):
        """Return the penalty and its gradient."""
        return float(self._penalties @ point**2), 2 * self._penalties * point

    def hessian(self, point):
        """Return the second derivatives of the negative log-likelihood, (size, size)."""
        kernel, _ = self._kernels(point)
        shares = kernel / (1 + kernel.sum(axis=1))[:, None]
        blocks = [
            [self._Z.T @ (self._Z * self._curvature(shares, a, b)) for b in range(self._rows)]
            for a in range(self._rows)
        ]
        return np.block(blocks)

    def penalty_hessian(self):
        """Return the diagonal of the second derivatives of the penalty, (size,)."""
        return 2 * self._penalties

    def rescaled(self, point):
        """Return what `point` is for features as they came, (c - 1, d + 1), intercepts last."""
        return point.reshape(self._rows, -1) / self._scales

    def errors(self, hessian):
        """Return the coefficients' standard errors from the second derivatives, or None.

        There are none with fewer rows than coefficients.
        """
        if hessian is None or len(self._Z) <= self.size:
            return None
        with np.errstate(invalid="ignore"):
            return self.rescaled(np.sqrt(np.diag(np.linalg.pinv(hessian))))

    def _kernels(self, point):
        margins = self._Z @ point.reshape(self._rows, -1).T
        return np.exp(margins), (margins * self._hits).sum(axis=1)

    @staticmethod
    def _curvature(shares, a, b):
        return (shares[:, a] * ((a == b) - shares[:, b]))[:, None]
