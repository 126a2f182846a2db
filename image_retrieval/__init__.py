"""Content-based image retrieval with deep features: a course's working parts.

Four of its parts go by their names: `datasets` opens pictures, `index` searches, `explore` shows
them, and `evaluate` measures. Everything else that the course uses is imported from here, such as
`from image_retrieval import extract`; `dir(image_retrieval)` lists it. A module is imported when
something of it is asked for first, because some of them are slow to import.
"""

import ast
import functools
import importlib
import pathlib


def __getattr__(name: str) -> object:
    if name.startswith("_") or name not in _origins():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own = _origins()[name]
    if module == __name__:
        return importlib.import_module(f"{module}.{own}")
    return getattr(importlib.import_module(module), own)


def __dir__() -> "list[str]":
    return sorted({*globals(), *_origins()})


@functools.lru_cache(maxsize=None)
def _origins():
    """Return each name's module and its name there, from the stub that type checkers read."""
    stub = ast.parse(pathlib.Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    found = (each for each in stub.body if isinstance(each, ast.ImportFrom))
    return {
        name.asname or name.name: (each.module, name.name) for each in found for name in each.names
    }
