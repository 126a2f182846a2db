"""How pictures become vectors, written down: the record that a feature column travels with.

Vectors can be compared only when they were made in the same way. An extraction says in
which; it is kept beside every data set and in every index, so that a picture asked of them
later is treated as theirs were.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Iterable

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.features.backbone import Backbone, backbones, get_backbone
from image_retrieval.files import file_hash

if TYPE_CHECKING:
    from pathlib import Path

    from image_retrieval.signatures import AnyExtraction, Array, ArrayLike, How, Recipe, StrPath

_AUTO = "auto"
_GIVE = "give the record of an Extraction, as its as_record() returns it"


@dataclass(frozen=True)
class Extraction:
    """One way to turn pictures into vectors.

    What is not given is filled in from the backbone, so that two extractions are equal when,
    and only when, their vectors can be compared.

    Parameters
    ----------
    backbone : str
        One of `image_retrieval.features.backbones()`; `"pixels"` is one of them. Or a TOML
        file that describes one's own, see `image_retrieval.features.onnx_backbone`.
    size : int, optional
        Side in pixels of the square each picture is stretched to.
    flip : bool
        Average the features of each picture and of its mirror image.
    layer : str, optional
        The layer to stop after, one of the backbone's `layers`.
    pooling : {"avg", None}, optional
        The mean over the feature map, or the whole of it in one long vector.
    normalization : str, optional
        What the backbone does to pixels `x` from 0 to 255, after the filter that brings
        pictures to their size where that is not bicubic.
    weights : str, optional
        SHA-256 of the file of weights, in hexadecimal. None where it is not known, as for a
        file that is still to be downloaded.
    recipe : str, optional
        A fitted recipe, as `image_retrieval.postprocess.dumps` writes it.
    source : str, optional
        The TOML file that describes a backbone that is not built in; filled in where `backbone`
        names it. Where it lies makes no other extraction.

    Raises
    ------
    InputError
        When a value cannot be used with the backbone.

    Examples
    --------
    >>> str(Extraction())
    'efficientnet_lite2 at 160 px'
    >>> Extraction(size=160) == Extraction(), Extraction(size=128) == Extraction()
    (True, False)
    """

    backbone: str = "efficientnet_lite2"
    size: int | None = None
    flip: bool = False
    layer: str | None = None
    pooling: str | None = _AUTO
    normalization: str | None = None
    weights: str | None = None
    recipe: str | None = field(default=None, repr=False)
    source: str | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.backbone in backbones() or None in (self.size, self.normalization):
            self._fill_in(get_backbone(self.backbone))

    def _fill_in(self, known):
        filled = {
            "backbone": known.name,
            "source": known.source,
            "size": known.size if self.size is None else self.size,
            "layer": self.layer or (known.layers[-1] if known.layers else None),
            "pooling": known.pooling if self.pooling == _AUTO else self.pooling,
            "normalization": self.normalization or known.formula,
            "weights": self.weights or known.weights,
        }
        for name, value in filled.items():
            object.__setattr__(self, name, value)
        self.check(known)

    def check(self, known: Backbone) -> None:
        """Refuse what does not fit the backbone."""
        size: Any = self.size  # whatever was given
        whole = isinstance(size, Integral) and not isinstance(size, bool)
        if not whole or not known.min_size <= size <= (known.max_size or size):
            most = f" and at most {known.max_size}" if known.max_size else ""
            limit = f"at least {known.min_size}{most}"
            problem = f"size={self.size!r} cannot be used with {self.backbone}"
            raise InputError(f"{problem}; give a whole number of pixels, {limit}")
        if self.pooling not in ("avg", None):
            raise InputError(f'pooling={self.pooling!r} is not known; give "avg" or None')
        if self.layer is not None and self.layer not in known.layers:
            there = ", ".join(known.layers) or "none but the last, so leave it out"
            raise InputError(f"{self.backbone} has no layer={self.layer!r}; there are: {there}")
        if self.normalization != known.formula:
            problem = f"{self.backbone} normalizes pixels by {known.formula}"
            raise InputError(f"{problem}, not by {self.normalization}; leave normalization out")

    def __str__(self) -> str:
        known = get_backbone(self.backbone) if self.backbone in backbones() else None
        parts = [f"{self.backbone} at {self.size} px"]
        if known and known.layers and self.layer != known.layers[-1]:
            parts.append(f"layer {self.layer}")
        if known and self.pooling != known.pooling:
            parts.append("pooled" if self.pooling else "not pooled")
        parts += ["with mirror images"] * self.flip + ["recipe"] * bool(self.recipe)
        if known and self.weights != known.weights:
            parts.append(f"weights {str(self.weights)[:8]}")
        return ", ".join(parts)

    @property
    def parts(self) -> tuple[Extraction, ...]:
        """The extractions whose vectors stand side by side: this one alone."""
        return (self,)

    def as_record(self) -> dict[str, Any]:
        """Return the extraction as a dict that JSON can hold; see `extraction_from_record`."""
        record = asdict(self)
        return record if self.source else {k: v for k, v in record.items() if k != "source"}

    def fitted(self, X: ArrayLike, recipe: Recipe = None) -> Extraction:
        """Return the same extraction with a recipe that was fitted on its vectors.

        Parameters
        ----------
        X : array of float, shape (n, d)
            What this extraction, without a recipe, makes of the reference pictures.
        recipe : sklearn.pipeline.Pipeline, optional
            Not fitted yet; `image_retrieval.postprocess.default_recipe()` when not given.
        """
        from image_retrieval.postprocess import default_recipe, dumps

        recipe = default_recipe() if recipe is None else recipe
        return replace(self, recipe=dumps(recipe.fit(X)))

    def finished(self, X: Array) -> Array:
        """Return vectors after the recipe, float32; as they are where there is none."""
        if self.recipe is None:
            return X
        from image_retrieval.postprocess import loads

        # scikit-learn's steps refuse a table of no rows.
        rows = X if len(X) else np.ones((1, X.shape[1]), dtype=np.float32)
        return loads(self.recipe).transform(rows)[: len(X)].astype(np.float32)


@dataclass(frozen=True)
class JoinedExtraction:
    """Several extractions, their vectors side by side in one.

    Each part should end in unit vectors, as with a recipe: otherwise the part with the
    longest vectors decides every distance.

    Parameters
    ----------
    parts : tuple of Extraction

    Examples
    --------
    >>> str(JoinedExtraction((Extraction(), Extraction("pixels"))))
    'efficientnet_lite2 at 160 px + pixels at 32 px'
    """

    parts: tuple[Extraction, ...]

    def __post_init__(self) -> None:
        parts = tuple(self.parts)
        if len(parts) < 2 or not all(isinstance(part, Extraction) for part in parts):
            raise InputError("a joined extraction needs two parts or more: several Extractions")
        object.__setattr__(self, "parts", parts)

    def __str__(self) -> str:
        return " + ".join(map(str, self.parts))

    def as_record(self) -> dict[str, Any]:
        """Return the extraction as a dict that JSON can hold; see `extraction_from_record`."""
        return {"parts": [part.as_record() for part in self.parts]}


def join(parts: Iterable[AnyExtraction]) -> AnyExtraction:
    """Return several extractions as one; a single one as it is."""
    joined: tuple[Any, ...] = tuple(parts)
    return joined[0] if len(joined) == 1 else JoinedExtraction(joined)


def extraction_from_record(record: Any) -> AnyExtraction:
    """Return the extraction that `as_record` described.

    Raises
    ------
    InputError
        When the record does not describe one.

    Examples
    --------
    >>> extraction_from_record(Extraction("pixels", 16).as_record())
    Extraction(backbone='pixels', size=16, flip=False, layer=None, pooling=None, \
normalization='x', weights=None)
    """
    if isinstance(record, dict) and isinstance(record.get("parts"), list):
        parts: list[Any] = [extraction_from_record(part) for part in record["parts"]]
        return JoinedExtraction(tuple(parts))
    kinds: dict[str, tuple[type, ...]] = {
        item.name: (str, type(None)) for item in fields(Extraction)
    }
    kinds.update(backbone=(str,), size=(int,), flip=(bool,))
    if not isinstance(record, dict) or {*record, "source"} != set(kinds):
        raise InputError(f"an extraction has the fields {', '.join(kinds)}; {_GIVE}")
    for name, value in record.items():
        if type(value) not in kinds[name]:
            raise InputError(f"an extraction cannot have {name}={str(value)[:40]!r}; {_GIVE}")
    return Extraction(**record)


def as_extraction(
    how: How | None = None, weights: StrPath | None = None, **changes: Any
) -> AnyExtraction:
    """Return what a person means by an extraction.

    Parameters
    ----------
    how : Extraction, JoinedExtraction, Backbone, str or None
        A string names a backbone, or the TOML file of one; None is the default extraction.
    weights : str or Path, optional
        A file of weights in place of the backbone's own, for a backbone named or the default.
    **changes
        Fields of `Extraction` to be otherwise.

    Raises
    ------
    InputError
        When it is none of these, or a change does not fit.
    """
    if isinstance(how, JoinedExtraction) and not changes:
        return how
    names = [item.name for item in fields(Extraction)]
    for name in changes:
        if name not in names:
            raise InputError(f"an extraction has no {name!r}; it has {', '.join(names)}")
    how = how.name if isinstance(how, Backbone) else how
    if how is None or isinstance(how, str):
        made = Extraction(Extraction.backbone if how is None else how, **changes)
        return made if weights is None else identified(made, weights)
    if not isinstance(how, Extraction):
        what = " and ".join([type(how).__name__, *changes])
        way_out = f"give an Extraction, or the name of a backbone: {', '.join(backbones())}"
        raise InputError(f"an extraction cannot be made of {what}; {way_out}")
    # A recipe was fitted on other vectors.
    changed: dict[str, Any] = {"recipe": None, **changes}
    return replace(how, **changed) if changes else how


def identified(extraction: AnyExtraction, weights: StrPath | None = None) -> AnyExtraction:
    """Return an extraction with the hash of the weights that it will use here.

    Parameters
    ----------
    extraction : Extraction or JoinedExtraction
    weights : str or Path, optional
        File of weights, where they are not the backbone's usual ones. Usual ones that are
        missing may be downloaded.

    Raises
    ------
    InputError
        When there is no such file.
    """
    files = [weights_file(part, weights) for part in extraction.parts]
    pairs = zip(extraction.parts, files)
    return join(replace(part, weights=file_hash(file)) if file else part for part, file in pairs)


def settled(known: AnyExtraction | None, asked: How | None, place: StrPath) -> AnyExtraction:
    """Return the extraction to use where features may be kept already.

    Parameters
    ----------
    known : Extraction, JoinedExtraction or None
        How those were made.
    asked : Extraction, JoinedExtraction, str or None
        None for no wish.
    place : Path
        Where they are, for the message.

    Raises
    ------
    InputError
        When they were made in another way.
    """
    how = known if asked is None and known else identified(as_extraction(asked))
    if known not in (None, how):
        way_out = "leave the extraction out, or name another output"
        raise InputError(f"{place} holds features by {known}, not {how}; {way_out}")
    return how


def backbone_of(extraction: Extraction) -> Backbone:
    """Return the backbone of an extraction, read from its file where it is not known yet."""
    name = extraction.backbone
    known = get_backbone((name not in backbones() and extraction.source) or name)
    extraction.check(known)
    return known


def weights_file(extraction: Extraction, weights: StrPath | None = None) -> Path | None:
    """Return the path of the weights that an extraction uses, None where it needs none."""
    find = backbone_of(extraction).weights_file
    return None if find is None else find(weights)
