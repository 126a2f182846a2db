"""A network of one's own as a backbone: an ONNX model and how pictures are to be given to it."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from math import isqrt
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np

from image_retrieval.errors import InputError, one_line
from image_retrieval.features.backbone import Backbone, register
from image_retrieval.features.preprocessing import INTERPOLATIONS
from image_retrieval.features.words import FILES, Words, as_words, unit
from image_retrieval.files import file_hash

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath, Values

# What the output can be: the number of its sides, and how it becomes vectors or a map.
_LAYOUTS = {
    "vector": (2, lambda found: found),
    "tokens": (3, lambda found: found),
    "first token": (3, lambda found: found[:, 0]),
    "nchw": (4, lambda found: found.transpose(0, 2, 3, 1)),
    "nhwc": (4, lambda found: found),
}
_VECTORS = ("vector", "first token")


def onnx_backbone(
    path: StrPath,
    name: str | None = None,
    size: int | None = None,
    mean: Values | None = None,
    std: Values | None = None,
    interpolation: str = "bicubic",
    output: str | None = None,
    layout: str | None = "vector",
    leading: int = 0,
    text: Mapping[str, Any] | None = None,
    source: str | None = None,
) -> Backbone:
    """Make a backbone of an ONNX model, which `extract` and all else then take by its name.

    Parameters
    ----------
    path : str or Path
        The model; or a TOML file that gives all of this, as keys of these names. There
        `model` names the model's file, in the TOML file's folder, and `name` is the TOML
        file's when not given.
    name : str, optional
        What to call the backbone; the model's file name without its ending.
    size : int, optional
        Side in pixels of the square input, where the model leaves it open.
    mean, std : sequence of three float
        Of red, green and blue from 0 to 1: the model is given `(x / 255 - mean) / std`.
    interpolation : {"bicubic", "bilinear", "lanczos", "nearest"}
        Pillow's filter that resizes pictures.
    output : str, optional
        Which of the model's outputs; the only one when not given.
    layout : str, optional
        What the output is: `"vector"` (n, d), a map as `"nchw"` (n, d, h, w) or `"nhwc"`
        (n, h, w, d), `"tokens"` (n, t, d) whose positions make up a square row by row, or their
        `"first token"` alone, as a vector.
    leading : int
        Tokens before those of positions, such as 1 for CLS, or 5 with four registers.
    text : dict, optional
        The network for words that goes with it, see
        `image_retrieval.features.words.Words`. Vectors of pictures and words then have length 1.
    source : str, optional
        The TOML file it comes from, by which a record finds it again; filled in for one.

    Returns
    -------
    Backbone

    Raises
    ------
    InputError
        When the model or its description cannot be used.
    """
    path = Path(path).expanduser()
    if path.suffix == ".toml":
        return onnx_backbone(**_from_toml(path))
    if interpolation not in INTERPOLATIONS:
        known = f"give one of: {', '.join(INTERPOLATIONS)}"
        raise InputError(f"interpolation={interpolation!r} is not known; {known}")
    if not isinstance(leading, Integral) or leading < 0:
        raise InputError(f"leading={leading!r} must be a whole number of tokens, at least 0")
    words = None if text is None else as_words(text)
    file = _opened(path, output)
    std = _color(std, "std", least=0)
    model = _Model(path, _color(mean, "mean"), std, file.output, layout, leading, words)
    backbone = model.backbone(file, name or path.stem, size)
    return register(replace(backbone, interpolation=interpolation, source=source))


def _from_toml(path):
    """Return the arguments of `onnx_backbone` that a file gives."""
    described = {"model": path.with_suffix(".onnx").name, "name": path.stem, **_read_toml(path)}
    model = path.parent / str(described.pop("model"))
    keys = list(inspect.signature(onnx_backbone).parameters)[1:-1]
    for key in described:
        if key not in keys:
            there = f"there are model, {', '.join(keys)}"
            raise InputError(f"{path}: it has no use for {key!r}; {there}")
    words = described.get("text")
    if isinstance(words, dict):
        files = {key: path.parent / str(words[key]) for key in FILES if key in words}
        described["text"] = {**words, **files}
    return {**described, "path": model, "source": str(path.resolve())}


def _read_toml(path):
    try:
        import tomllib
    except ImportError:  # before Python 3.11
        import tomli as tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot read it ({error.strerror}); check the path") from None
    except ValueError as error:
        raise InputError(f"{path}: no TOML ({one_line(error)}); see docs/backbones.md") from None


def _color(values, name, least=-np.inf):
    given = tuple(values) if isinstance(values, (list, tuple, np.ndarray)) else ()
    if len(given) != 3 or not all(isinstance(v, Real) and least < v < np.inf for v in given):
        what = f"three numbers{' above 0' * (least == 0)}, for red, green and blue from 0 to 1"
        usual = "mean=[0.485, 0.456, 0.406] and std=[0.229, 0.224, 0.225]"
        raise InputError(f"{name}={values!r} must be {what}; ImageNet's are {usual}")
    return tuple(float(value) for value in given)


def _opened(path, output):
    return _opened_once(path, file_hash(path), output)


@lru_cache(maxsize=4)
def _opened_once(path, identity, output):
    # Whoever uses no network of their own need not wait for ONNX Runtime here.
    from image_retrieval.features.onnx_file import OnnxFile

    return OnnxFile(path, output)


@dataclass(frozen=True)
class _Model:
    """A model and all that is said of it, except for the size of pictures."""

    path: Path
    mean: tuple[float, ...]
    std: tuple[float, ...]
    output: str
    layout: str
    leading: int
    words: Words | None

    def load(self, pooling="avg", weights=None):
        """Return the network, see `Backbone.load`."""
        file = _opened(weights or self.path, self.output)
        if pooling is None and self.layout in _VECTORS:
            raise file.unfit(f"its {self.output} is one vector per picture, with no map")
        return partial(self._features, file, pooling)

    def _features(self, file, pooling, pixels):
        mean, std = 255 * np.array([self.mean, self.std], dtype=np.float32)
        ((name, (_, shape)),) = file.inputs.items()
        x = (pixels - mean) / std
        x = x.transpose(0, 3, 1, 2) if shape[1] == 3 else x
        found = self._arranged(file, file({name: np.ascontiguousarray(x)}))
        if pooling and found.ndim == 4:
            found = found.mean(axis=(1, 2))
        return unit(found) if self.words else np.ascontiguousarray(found)

    def _arranged(self, file, found):
        """Return the output as vectors (n, d) or a map (n, h, w, d)."""
        known = [layout for layout, (sides, _) in _LAYOUTS.items() if sides == found.ndim]
        if self.layout not in known:
            there = ", ".join(known) or "none for it"
            what = f"shape {found.shape}, which is not layout={self.layout!r}; there are: {there}"
            raise file.unfit(f"its output {self.output} has {what}")
        arranged = _LAYOUTS[self.layout][1](found)
        return self._places(file, arranged) if self.layout == "tokens" else arranged

    def _places(self, file, found):
        places = found[:, self.leading :]
        side = isqrt(places.shape[1])
        if side**2 != places.shape[1] or not side:
            problem = f"{found.shape[1]} tokens, {self.leading} of them leading, leave no square"
            way_out = "give leading= as their number, such as 1 for CLS"
            raise file.unfit(f"{problem} of places; {way_out}")
        return places.reshape(len(found), side, side, found.shape[2])

    def backbone(self, file, name, size):
        """Return the backbone, after trying the model on one black picture."""
        fixed = _fixed_side(file)
        size = fixed if size is None else size
        if not isinstance(size, Integral) or size < 1 or fixed not in (None, size):
            takes = "" if fixed is None else f", and it takes {fixed} px only"
            raise file.unfit(f"size={size!r} must be the side of its pictures in pixels{takes}")
        if self.words and self.layout not in _VECTORS:
            raise file.unfit(f"layout={self.layout!r}, but words find pictures by vectors only")
        black = np.zeros((1, size, size, 3), np.uint8)
        return Backbone(
            name=name,
            d=self.load()(black).shape[1],
            size=int(size),
            min_size=fixed or 1,
            max_size=fixed,
            normalization=f"(x / 255 - {list(self.mean)}) / {list(self.std)}",
            load=self.load,
            layers=(self._layer(),),
            weights=file_hash(self.path),
            weights_file=lambda path=None: Path(path or self.path).expanduser(),
            words=self.words,
        )

    def _layer(self):
        """Return the output with all that makes vectors of it."""
        parts: list[Any] = [self.output, self.layout != "vector" and self.layout]
        parts.append(self.layout == "tokens" and self.leading > 0 and f"after {self.leading}")
        parts.append(self.words and f"words {self.words.identity()}")
        return ", ".join(filter(None, parts))


def _fixed_side(file):
    """Return the side of its input in pixels, None where it is open."""
    if len(file.inputs) != 1:
        raise file.unfit(f"it takes {', '.join(file.inputs)}; export one that takes pictures only")
    ((name, (kind, shape)),) = file.inputs.items()
    if kind != "tensor(float)" or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        problem = f"its input {name} is {kind} {shape}"
        way_out = "export it with float32 pictures (n, 3, h, w) or (n, h, w, 3), the 3 fixed"
        raise file.unfit(f"{problem}; {way_out}")
    sides = shape[2:] if shape[1] == 3 else shape[1:3]
    fixed = {side if isinstance(side, int) else None for side in sides}
    if len(fixed) > 1:
        raise file.unfit(f"its pictures {shape} are not square; export it for square ones")
    return fixed.pop()
