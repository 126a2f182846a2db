"""The address of the repository, which everything that links to it takes from here."""

try:
    import tomllib
except ImportError:  # before Python 3.11
    import tomli as tomllib

from tools.site.folders import ROOT


def repository():
    """Return the repository's address on GitHub, or an empty text while it has none.

    It is `Repository` under `[project.urls]` in pyproject.toml.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "").rstrip("/")


def launchers(address, notebook):
    """Return where a notebook can be run without installing anything.

    Parameters
    ----------
    address : str
        The repository's address, or an empty text.
    notebook : str
        The notebook's path in the repository.

    Returns
    -------
    list of (str, str)
        Names and addresses, none where the repository has no address.
    """
    if not address:
        return []
    name = address.partition("github.com/")[2]
    return [
        # Colab's machine starts empty: this notebook sets it up and puts the others there.
        ("Colab", f"https://colab.research.google.com/github/{name}/blob/HEAD/colab.ipynb"),
        ("Binder", f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/{notebook}"),
    ]
