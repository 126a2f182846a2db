"""Writing an executed notebook as one HTML page that needs no network.

nbconvert's own page loads MathJax, RequireJS and Mermaid from the web. Formulas become
MathML here, which browsers draw by themselves, and the other two are left out.
"""

from jinja2 import DictLoader, pass_context
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

_TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
"""


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


def markdown_to_html(text):
    """Return Markdown of the course's own as HTML, its formulas as MathML.

    Examples
    --------
    >>> print(markdown_to_html("*near*").strip())
    <p><em>near</em></p>
    """
    renderer = _MathMLRenderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(text)


def to_html(notebook, title):
    """Return `notebook` as one HTML page that shows without a network.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook.
    title : str
        The title of the page.

    Returns
    -------
    str
        The page.
    """
    exporter = _OfflineExporter(
        extra_loaders=[DictLoader({"offline.html.j2": _TEMPLATE})], template_file="offline.html.j2"
    )
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}})
    return page
