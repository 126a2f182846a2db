"""Running, recording and checking the course's notebooks.

Notebooks are executed by the Python that runs this package, whatever kernels the user has
installed, and in the same surroundings when they are recorded as when they are tested.
"""

from tools.notebooks.answers import answers
from tools.notebooks.check import find_problems
from tools.notebooks.execute import (
    SAMPLE_ENVIRONMENT,
    NotebookError,
    execute,
    kernel_environment,
)
from tools.notebooks.normalize import normalize

__all__ = [
    "SAMPLE_ENVIRONMENT",
    "NotebookError",
    "answers",
    "execute",
    "find_problems",
    "kernel_environment",
    "normalize",
]
