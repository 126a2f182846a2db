"""Running other programs."""

import os
import subprocess
from pathlib import Path

from tools.environment.editions import SetupError


def run(command, environ, lock, folder=None):
    """Run `command` with its output shown; a failure is a `SetupError`.

    The child inherits the lock, so that it is held as long as anything still writes.
    """
    command = [str(part) for part in command]
    keep = {} if os.name == "nt" else {"pass_fds": (lock.fileno(),)}
    code = subprocess.call(command, env=tool_environment(environ), cwd=folder, **keep)
    if code:
        words = " ".join([Path(command[0]).name, *command[1:4]])
        raise SetupError(
            f"The set-up stopped: `{words} ...` ended with exit code {code}; its message is above. "
            "Once that is mended, the same command starts again."
        )


def capture(command, environ):
    """Run `command` and return it with its output, errors included; never raises OSError."""
    try:
        return subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, str(error))


def tool_environment(environ):
    """Return `environ` so that uv trusts what the system does and asks pip's registry.

    What it says of another Python, such as where that one finds its modules, is left out.
    """
    result = {
        key: value
        for key, value in environ.items()
        if not key.startswith("PYTHON") and key not in ("VIRTUAL_ENV", "CONDA_PREFIX")
    }
    for pip_name, uv_name in (
        ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("PIP_EXTRA_INDEX_URL", "UV_INDEX"),
        ("PIP_CERT", "SSL_CERT_FILE"),
    ):
        if result.get(pip_name):
            result.setdefault(uv_name, result[pip_name])
    result.setdefault("UV_SYSTEM_CERTS", "true")
    return result


def first_line(text):
    """Return the first line of `text` that is not blank, or an empty text."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def last_line(text):
    """Return the last line of `text` that is not blank, or an empty text."""
    return first_line("\n".join(reversed(text.splitlines())))
