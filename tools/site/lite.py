"""The course in a browser tab: JupyterLite with the portable edition."""

# What runs there, and is tested there: the others need a network or an engine made for one machine.
BEGINNINGS = ("01", "02", "03", "03b", "04")


def runs_in_a_tab(notebook):
    """Tell whether the notebook of that path runs in Pyodide."""
    return notebook.rpartition("/")[2].partition("_")[0] in BEGINNINGS
