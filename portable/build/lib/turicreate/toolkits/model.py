"""What all models share: fields, the printed summary, saving and loading.

A saved model is a folder with `model.json` and, where it needs rows, an SFrame. Nothing
in it is ever executed.
"""

import json
from pathlib import Path

from ..missing import lacks
from ..sframe_format import SFrameFormatError
from ._main import ToolkitError

_VERSION = 1
_MODELS = {}


def saveable(cls):
    """Let `load_model` find a class of models."""
    _MODELS[cls.__name__] = cls
    return cls


class Model:
    """A trained model: its fields are attributes."""

    _fields = {}

    def __getattr__(self, name):
        if name in self._fields:
            return self._fields[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __dir__(self):
        return [*super().__dir__(), *self._fields]

    def _list_fields(self):
        return sorted(self._fields)

    def _get(self, field):
        if field not in self._fields:
            raise ToolkitError(
                f"Field '{field}' does not exist. Use list_fields() for a list of fields that "
                "can be queried."
            )
        return self._fields[field]

    def summary(self, output=None):
        """Print the model, or return its text for `output='str'`."""
        if output in (None, "stdout"):
            print(repr(self))
        elif output == "str":
            return repr(self)
        elif output == "dict":
            return {title: dict(rows) for title, rows in self._sections()}
        else:
            raise ToolkitError("Unrecognized value for output. Try None, 'stdout', 'str' or 'dict'")
        return None

    def __repr__(self):
        sections = self._sections()
        width = max(len(name) for _, rows in sections for name, _ in rows)
        width = max(width + 1, self._label_width)
        lines = [f"{'Class':<{width}}: {type(self).__name__}"]
        for title, rows in sections:
            lines += ["", title, "-" * len(title)]
            lines += [f"{name:<{width}}: {_text(value)}" for name, value in rows]
        return "\n".join(lines) + "\n"

    __str__ = __repr__
    _label_width = 31

    def save(self, location):
        """Write the model to a folder that `load_model` of this edition opens."""
        folder = Path(location).expanduser()
        ours = not folder.exists() or (folder / "model.json").is_file()
        if not ours and (folder.is_file() or any(folder.iterdir())):
            raise OSError(f"{location} exists and is no saved model; choose another name")
        folder.mkdir(parents=True, exist_ok=True)
        state, frame = self._state()
        if frame is not None:
            frame.save(str(folder / "rows"))
        state = {"model": type(self).__name__, "version": _VERSION, **state}
        temporary = folder / "model.json.tmp"
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(folder / "model.json")


def _text(value):
    return str(round(value, 4)) if isinstance(value, float) else str(value)


def load_model(location):
    """Open a model that this edition saved."""
    from ..sframe import SFrame

    folder = Path(location).expanduser()
    if (folder / "dir_archive.ini").is_file():
        raise lacks(f"Opening {location}, a model saved by Turi Create itself", "train it again")
    if not (folder / "model.json").is_file():
        raise OSError(f"Directory {location} does not exist or holds no saved model")
    try:
        state = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        if state["version"] != _VERSION:
            raise ValueError(f"version {state['version']}")
        cls = _MODELS[state["model"]]
        frame = SFrame(str(folder / "rows")) if (folder / "rows").is_dir() else None
        return cls._from_state(state, frame)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, ToolkitError) as error:
        detail = str(error).split("\n")[0]
        raise OSError(f"{location}: a damaged model ({type(error).__name__}: {detail})") from None
    except SFrameFormatError as error:
        raise OSError(f"{location}: a damaged model: {error}") from None
