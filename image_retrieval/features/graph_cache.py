"""A folder of derived ONNX graphs, each with a checksum beside it."""

import hashlib
import logging
import os
from pathlib import Path

import pooch

from image_retrieval.files import atomic_file, remove_temporaries

_log = logging.getLogger(__name__)


def cache_folder(cache=None):
    """Return the folder for derived files.

    Parameters
    ----------
    cache : str or Path, optional
        The folder itself; else `IMAGE_RETRIEVAL_CACHE`, else the operating system's cache
        folder for this package.

    Returns
    -------
    Path
    """
    folder = cache or os.environ.get("IMAGE_RETRIEVAL_CACHE") or pooch.os_cache("image-retrieval")
    return Path(folder).expanduser()


def cached_bytes(name, make, cache=None):
    """Return the bytes of a derived file, made when it is missing or damaged.

    Parameters
    ----------
    name : str
        File name; it must change whenever what `make` returns would change.
    make : callable
        Takes nothing and returns the bytes.
    cache : str or Path, optional
        See `cache_folder`. A folder that cannot be written is done without.

    Returns
    -------
    bytes
    """
    path = cache_folder(cache) / name
    data = _read_verified(path)
    if data is None:
        data = make()
        _store(path, data)
    return data


def _checksum_path(path):
    return path.with_name(path.name + ".sha256")


def _read_verified(path):
    try:
        # A run may have been killed after it had written all.
        for written in (path, _checksum_path(path)):
            remove_temporaries(written)
        data = path.read_bytes()
        expected = _checksum_path(path).read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return None
    return data if expected[:1] == [hashlib.sha256(data).hexdigest()] else None


def _store(path, data):
    try:
        with atomic_file(path) as temporary:
            temporary.write_bytes(data)
        with atomic_file(_checksum_path(path)) as temporary:
            line = f"{hashlib.sha256(data).hexdigest()}  {path.name}\n"
            temporary.write_bytes(line.encode("ascii"))
    except OSError as error:
        # The work can be done without a cache, it only costs its making each time.
        _log.info("not cached, %s cannot be written: %s", path.parent, error)
