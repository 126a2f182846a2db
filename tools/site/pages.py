"""Copying the pages for Jupyter Book, with links that hold on the site.

A link to a file or folder that is no page leads to the repository, or is plain text while the
repository has no address.
"""

import re
import shutil

import nbformat

from tools.site.address import repository
from tools.site.folders import HERE, ROOT

PAGES = ("*.md", "docs/*.md", "portable/*.md", "notebooks/*.ipynb", "assignments/release/*/*.ipynb")
PICTURES = ("docs/images/*",)
_LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\(([^()\s]+)\)")


def stage(source):
    """Fill the folder `source` with copies of all pages and pictures, and of the theme's parts.

    Parameters
    ----------
    source : Path
        An empty folder.
    """
    pages = {path for pattern in PAGES for path in ROOT.glob(pattern)}
    for path in sorted(pages):
        target = source / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, target, pages)
    for picture in (each for pattern in PICTURES for each in ROOT.glob(pattern)):
        target = source / picture.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)
    shutil.copytree(HERE / "_static", source / "_static")


def _copy(path, target, pages):
    if path.suffix == ".md":
        target.write_text(mend_links(path.read_text("utf-8"), path, pages), encoding="utf-8")
        return
    notebook = nbformat.read(str(path), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = mend_links(cell.source, path, pages)
    nbformat.write(notebook, str(target))


def mend_links(text, path, pages, address=None):
    """Return Markdown whose links to what is no page lead to the repository.

    Parameters
    ----------
    text : str
        Markdown of the file `path`.
    path : Path
        The file in the repository that `text` is from, which its links are relative to.
    pages : set of Path
        What is on the site.
    address : str, optional
        The repository's; by default what `address.repository` says.
    """
    address = repository() if address is None else address

    def mended(found):
        words, link = found.groups()
        name = link.partition("#")[0]
        if "://" in link or not name or (path.parent / name).resolve() in pages:
            return found.group(0)
        place = (path.parent / name).resolve().relative_to(ROOT).as_posix()
        return f"[{words}]({address}/blob/HEAD/{place})" if address else words

    return _LINK.sub(mended, text)
