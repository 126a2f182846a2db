"""Words as queries: a network that makes vectors of texts, beside one that does of pictures.

Source: A. Radford et al.: Learning Transferable Visual Models From Natural Language
Supervision (CLIP), ICML 2021 (https://arxiv.org/abs/2103.00020).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np

from image_retrieval.errors import InputError, one_line
from image_retrieval.features.extraction import as_extraction, backbone_of
from image_retrieval.files import file_hash

if TYPE_CHECKING:
    from image_retrieval.signatures import AnyExtraction, Array, ArrayLike, How

_DTYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_IDS, _MASK = "input_ids", "attention_mask"
FILES = ("model", "tokenizer")


@dataclass(frozen=True)
class Words:
    """The network for words of a pair, and how texts are given to it.

    Parameters
    ----------
    model : str or Path
        An ONNX model from `input_ids` (n, length), and `attention_mask` where it takes one,
        to vectors (n, d) of the pictures' length.
    tokenizer : str or Path
        The `tokenizer.json` that goes with it.
    output : str, optional
        Which of the model's outputs; the only one when not given.
    length : int
        Tokens of a text; longer ones are cut, shorter ones filled up.
    pad : str, optional
        The token that fills up; what the tokenizer says when not given.
    """

    model: Path
    tokenizer: Path
    output: str | None = None
    length: int = 77
    pad: str | None = None

    def identity(self) -> str:
        """Return what changes with either file, in hexadecimal."""
        return file_hash(self.model)[:8] + file_hash(self.tokenizer)[:8]

    def vectors(self, texts: Sequence[str]) -> Array:
        """Return a vector of length 1 for each text, float32 (n, d)."""
        file, tokenizer = _loaded(self, self.identity())
        # One that is filled up with itself stands for the shape of no texts.
        encoded = tokenizer.encode_batch(list(texts) or [""])
        numbers = {_IDS: [text.ids for text in encoded], _MASK: [t.attention_mask for t in encoded]}
        kinds = {name: _DTYPES[kind] for name, (kind, _) in file.inputs.items()}
        found = file({name: np.array(numbers[name], kind) for name, kind in kinds.items()})
        if found.ndim != 2:
            raise file.unfit(f"its output {file.output} has shape {found.shape}, not (n, d)")
        return unit(found)[: len(texts)]


def as_words(options: Any) -> Words | None:
    """Return the `Words` that options describe.

    Raises
    ------
    InputError
        When an option is not known, or a file is missing.
    """
    names = [item.name for item in fields(Words)]
    if not isinstance(options, dict) or not set(FILES) <= set(options) <= set(names):
        raise InputError(f"text={options!r} must give model and tokenizer, and may {names[2:]}")
    words = Words(**{**options, **{key: Path(options[key]).expanduser() for key in FILES}})
    if type(words.length) is not int or words.length < 1:
        raise InputError(f"length={words.length!r} must be a number of tokens, at least 1")
    _loaded(words, words.identity())
    return words


@lru_cache(maxsize=2)
def _loaded(words, identity):
    from image_retrieval.features.onnx_file import OnnxFile

    file = OnnxFile(words.model, words.output)
    kinds = {kind for kind, _ in file.inputs.values()}
    if not {_IDS} <= set(file.inputs) <= {_IDS, _MASK} or not kinds <= set(_DTYPES):
        raise file.unfit(f"it takes {file.inputs}; it may take {_IDS} and {_MASK}, int64")
    return file, _tokenizer(words)


def _tokenizer(words):
    from tokenizers import Tokenizer

    # The package raises nothing more special.
    try:
        tokenizer = Tokenizer.from_file(str(words.tokenizer))
    except Exception as error:
        reason = f"no tokenizer ({one_line(error)}); give a tokenizer.json"
        raise InputError(f"{words.tokenizer}: {reason}") from None
    pad = words.pad or (tokenizer.padding or {}).get("pad_token")
    number = tokenizer.token_to_id(str(pad))
    if number is None:
        hint = "give the one that fills up texts, such as <|endoftext|>"
        raise InputError(f"{words.tokenizer}: pad={pad!r} is not one of its tokens; {hint}")
    tokenizer.enable_truncation(words.length)
    tokenizer.enable_padding(length=words.length, pad_id=number, pad_token=pad)
    return tokenizer


def unit(X: Array) -> Array:
    """Return vectors divided by their lengths, float32; one of length 0 as it is."""
    lengths = np.linalg.norm(X.astype(np.float64), axis=-1, keepdims=True)
    return (X / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def extract_text(texts: str | Sequence[str], extraction: How) -> Array:
    """Turn texts into vectors that can be compared with those of pictures.

    Parameters
    ----------
    texts : str or sequence of str
    extraction : Extraction or str
        As for `extract`, of a backbone that takes words.

    Returns
    -------
    ndarray of float32, shape (n, d)
        After the extraction's recipe, if it has one.

    Raises
    ------
    InputError
        When the backbone does not take words, or something is no text.
    """
    extraction = as_extraction(extraction)
    words = _words_of(extraction)
    if words is None:
        raise InputError(f"{extraction} takes no words; docs/backbones.md says which ones do")
    texts = [texts] if isinstance(texts, str) else list(texts)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"text {position}: {type(text).__name__} is not text; give strings")
    return extraction.parts[0].finished(words.vectors(texts))


def as_texts(queries: Any, extraction: AnyExtraction) -> list[str] | None:
    """Return queries as a list of texts, or None where they are not meant as words.

    They are where the extraction's backbone takes words, and no string names a file.
    """
    texts = [queries] if isinstance(queries, str) else queries
    named = isinstance(texts, (list, tuple)) and all(isinstance(text, str) for text in texts)
    if not named or not texts or _words_of(extraction) is None:
        return None
    # Path.is_file raises an error for a text that is longer than the name of a file can be.
    return None if any(map(os.path.isfile, texts)) else list(texts)


def _words_of(extraction):
    return None if len(extraction.parts) > 1 else backbone_of(extraction).words


def zero_shot(
    X: ArrayLike, labels: Sequence[str], extraction: How, template: str = "a photo of a {}"
) -> list[str]:
    """Label pictures by the text that is nearest to each, without any training.

    Parameters
    ----------
    X : array of float, shape (n, d)
        Vectors of pictures.
    labels : sequence of str
    extraction : Extraction or str
        Which `X` was made with, of a backbone that takes words.
    template : str
        The text for a label, with `{}` in the label's place.

    Returns
    -------
    list of str
        One of `labels` for each row.
    """
    labels = list(labels)
    texts = unit(extract_text([template.format(label) for label in labels], extraction))
    return [labels[place] for place in np.argmax(np.asarray(X) @ texts.T, axis=1)]
