"""Making a submission fit to be graded: what the instructor wrote comes from the instructor."""

from dataclasses import dataclass

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from image_retrieval.errors import InputError, one_line

_LARGEST = 50 << 20


@dataclass(frozen=True)
class Known:
    """A cell of an assignment, as its source has it.

    Attributes
    ----------
    name : str
        nbgrader's `grade_id`.
    kind : str
        `code` or `markdown`.
    about : dict
        nbgrader's metadata: graded, locked, points, checksum and so on.
    visible : str
        What students get.
    full : str
        The same with the hidden tests.
    """

    name: str
    kind: str
    about: dict
    visible: str
    full: str


@dataclass(frozen=True)
class Prepared:
    """A submission whose locked cells are the instructor's.

    Attributes
    ----------
    full, visible : nbformat.NotebookNode
        To be run, with the hidden tests and without; the same cells in the same order.
    shown : nbformat.NotebookNode
        `visible` with the outputs that were handed in.
    flags : list of str
        What had been changed.
    """

    full: nbformat.NotebookNode
    visible: nbformat.NotebookNode
    shown: nbformat.NotebookNode
    flags: list


def read(path):
    """Return the notebook in a file that a stranger wrote.

    Raises
    ------
    InputError
        When it is no notebook.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        raise InputError(f"larger than {_LARGEST >> 20} MB; clear its outputs")
    try:
        notebook = nbformat.read(str(path), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:
        raise InputError(f"not a notebook ({type(error).__name__}: {one_line(error)})") from None
    return notebook


def prepare(notebook, known):
    """Return a submission with the instructor's own locked cells.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As it was handed in. Of what it says about itself only the cells' names count.
    known : dict
        A `Known` by name.

    Returns
    -------
    Prepared
    """
    flags = []
    names = _names(notebook, known, flags)
    cells = [_cells(cell, known.get(name), flags) for cell, name in zip(notebook.cells, names)]
    missing = [name for name, cell in known.items() if name not in names and cell.about["locked"]]
    graded = [n for n, cell in known.items() if n not in names and cell.about["grade"]]
    flags += [f"{name}: deleted" for name in dict.fromkeys([*missing, *graded])]
    full, visible, shown = (
        new_notebook(cells=[each[version] for each in cells]) for version in range(3)
    )
    return Prepared(full, visible, shown, flags)


def _names(notebook, known, flags):
    """Return the name of each cell that is the assignment's; of copies the last one counts."""
    names = [_name(cell) for cell in notebook.cells]
    for number, name in enumerate(names):
        if name is not None and name not in known:
            flags.append(f"{name!r}: not a cell of the assignment")
        elif name in names[number + 1 :] and name is not None:
            flags.append(f"{name}: handed in more than once")
        else:
            continue
        names[number] = None
    return names


def _name(cell):
    about = cell.metadata.get("nbgrader")
    name = about.get("grade_id") if isinstance(about, dict) else None
    return name if isinstance(name, str) else None


def _cells(cell, known, flags):
    """Return a cell to be run, to be run without hidden tests, and to be shown."""
    if known is None:
        return _plain(cell), _plain(cell), _plain(cell, keep_outputs=True)
    if cell.cell_type != known.kind:
        flags.append(f"{known.name}: changed from {known.kind} to {cell.cell_type}")
    locked = known.about["locked"]
    if locked and cell.source.strip() not in (known.visible.strip(), known.full.strip()):
        flags.append(f"{known.name}: edited, and put back")
    full, visible = (known.full, known.visible) if locked else (cell.source, cell.source)
    shown = _made(known, visible)
    if known.kind == "code" == cell.cell_type:
        shown.outputs = cell.outputs
    return _made(known, full), _made(known, visible), shown


def _plain(cell, keep_outputs=False):
    if cell.cell_type != "code":
        return new_markdown_cell(cell.source)
    return new_code_cell(cell.source, outputs=cell.outputs if keep_outputs else [])


def _made(known, source):
    make = new_code_cell if known.kind == "code" else new_markdown_cell
    return make(source, metadata={"nbgrader": dict(known.about)})
