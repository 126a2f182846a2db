"""The optimum of Turi Create's logistic loss, found with scikit-learn.

The loss is the sum of negative log-likelihoods plus `l2_penalty` times the sum of squared
coefficients of rescaled features. A feature is divided by the root of its squared mean plus
its sample variance. The intercept is not penalized, and the first class has no coefficients.
"""

import numpy as np


def feature_scales(X, rescale):
    """Return what each feature is divided by."""
    if not rescale:
        return np.ones(X.shape[1])
    variance = X.var(axis=0, ddof=1) if len(X) > 1 else np.zeros(X.shape[1])
    scales = np.sqrt(X.mean(axis=0) ** 2 + variance)
    return np.where(scales > 0, scales, 1.0)


def fit(X, y, classes, l2_penalty, rescale):
    """Return intercepts (c - 1,) and coefficients (c - 1, d) for the classes after the first.

    Parameters
    ----------
    X : array (n, d)
    y : array of int (n,)
        Class numbers 0 to c - 1.
    classes : int
        c, at least 2.
    """
    from scipy.optimize import minimize

    scales = feature_scales(X, rescale)
    Z = np.hstack([np.ones((len(X), 1)), X / scales])
    hits = np.eye(classes)[y][:, 1:]
    shape = (classes - 1, Z.shape[1])
    start = np.zeros(shape[0] * shape[1])
    options = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-14, "gtol": 1e-7, "maxcor": 20}
    found = minimize(
        _loss, start, (Z, hits, l2_penalty), method="L-BFGS-B", jac=True, options=options
    )
    weights = found.x.reshape(shape)
    return weights[:, 0], weights[:, 1:] / scales, int(found.nit)


def _loss(weights, Z, hits, l2_penalty):
    """Return the penalized loss and its gradient."""
    weights = weights.reshape(hits.shape[1], -1)
    margins = Z @ weights.T
    top = np.maximum(margins.max(axis=1), 0)
    sums = np.exp(-top) + np.exp(margins - top[:, None]).sum(axis=1)
    loss = (top + np.log(sums) - (margins * hits).sum(axis=1)).sum()
    shares = np.exp(margins - top[:, None]) / sums[:, None]
    gradient = (shares - hits).T @ Z
    penalized = weights.copy()
    penalized[:, 0] = 0
    loss += l2_penalty * (penalized**2).sum()
    return loss, (gradient + 2 * l2_penalty * penalized).reshape(-1)
