"""The errors a user of this package can cause, each with a message of one line."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return text that may come from a stranger as one line that no terminal obeys.

    Examples
    --------
    >>> print(printable("a cat" + chr(10) + chr(27) + "[2J"))
    a cat\n\x1b[2J
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class ImageRetrievalError(Exception):
    """Base of every error this package raises on purpose.

    The message is one line: what was wrong with which value, what is allowed and
    what to do next. The command line prints it without a traceback.
    """

    def __str__(self) -> str:
        # It often quotes a name that was made elsewhere.
        return printable(super().__str__())


class InputError(ImageRetrievalError, ValueError):
    """A value, file or archive that cannot be used as given."""


class DownloadError(ImageRetrievalError, OSError):
    """A file that could not be fetched, or came with the wrong hash."""


def one_line(error: object) -> str:
    """Return the message of an error from elsewhere as one line of bounded length."""
    return " ".join(str(error).split())[:200]
