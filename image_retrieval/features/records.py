"""Extractions kept in the folder of an SFrame, one for each column of features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

from image_retrieval.errors import InputError, one_line
from image_retrieval.features.extraction import extraction_from_record
from image_retrieval.files import atomic_file

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyExtraction, StrPath

FILE = "extraction.json"
_FORMAT = 1
_LARGEST = 1 << 28  # bytes; a recipe with PCA to 1,280 dimensions takes 18 MB


def write_extractions(folder: StrPath, extractions: Mapping[str, Any]) -> None:
    """Write down how columns were made.

    Parameters
    ----------
    folder : str or Path
        Of the SFrame; Turi Create passes over files that it did not write.
    extractions : dict of str to Extraction or JoinedExtraction
        By column.
    """
    columns = {name: extraction.as_record() for name, extraction in extractions.items()}
    with atomic_file(Path(folder) / FILE) as temporary:
        text = json.dumps({"format": _FORMAT, "columns": columns}, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_extractions(folder: StrPath) -> dict[str, AnyExtraction]:
    """Return how columns were made, by column; an empty dict where nothing says so.

    Raises
    ------
    InputError
        When the record is damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large for a record")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']}, where this version reads {_FORMAT}")
        return {name: extraction_from_record(record) for name, record in content["columns"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = f"{path}: no record of extractions ({one_line(error)})"
        way_out = "build the data again, or delete the file to use the vectors alone"
        raise InputError(f"{problem}; {way_out}") from None
