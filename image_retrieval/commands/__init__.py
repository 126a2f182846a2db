"""The commands of `python -m image_retrieval`.

A command has a line of help, `add_arguments(parser)`, and `run(args)`, which returns nothing
or an exit code and imports what is slow to import.
"""
