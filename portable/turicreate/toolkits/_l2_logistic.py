"""The optimum of Turi Create's logistic loss.

The loss is the sum of negative log-likelihoods plus `l2_penalty` times the sum of squared
coefficients of rescaled features. A feature is divided by the root of its squared mean plus
its sample variance. The intercept is not penalized, and the first class has no coefficients:
scikit-learn's own `LogisticRegression` penalizes all classes alike, which has another optimum
as soon as there are three, so that its solver (SciPy's L-BFGS) is called here directly.
"""

import numpy as np

#: Steps after which the loss has long stopped to change.
_OPTIONS = {"maxiter": 3000, "maxfun": 6000, "ftol": 1e-9, "gtol": 1e-5, "maxcor": 30}


def feature_scales(X, rescale):
    """Return what each feature is divided by."""
    if not rescale:
        return np.ones(X.shape[1])
    variance = X.var(axis=0, ddof=1) if len(X) > 1 else np.zeros(X.shape[1])
    scales = np.sqrt(X.mean(axis=0) ** 2 + variance)
    return np.where(scales > 0, scales, 1.0)


def fit(X, y, classes, l2_penalty, rescale):
    """Return intercepts (c - 1,), coefficients (c - 1, d) and the number of steps.

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
    basis, axes, penalties = _precondition(X / scales, l2_penalty)
    hits = np.eye(classes)[y][:, 1:]
    start = np.zeros((classes - 1) * basis.shape[1])
    arguments = (basis, hits, penalties)
    found = minimize(_loss, start, arguments, method="L-BFGS-B", jac=True, options=_OPTIONS)
    weights = found.x.reshape(classes - 1, -1)
    intercepts = weights[:, 0] * basis[0, 0]
    return intercepts, (weights[:, 1:] @ axes) / scales, int(found.nit)


def _precondition(Z, l2_penalty):
    """Return features along which the loss is about equally curved.

    The penalty does not change when coefficients are rotated, so the features' principal axes
    serve, each scaled by the curvature of the loss at zero.

    Returns
    -------
    basis : array (n, 1 + r)
        The intercept's constant column, then the new features.
    axes : array (r, d)
        The coefficients of the old features that a new one stands for.
    penalties : array (1 + r,)
        The penalty on the square of each new coefficient.
    """
    left, values, right = _principal_axes(Z)
    scales = 1 / np.sqrt(values**2 / 4 + 2 * l2_penalty)
    constant = np.full((len(Z), 1), 2 / np.sqrt(len(Z)))
    basis = np.hstack([constant, left * (values * scales)])
    penalties = np.concatenate([[0.0], l2_penalty * scales**2])
    return basis, right * scales[:, None], penalties


def _principal_axes(Z):
    """Return the singular value decomposition of Z, from its smaller product with itself."""
    wide = Z.shape[0] <= Z.shape[1]
    squares, vectors = np.linalg.eigh(Z @ Z.T if wide else Z.T @ Z)
    kept = squares > squares[-1] * 1e-13
    values, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    if wide:
        return vectors, values, (vectors / values).T @ Z
    return (Z @ vectors) / values, values, vectors.T


def _loss(weights, basis, hits, penalties):
    """Return the penalized loss and its gradient."""
    weights = weights.reshape(hits.shape[1], -1)
    margins = basis @ weights.T
    top = np.maximum(margins.max(axis=1), 0)
    sums = np.exp(-top) + np.exp(margins - top[:, None]).sum(axis=1)
    loss = (top + np.log(sums) - (margins * hits).sum(axis=1)).sum()
    shares = np.exp(margins - top[:, None]) / sums[:, None]
    gradient = (shares - hits).T @ basis + 2 * penalties * weights
    return loss + (penalties * weights**2).sum(), gradient.reshape(-1)
