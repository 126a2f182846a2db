"""Reading tar archives from strangers without writing any of it to disk."""

import gzip
import lzma
import tarfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from image_retrieval.errors import InputError

_BLOCK = 512
_CHUNK = 1 << 20


@contextmanager
def open_tar(path):
    """Yield an iterator over the files in a tar archive, compressed or not.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    iterator of (PurePosixPath, file)
        Name and content of each regular file, in the archive's order; folders are passed
        over. A file can be read until the next one is asked for. When the last has been
        read, the archive's end and checksum are checked.

    Raises
    ------
    InputError
        When the archive is missing, is not a tar, is cut short or damaged, or holds
        something that no archive of pictures needs: an absolute name, `..`, a link or a
        device.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such archive; check the path")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the archive file itself, such as a .tar.gz")
    try:
        with tarfile.open(path, "r:*") as tar:
            yield _safe_members(tar, path)
    except tarfile.ReadError as error:
        if "end of data" in str(error):
            raise _cut_short(path) from None
        raise InputError(f"{path}: not a tar archive; give the file as it was downloaded") from None
    except EOFError:
        raise _cut_short(path) from None
    except (tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise _damaged(path, error) from None


def _safe_members(tar, path):
    member = None
    for member in tar:
        _check_safe(member, path)
        if member.isfile():
            yield PurePosixPath(member.name), tar.extractfile(member)
    if member is not None:
        _check_end(tar, path)


def _check_safe(member, path):
    name, windows = member.name, PureWindowsPath(member.name)
    if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts:
        problem = "leads out of the archive"
    elif not (member.isfile() or member.isdir()):
        kind = "a link" if member.issym() or member.islnk() else "neither a file nor a folder"
        problem = f"is {kind}, which has no place in an archive of pictures"
    else:
        return
    raise InputError(f"{path}: {name!r} {problem}; get the archive from its official source")


def _check_end(tar, path):
    # tarfile takes a damaged header for the end, and reads no checksum unless made to.
    tar.fileobj.seek(tar.offset)
    block = tar.fileobj.read(_BLOCK)
    if len(block) < _BLOCK:
        raise _cut_short(path)
    if block.strip(b"\0"):
        raise _damaged(path, "a header cannot be read")
    while tar.fileobj.read(_CHUNK):
        pass


def _cut_short(path):
    return InputError(f"{path}: the archive is cut short; download it again")


def _damaged(path, error):
    return InputError(f"{path}: the archive is damaged ({error}); download it again")
