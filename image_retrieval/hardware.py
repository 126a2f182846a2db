"""What the machine offers this process."""

from __future__ import annotations

import os
import sys


def cores() -> int:
    """Return the number of cores this process may use: one where there are no threads.

    Examples
    --------
    >>> cores() >= 1
    True
    """
    if sys.platform == "emscripten":  # a browser's tab starts no threads
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
