"""Refuse to stand in for a Turi Create that is installed."""

from importlib import metadata


def refuse_beside_the_real_one():
    """Raise ImportError where the distribution `turicreate` is installed."""
    try:
        version = metadata.version("turicreate")
    except metadata.PackageNotFoundError:
        return
    raise ImportError(
        f"turicreate {version} and its portable edition are both installed; keep one: "
        "pip uninstall turicreate-portable, or pip uninstall turicreate and reinstall "
        "turicreate-portable"
    )


refuse_beside_the_real_one()
