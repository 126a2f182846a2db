"""What Sphinx and its theme lack for this site: formulas as MathML, launch buttons, references.

Sphinx draws formulas with MathJax, which pages fetch from another host. The theme offers buttons
only with a repository's address, which a course that is handed on may not have. Docstrings number
their references from one, each for itself, but share a page here.
"""

import re

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

from tools.site.address import launchers, repository
from tools.site.lite import runs_in_a_tab


def setup(app):
    """Add them to Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    # After the theme, which makes the list of buttons.
    app.connect("html-page-context", _add_launch_buttons, priority=600)
    app.connect("html-page-context", _drop_live_code, priority=600)
    app.connect("html-page-context", _shorten_types, priority=600)
    # Before napoleon, which takes the section apart.
    app.connect("autodoc-process-docstring", _number_references, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer, node):
    _write(writer, node, "inline")


def _block(writer, node):
    _write(writer, node, "block")


def _write(writer, node, display):
    writer.body.append(convert(node.astext(), display=display))
    raise SkipNode


def _add_launch_buttons(app, pagename, templatename, context, doctree):
    if not pagename.startswith("notebooks/"):
        return
    notebook = f"{pagename}.ipynb"
    places = launchers(repository(), notebook)
    if runs_in_a_tab(notebook):
        page = context["pathto"]("lite/lab/index.html", resource=1)
        places.insert(0, ("In this browser", f"{page}?path={notebook}"))
    if places:
        context["header_buttons"].append(_group(places))


def _drop_live_code(app, pagename, templatename, context, doctree):
    # Jupyter Book loads it on every page, twice, although no button starts it; it would fetch its
    # program from another host.
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in f"{script} {getattr(script, 'attributes', {})}".lower()
    ]


def _shorten_types(app, pagename, templatename, context, doctree):
    # Types that many signatures share are on no page, which a link could lead to.
    if pagename.startswith("api/"):
        context["body"] = context["body"].replace("image_retrieval.signatures.", "")


def _group(places):
    return {
        "type": "group",
        "tooltip": "Run this notebook without installing anything",
        "icon": "fas fa-rocket",
        "label": "launch-buttons",
        "buttons": [
            {"type": "link", "text": name, "tooltip": f"Run it: {name}", "url": url}
            for name, url in places
        ],
    }


def _number_references(app, what, name, obj, options, lines):
    unique = re.sub(r"\W", "-", name)
    for position, line in enumerate(lines):
        line = re.sub(r"\[(\d+)\]_", rf"[#{unique}-\1]_", line)
        lines[position] = re.sub(r"^\.\. \[(\d+)\]", rf".. [#{unique}-\1]", line)
