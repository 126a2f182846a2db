"""The types that many signatures share: for type checkers and editors, not imported at runtime.

Shapes and dtypes are in the docstrings. Turi Create has no types, hence its tables are `Any`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Sequence, Union

from numpy.typing import ArrayLike, NDArray

from image_retrieval.features.backbone import Backbone
from image_retrieval.features.extraction import Extraction, JoinedExtraction

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

__all__ = [
    "AnyExtraction",
    "AnyPicture",
    "Array",
    "ArrayLike",
    "How",
    "Pictures",
    "Recipe",
    "StrPath",
    "Table",
    "Values",
]

Array: TypeAlias = NDArray[Any]
StrPath: TypeAlias = Union[str, Path]
# Anything with an order: a list, an array, or a column of a table.
Values: TypeAlias = Union[Sequence[Any], NDArray[Any]]
# An SFrame, a pandas.DataFrame or a dict of columns.
Table: TypeAlias = Any
# An array, a PIL.Image.Image, a turicreate.Image, a path or bytes.
AnyPicture: TypeAlias = Any
Pictures: TypeAlias = Iterable[Any]
# A pipeline of scikit-learn, or one step of it; None is no recipe.
Recipe: TypeAlias = Any
AnyExtraction: TypeAlias = Union[Extraction, JoinedExtraction]
How: TypeAlias = Union[AnyExtraction, Backbone, str]
