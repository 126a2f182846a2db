"""The answers to a notebook's exercises: code in its folded sections."""

import re

_ANSWER = re.compile(r"<details>.*?</details>", re.DOTALL)
_CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def answers(notebook):
    """Return the code of the folded answers, in order.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of str
    """
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [
        code for text in texts for answer in _ANSWER.findall(text) for code in _CODE.findall(answer)
    ]
