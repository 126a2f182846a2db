"""The commands of `python -m image_retrieval`, one module each.

A command's module has a docstring whose first line is its help, `add_arguments(parser)`,
and `run(args)`, which returns nothing or an exit code and imports what is slow to import.
"""
