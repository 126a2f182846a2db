"""Reading tar archives from strangers without writing any of it to disk.

A few bytes can announce terabytes. Everything is bounded before it is read, by what the data
sets of this course need many times over.
"""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Iterator

from image_retrieval.errors import InputError
from image_retrieval.files import refuse_special

try:
    from lzma import LZMAError
except ImportError:  # a browser's Python, where tarfile refuses such an archive with this
    from tarfile import CompressionError as LZMAError  # type: ignore[assignment]

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

_BLOCK = 512
_CHUNK = 1 << 20
_LARGEST = 1 << 25  # a batch of CIFAR-10 has 31 MB, a picture less
_LONGEST_HEADER = 1 << 16
_MOST_BYTES, _MOST_MEMBERS = 1 << 31, 50_000
_HEADERS: tuple[bytes, ...] = tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE
_HEADERS += tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK


@contextmanager
def open_tar(path: StrPath, file: Any = None) -> Iterator[Any]:
    """Yield an iterator over the files in a tar archive, compressed or not.

    Parameters
    ----------
    path : str or Path
    file : file object, optional
        The archive's bytes, where they are not the file's.

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
        something that no archive of pictures needs: an absolute name, `..`, a link, a
        device, a sparse file, a header of more than 64 KiB, a file of more than 32 MiB, 2 GiB
        in all, or 50,000 files.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such archive; check the path")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the archive file itself, such as a .tar.gz")
    refuse_special(path)
    try:
        with tarfile.open(None if file else path, "r:*", file, tarinfo=_Member) as tar:
            yield _safe_members(tar, path)
    except _UnfitError as error:
        raise InputError(f"{path}: {error}; get it from its official source") from None
    except (tarfile.ReadError, EOFError) as error:
        if isinstance(error, EOFError) or "end of data" in str(error):
            raise _cut_short(path) from None
        raise InputError(f"{path}: not a tar archive; give the file as it was downloaded") from None
    except _DAMAGES as error:
        raise _damaged(path, error) from None


_DAMAGES = tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, gzip.BadGzipFile


class _UnfitError(Exception):
    """Says what no archive of pictures holds."""


class _Member(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf, encoding, errors):
        member = super().frombuf(buf, encoding, errors)
        if member.size < 0 or (member.type in _HEADERS and member.size > _LONGEST_HEADER):
            raise _UnfitError(f"holds a header of {member.size:,} bytes")
        if member.type == tarfile.GNUTYPE_SPARSE:
            raise _UnfitError(f"holds the sparse file {member.name!r}")
        return member

    def _proc_gnusparse_10(self, *arguments):
        raise _UnfitError("holds a sparse file")


def _safe_members(tar, path):
    member, count = None, 0
    for count, member in enumerate(_members(tar), 1):
        _check_safe(member, path)
        if member.issparse() or not 0 <= member.size <= _LARGEST:
            raise _UnfitError(f"{member.name!r} has {member.size:,} bytes, or is sparse")
        if tar.offset > _MOST_BYTES or count > _MOST_MEMBERS:
            raise _UnfitError(f"holds more than {_MOST_BYTES:,} bytes or {_MOST_MEMBERS:,} files")
        if member.isfile():
            yield PurePosixPath(member.name), tar.extractfile(member)
    if count:
        _check_end(tar, path)


def _members(tar):
    while True:
        try:
            member = tar.next()
        except (OSError, ValueError, OverflowError) as error:
            if isinstance(error, gzip.BadGzipFile):
                raise
            raise _UnfitError(f"holds a header that leads nowhere ({error})") from None
        if member is None:
            return
        # They would all be kept.
        tar.members.clear()
        yield member


def _check_safe(member, path):
    name, windows = member.name, PureWindowsPath(member.name)
    if name.startswith("/") or windows.drive or windows.root or ".." in windows.parts:
        problem = "points outside the archive"
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
    for _ in range(_MOST_BYTES // _CHUNK):
        if not tar.fileobj.read(_CHUNK):
            return
    raise _UnfitError(f"goes on for more than {_MOST_BYTES:,} bytes")


def _cut_short(path):
    return InputError(f"{path}: the archive is cut short; download it again")


def _damaged(path, error):
    return InputError(f"{path}: the archive is damaged ({error}); download it again")
