"""What every way to turn pixels into features looks like from outside, and the registry.

A new backbone is a module with a `Backbone` in it and one line in `_BACKBONES`. A module is
imported when its backbone is asked for, so that a backbone may import something heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Callable

from image_retrieval.errors import InputError

_HERE = "image_retrieval.features."
# By name: the module, and what the Backbone is called there.
_BACKBONES = {
    "efficientnet_lite2": (_HERE + "efficientnet_lite", "LITE2_BACKBONE"),
    "efficientnet_lite0": (_HERE + "efficientnet_lite", "LITE0_BACKBONE"),
    "inception_v3": (_HERE + "inception_v3", "BACKBONE"),
    "pixels": (_HERE + "pixels", "BACKBONE"),
    "color_histogram": (_HERE + "classic", "HSV"),
    "color_histogram_rgb": (_HERE + "classic", "RGB"),
    "color_histogram_lab": (_HERE + "classic", "LAB"),
    "local_binary_patterns": (_HERE + "classic", "PATTERNS"),
    "hog": (_HERE + "classic", "HOG"),
    "daisy": (_HERE + "classic", "DAISY"),
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
        `load(pooling="avg", weights=None)` returns the network: a function from
        uint8 RGB pixels (n, size, size, 3) to float32, (n, d) with `pooling="avg"` and the
        last feature map (n, h, w, d) with `pooling=None`, whose mean over h and w is the
        pooled vector. It may be called from several threads at once. `weights` is the path
        that `weights_file` gave.
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
    is_here : callable, optional
        Tells whether the file of weights is on this machine; None where it always is.
    max_size : int, optional
        The largest side it can take.
    interpolation : str
        Which of `preprocessing.INTERPOLATIONS` brings pictures to their size.
    words : Words, optional
        The network for words that goes with it, see `image_retrieval.features.words`.
    source : str, optional
        The file that describes it, for one that is not built in.
    """

    name: str
    d: int
    size: int
    min_size: int
    normalization: str
    load: Callable = field(compare=False)
    layers: tuple[str, ...] = ()
    trained_size: int | None = None
    pooling: str | None = "avg"
    weights: str | None = None
    weights_file: Callable | None = field(default=None, compare=False)
    is_here: Callable | None = field(default=None, compare=False)
    max_size: int | None = None
    interpolation: str = "bicubic"
    words: Any | None = field(default=None, compare=False)
    source: str | None = field(default=None, compare=False)

    @property
    def formula(self) -> str:
        """What it does to pixels, and to pictures before that where it is out of the ordinary."""
        usual = self.interpolation == "bicubic"
        return self.normalization + ("" if usual else f", {self.interpolation}")

    def has_weights(self) -> bool:
        """Tell whether it can be used without a download."""
        return self.is_here is None or self.is_here()


# Networks of one's own that this process has met.
_own: dict[str, Backbone] = {}


def backbones(here: bool = False) -> list[str]:
    """Return the names of all backbones, the default one first.

    Parameters
    ----------
    here : bool
        Leave out those whose weights would have to be downloaded.

    Examples
    --------
    >>> backbones()[:4]
    ['efficientnet_lite2', 'efficientnet_lite0', 'inception_v3', 'pixels']
    """
    names = [*_BACKBONES, *_own]
    return [name for name in names if get_backbone(name).has_weights()] if here else names


def register(backbone: Backbone) -> Backbone:
    """Make a backbone known by its name in this process, and return it.

    Raises
    ------
    InputError
        When another one is known by that name.
    """
    if backbone.name in _BACKBONES or _own.get(backbone.name, backbone) != backbone:
        raise InputError(f"another backbone is called {backbone.name!r}; give this one a name=")
    return _own.setdefault(backbone.name, backbone)


def get_backbone(name: str) -> Backbone:
    """Return the backbone called `name`.

    Parameters
    ----------
    name : str
        One of `backbones()`, or the path of a TOML file that describes one, see
        `image_retrieval.features.onnx_backbone`.

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
    if str(name).endswith(".toml"):
        from image_retrieval.features.own import onnx_backbone

        return onnx_backbone(name)
    if name in _own:
        return _own[name]
    if name not in _BACKBONES:
        known = ", ".join(backbones())
        raise InputError(f"no backbone is called {name!r}; give a TOML file, or one of: {known}")
    module, attribute = _BACKBONES[name]
    return getattr(import_module(module), attribute)
