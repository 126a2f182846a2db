"""The error of the toolkits."""


class ToolkitError(RuntimeError):
    """What a toolkit raises when it cannot do what it is asked for."""
