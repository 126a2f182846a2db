"""The commands of `image-retrieval`, a module each.

A command has a line of help and more of them, `EXAMPLES` of what follows its name,
`add_arguments(parser)`, and `run(args)`, which returns nothing or an exit code and imports what
is slow to import. The commands that build a data set are made from its card, in `build`.
"""
