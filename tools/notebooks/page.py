"""Writing an executed notebook as one HTML page that needs no network.

nbconvert's own page loads MathJax, RequireJS and Mermaid from the web. Formulas become
MathML here, which browsers draw by themselves, and the other two are left out.
"""

import re
from functools import lru_cache
from pathlib import Path

from jinja2 import FileSystemLoader, pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_HERE = Path(__file__).parent
_DARK = "lab/static/theme-dark.css"


class _MathMLRenderer(IPythonRenderer):
    def block_math(self, body):
        return convert(body, display="block")

    def inline_math(self, body):
        return convert(body)

    def latex_environment(self, name, body):
        return convert(f"\\begin{{{name}}}{body}\\end{{{name}}}", display="block")


class _OfflineExporter(HTMLExporter):
    @pass_context
    def markdown2html(self, context, source):
        renderer = _MathMLRenderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            exclude_anchor_links=True,
        )
        return MarkdownWithMath(renderer=renderer).render(source)


@lru_cache(maxsize=None)
def _exporter():
    # Its templates take longer to compile than a page takes to write.
    return _OfflineExporter(
        extra_loaders=[FileSystemLoader(str(_HERE))], template_file="page.html.j2"
    )


def markdown_to_html(text):
    """Return Markdown of the course's own as HTML, its formulas as MathML.

    Examples
    --------
    >>> print(markdown_to_html("*near*").strip())
    <p><em>near</em></p>
    """
    renderer = _MathMLRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(text)


def title_of(notebook, otherwise):
    """Return the first heading of `notebook` as plain text, or `otherwise` if it has none."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    found = re.search(r"^# +(.+?) *$", "\n".join(texts), re.MULTILINE)
    return re.sub(r"[*`]", "", found.group(1)) if found else otherwise


def to_html(notebook, title, previous=None, following=None):
    """Return `notebook` as one HTML page that shows without a network.

    It is light or dark as the reader's system is, prints light, and fits a phone. A figure's
    words for people who cannot see it are the `alt` of its output's metadata.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook.
    title : str
        The title of the page.
    previous, following : (str, str), optional
        Address and title of the pages before and after it.

    Returns
    -------
    str
        The page.
    """
    exporter = _exporter()
    resources = {
        "metadata": {"name": title},
        "previous": previous,
        "next": following,
        "page_style": (_HERE / "page.css").read_text(encoding="utf-8"),
        "dark_theme": exporter.environment.loader.get_source(exporter.environment, _DARK)[0],
    }
    page, _ = exporter.from_notebook_node(notebook, resources)
    return page
