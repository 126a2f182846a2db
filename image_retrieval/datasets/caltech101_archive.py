"""Reading the pictures of the official Caltech-101 archive, one at a time.

data.caltech.edu hands out a zip with `101_ObjectCategories.tar.gz` inside; the tar.gz alone
is what was handed out before. Both are read, and no picture is written to disk.
"""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Iterator

from image_retrieval.datasets.archives import open_tar
from image_retrieval.datasets.cards import Picture
from image_retrieval.errors import InputError
from image_retrieval.files import refuse_special

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath, Values

TAR_NAME = "101_ObjectCategories.tar.gz"
_OFFICIAL = f"the official {TAR_NAME}, or the caltech-101.zip that holds it"


def read_pictures(path: StrPath, labels: Values) -> Iterator[Picture]:
    """Yield the picture files of some classes.

    Parameters
    ----------
    path : str or Path
        The official tar.gz or zip, or one of its layout.
    labels : sequence of str
        Names of the classes' folders.

    Yields
    ------
    Picture
        In the archive's order, which is not sorted. Every file in a class's folder is taken
        for a picture, but for those with a leading dot.

    Raises
    ------
    InputError
        When the archive cannot be used (see `image_retrieval.datasets.archives.open_tar`),
        or ends without a file of some class.
    """
    path, missing = Path(path), set(labels)
    with _tar_in(path) as tar, open_tar(path, tar) as members:
        for name, file in members:
            label = name.parent.name
            if label in labels and not name.name.startswith("."):
                missing.discard(label)
                yield Picture(label, file.read(), f"{label}/{name.name}")
    if missing:
        raise InputError(f"{path}: holds no pictures of {sorted(missing)[0]!r}; give {_OFFICIAL}")


@contextmanager
def _tar_in(path):
    """Yield the tar in a zip as a file to read, None for what is no zip."""
    refuse_special(path)
    if not (path.is_file() and zipfile.is_zipfile(path)):
        yield None
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if PurePosixPath(n).name == TAR_NAME]
            if not names:
                raise InputError(f"{path}: this zip holds no {TAR_NAME}; give {_OFFICIAL}")
            with archive.open(names[0]) as tar:
                yield tar
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path}: the zip is damaged ({error}); download it again") from None
