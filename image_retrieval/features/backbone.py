"""What every pre-trained network looks like from outside, and the registry of them.

A new backbone is a new module with a `BACKBONE` and one line in `_MODULES`. A module is
imported when its backbone is asked for, so that a backbone may import something heavy.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Callable, Tuple

from image_retrieval.errors import InputError

_MODULES = {
    "efficientnet_lite0": "image_retrieval.features.efficientnet_lite0",
    "inception_v3": "image_retrieval.features.inception_v3",
}


@dataclass(frozen=True)
class Backbone:
    """A pre-trained network, described; `load` makes it ready to run.

    Parameters
    ----------
    name : str
        What `extract(..., backbone=name)` takes.
    d : int
        Length of a pooled feature vector, and number of channels of the last feature map.
    size : int
        Side in pixels of the square input it was trained on, the default of `extract`.
    min_size : int
        The smallest side it can take.
    normalization : str
        What it does to the pixels 0..255, as a formula in `x`; it does so itself.
    load : callable
        `load(pooling="avg", weights=None, cache=None)` returns the network: a function from
        uint8 RGB pixels (n, size, size, 3) to float32, (n, d) with `pooling="avg"` and the
        last feature map (n, h, w, d) with `pooling=None`, whose mean over h and w is the
        pooled vector. It may be called from several threads at once. `weights` names a file
        to use in place of the usual one, `cache` a folder for what it derives from it.
    layers : tuple of str
        The layers that `load(..., layer=name)` can stop after, from early to late; the last
        one gives the features. Empty where only those can be had.
    """

    name: str
    d: int
    size: int
    min_size: int
    normalization: str
    load: Callable
    layers: Tuple[str, ...] = ()


def backbones():
    """Return the names of all backbones.

    Examples
    --------
    >>> "efficientnet_lite0" in backbones()
    True
    """
    return list(_MODULES)


def get_backbone(name):
    """Return the backbone called `name`.

    Parameters
    ----------
    name : str
        One of `backbones()`.

    Returns
    -------
    Backbone

    Raises
    ------
    InputError
        When there is none of that name.

    Examples
    --------
    >>> get_backbone("efficientnet_lite0").d
    1280
    """
    if name not in _MODULES:
        known = ", ".join(_MODULES)
        raise InputError(f"no backbone is called {name!r}; choose one of: {known}")
    return import_module(_MODULES[name]).BACKBONE
