"""Notices in a kernel when a submission replaces what its tests rely on, and puts it back.

The grading sends this file's text into the kernel before the submission's first cell. It runs
beside the submission and can be deceived by code that is written against it; see
docs/instructors.md for what is given and what is not.
"""

import builtins
import importlib
import sys
import types

_PIECE = 1 << 16
_PATCHABLE = (types.FunctionType, types.BuiltinFunctionType, type, types.ModuleType)


guard = None


def start(shell, modules):
    """Begin to watch; the parameters are the class's."""
    global guard
    guard = Guard(shell, modules)
    for stream in (sys.stdout, sys.stderr):
        send_in_pieces(stream)


def send_in_pieces(stream):
    """Let a kernel's stream send what is printed in pieces, and wait until each is sent.

    It would keep everything that is printed in a fifth of a second, and send that as a single
    message: whoever prints without end used up the memory before anybody saw a word.
    """
    write, flush, waiting = stream.write, stream.flush, 0

    def write_pieces(text):
        nonlocal waiting
        if not isinstance(text, str):
            return write(text)
        for start in range(0, len(text), _PIECE):
            piece = text[start : start + _PIECE]
            write(piece)
            waiting += len(piece)
            if waiting >= _PIECE:
                flush()
                waiting = 0
        return len(text)

    stream.write = write_pieces


class Guard:
    """Remembers functions, classes and modules by where they are found.

    Parameters
    ----------
    shell : InteractiveShell
        The kernel's.
    modules : list of str
        The modules the tests import.
    """

    def __init__(self, shell, modules):
        self.shell = shell
        self.kept = {}
        for owner in (builtins, *self._machinery()):
            self._keep_all(owner)
        for name in modules:
            try:
                self._keep_module(importlib.import_module(name))
            except Exception:
                continue

    def keep_names(self, names):
        """Remember the notebook's own names, as a cell of the course has just bound them."""
        for name in names:
            value = self.shell.user_ns.get(name)
            if isinstance(value, _PATCHABLE):
                self.kept["", name] = (self.shell.user_ns, value, _code(value))

    def changes(self):
        """Return what was replaced since, as a list of names, after putting it back."""
        return [*self._put_back(), *self._hooks()]

    def _put_back(self):
        changed = []
        for (owner_name, name), (owner, value, code) in self.kept.items():
            current = owner.get(name) if isinstance(owner, dict) else vars(owner).get(name)
            if current is not value or _code(value) is not code:
                changed.append(f"{owner_name}.{name}".strip("."))
                _restore(owner, name, value, code)
        return changed

    def _keep_module(self, module):
        self._keep_all(module)
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__.startswith(module.__name__):
                self._keep_all(value)

    def _keep_all(self, owner):
        for name, value in list(vars(owner).items()):
            if isinstance(value, _PATCHABLE):
                self.kept[owner.__name__, name] = (owner, value, _code(value))

    def _machinery(self):
        types_of = (*type(self.shell).__mro__, *type(self.shell.kernel).__mro__)
        return [each for each in types_of if each.__module__.startswith(("IPython", "ipykernel"))]

    def _hooks(self):
        """Take out what the notebook hung into the kernel itself, and return the names."""
        own = []
        for hooks in (self.shell.ast_transformers, *self.shell.events.callbacks.values()):
            own += [hook for hook in hooks if _is_of_notebook(hook)]
            hooks[:] = [hook for hook in hooks if not _is_of_notebook(hook)]
        for name, value in list(vars(self.shell).items()):
            if _is_of_notebook(value):
                own.append(value)
                delattr(self.shell, name)
        return [getattr(hook, "__name__", type(hook).__name__) for hook in own]


def _code(value):
    return getattr(value, "__code__", None)


def _restore(owner, name, value, code):
    if code is not None:
        value.__code__ = code
    if isinstance(owner, dict):
        owner[name] = value
    else:
        setattr(owner, name, value)


def _is_of_notebook(value):
    if isinstance(value, types.FunctionType):
        return value.__module__ == "__main__"
    return type(value).__module__ == "__main__"
