"""The error of the toolkits, by the name it has in the real edition."""

from ..errors import ToolkitError

__all__ = ["ToolkitError"]
