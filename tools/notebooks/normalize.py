"""Giving an executed notebook the form in which it is committed.

What depends on the machine or the moment is dropped, so that executing an unchanged
notebook twice gives the same bytes.
"""

import hashlib

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE_INFO = {"name": "python"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def normalize(notebook):
    """Give `notebook` its committed form, in place, and return it.

    A neutral kernel, no timings or widgets, whose HTML stays where they have some, one output
    per run of printed text, and a stable id for each cell.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        A notebook of format 4; it becomes format 4.5.

    Returns
    -------
    nbformat.NotebookNode
        The same notebook.
    """
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = type(notebook.metadata)(
        kernelspec=dict(KERNELSPEC), language_info=dict(LANGUAGE_INFO)
    )
    while notebook.cells and not notebook.cells[-1].source.strip():
        del notebook.cells[-1]
    used = set()
    for position, cell in enumerate(notebook.cells):
        _normalize_cell(cell, position, used)
    return notebook


def _normalize_cell(cell, position, used):
    cell.id = _cell_id(cell, position, used)
    used.add(cell.id)
    cell.metadata = type(cell.metadata)(
        {key: value for key, value in cell.metadata.items() if key == "tags" and value}
    )
    if cell.cell_type == "code":
        cell.outputs = _merge_streams(_without_widgets(cell.outputs))
        for output in cell.outputs:
            _keep_metadata_of_data(output)


def _keep_metadata_of_data(output):
    # A figure has words for each kind of picture that it may become.
    if "data" in output:
        known = {kind: value for kind, value in output.metadata.items() if kind in output.data}
        output.metadata = type(output.metadata)(known)


def _cell_id(cell, position, used):
    current = cell.get("id")
    if current and current not in used:
        return current
    text = f"{position} {cell.cell_type} {cell.source}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _without_widgets(outputs):
    for output in outputs:
        data = output.get("data", {})
        if data.pop(WIDGET, None) is None or "text/html" in data:
            yield output


def _merge_streams(outputs):
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and _stream(output) and _stream(output) == _stream(last):
            last.text += output.text
        else:
            merged.append(output)
    return merged


def _stream(output):
    return output.name if output.output_type == "stream" else None
