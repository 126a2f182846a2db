"""What every way to turn pixels into features looks like from outside, and the registry.

A new backbone is a module with a `Backbone` in it and one line in `_BACKBONES`. A module is
imported when its backbone is asked for, so that a backbone may import something heavy.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Callable, Optional, Tuple

from image_retrieval.errors import InputError

_HERE = "image_retrieval.features."
# By name: the module, and what the Backbone is called there.
_BACKBONES = {
    "efficientnet_lite2": (_HERE + "efficientnet_lite", "LITE2_BACKBONE"),
    "efficientnet_lite0": (_HERE + "efficientnet_lite", "LITE0_BACKBONE"),
    "inception_v3": (_HERE + "inception_v3", "BACKBONE"),
    "pixels": (_HERE + "pixels", "BACKBONE"),
}


@dataclass(frozen=True)
class Backbone:
    """A pre-trained network, described; `load` makes it ready to run.

    Parameters
    ----------
    name : str
        What `Extraction(backbone=name)` takes.
    d : int
        Number of channels of the last feature map, and length of a pooled vector.
    size : int
        Side in pixels of the square input, where no other is asked for.
    min_size : int
        The smallest side it can take.
    normalization : str
        What it does to the pixels 0..255, as a formula in `x`; it does so itself.
    load : callable
        `load(pooling="avg", weights=None, cache=None)` returns the network: a function from
        uint8 RGB pixels (n, size, size, 3) to float32, (n, d) with `pooling="avg"` and the
        last feature map (n, h, w, d) with `pooling=None`, whose mean over h and w is the
        pooled vector. It may be called from several threads at once. `weights` is the path
        that `weights_file` gave, `cache` a folder for what is derived from it.
    layers : tuple of str
        The layers that `load(..., layer=name)` can stop after, from early to late; the last
        one gives the features. Empty where only those can be had.
    trained_size : int, optional
        Side in pixels of the pictures it was trained on, where that is not `size`.
    pooling : {"avg", None}
        The pooling of its features, where no other is asked for.
    weights : str, optional
        SHA-256 of the file of weights, where there is only one.
    weights_file : callable, optional
        `weights_file(path=None)` returns the file of weights to use, which is `path` where
        one is given, and may download it. None where there are no weights.
    """

    name: str
    d: int
    size: int
    min_size: int
    normalization: str
    load: Callable
    layers: Tuple[str, ...] = ()
    trained_size: Optional[int] = None
    pooling: Optional[str] = "avg"
    weights: Optional[str] = None
    weights_file: Optional[Callable] = None


def backbones():
    """Return the names of all backbones, the default one first.

    Examples
    --------
    >>> backbones()
    ['efficientnet_lite2', 'efficientnet_lite0', 'inception_v3', 'pixels']
    """
    return list(_BACKBONES)


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
    >>> get_backbone("efficientnet_lite2").d
    1280
    """
    if name not in _BACKBONES:
        known = ", ".join(_BACKBONES)
        raise InputError(f"no backbone is called {name!r}; choose one of: {known}")
    module, attribute = _BACKBONES[name]
    return getattr(import_module(module), attribute)
