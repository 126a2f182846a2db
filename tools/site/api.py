"""A page for each part of the package, made from its docstrings."""

import ast

from tools.site.folders import ROOT

PACKAGE = ROOT / "image_retrieval"
# What the command line and the other parts are made of.
INNER = "__init__ __main__ cli commands download hardware palette signatures terminal".split()


def write_api(source):
    """Write the pages api/modules/*.rst and api/overview.md into the folder `source`."""
    folder = source / "api" / "modules"
    folder.mkdir(parents=True)
    rows = []
    for path in sorted(PACKAGE.iterdir()):
        module = path / "__init__.py" if path.is_dir() else path
        if module.suffix == ".py" and path.stem not in INNER and module.exists():
            tree = ast.parse(module.read_text("utf-8"))
            (folder / f"{path.stem}.rst").write_text(_page(path.stem, tree), encoding="utf-8")
            rows.append(f"| [{path.stem}](modules/{path.stem}.rst) | {_first_line(tree)} |")
    text = "# The package image_retrieval\n\n{}\n\n| part | what it does |\n| --- | --- |\n{}\n"
    root = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    page = text.format(_first_line(root), "\n".join(rows))
    (source / "api" / "overview.md").write_text(page, encoding="utf-8")


def _page(name, tree):
    members = ", ".join(public_names(tree))
    shown = f"   :members: {members}\n" if members else ""
    return f"{name}\n{'=' * len(name)}\n\n.. autoapimodule:: image_retrieval.{name}\n{shown}"


def _first_line(tree):
    return (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")


def public_names(tree):
    r"""Return the names that a module defines for others, in order.

    They are its functions and classes; where there are none, as in the `__init__` of a
    package, they are what it imports from the package.

    Parameters
    ----------
    tree : ast.Module
        The parsed module.

    Returns
    -------
    list of str

    Examples
    --------
    >>> public_names(ast.parse("from image_retrieval.files import sweep\\ndef clean(): sweep()"))
    ['clean']
    >>> public_names(ast.parse("from image_retrieval.files import sweep as clean"))
    ['clean']
    """
    defined = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    imported = [
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("image_retrieval")
        for alias in node.names
    ]
    return sorted({name for name in defined or imported if not name.startswith("_")})
