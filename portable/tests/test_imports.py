"""The modules of the portable edition build on each other and never in a circle."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "turicreate"


def imports(package):
    """Return {module: modules of the package that it imports anywhere, functions included}."""
    paths = {_name(path, package): path for path in package.rglob("*.py")}
    return {name: _imported(name, path, paths) for name, path in paths.items()}


def _name(path, package):
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name, path, paths):
    home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*home[: len(home) - node.level + 1], *filter(None, [node.module])]
            for alias in node.names:
                full = ".".join([*base, alias.name])
                found.add(full if full in paths else ".".join(base))
    # Whoever imports a module of a package runs the package's own file first.
    parents = {other.rpartition(".")[0] for other in found}
    outer = {parent for parent in parents if not f"{name}.".startswith(f"{parent}.")}
    return (found | outer) - {name}


def circle(graph):
    """Return the modules of a circle in {module: imported modules}, or nothing."""
    done = set()

    def follow(name, path):
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            found = follow(other, [*path, name])
            if found:
                return found
        done.add(name)
        return []

    return next(filter(None, (follow(name, []) for name in sorted(graph))), [])


def test_no_module_imports_itself_by_way_of_others():
    assert circle(imports(PACKAGE)) == []


@pytest.mark.parametrize("line", ["from . import b", "def f():\n    from .b import x"])
def test_a_circle_is_seen_in_functions_too(tmp_path, line):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text(line)
    (package / "b.py").write_text("from .a import y")
    assert sorted(circle(imports(package))) == ["package.a", "package.b"]
