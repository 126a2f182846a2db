"""Conversions between arrays and Turi Create's columns.

Turi Create is imported only where a column is made. Columns are read by iterating, so
the readers also take lists and pandas columns.
"""

from __future__ import annotations

import array
import io
import shutil
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np

from image_retrieval.errors import InputError
from image_retrieval.features.records import write_extractions
from image_retrieval.files import atomic_folder
from image_retrieval.images import as_rgb, iterate_rgb, open_picture
from image_retrieval.tables import column, column_names, extractions_of

if TYPE_CHECKING:
    from image_retrieval.signatures import Array, ArrayLike, Pictures, StrPath, Table, Values

# Turi Create's numbers for whole files, and for pixels that are not compressed.
_FILES, _RAW = {"JPEG": 0, "PNG": 1}, 2
_VECTORS_PER_APPEND = 256
_ORIENTATION = 0x0112  # the EXIF tag


def images_to_sarray(images: Pictures) -> Any:
    """Return a column of Turi Create images with exactly these pixels.

    Parameters
    ----------
    images : iterable of pictures, or array of shape (n, h, w, 3)
        Anything `image_retrieval.images.as_rgb` takes, of any sizes. An iterator is
        read one picture at a time, so memory does not grow with n.

    Returns
    -------
    turicreate.SArray of turicreate.Image
        Uncompressed RGB.
    """
    import turicreate as tc

    builder = tc.SArrayBuilder(dtype=tc.Image)
    for pixels in iterate_rgb(images):
        builder.append(pixels_to_image(pixels))
    return builder.close()


def sarray_to_images(sarray: Pictures) -> list[Array]:
    """Return a column of images as RGB arrays.

    Parameters
    ----------
    sarray : SArray of turicreate.Image, or iterable of pictures

    Returns
    -------
    list of ndarray of uint8, shape (h, w, 3)

    Raises
    ------
    InputError
        When a row holds no picture.
    """
    images = []
    for row, image in _rows(sarray):
        if image is None:
            way_out = "drop such rows first: sframe.dropna('image')"
            raise InputError(f"row {row} has no image; {way_out}")
        images.append(as_rgb(image))
    return images


def _rows(sarray):
    """Yield the rows of a column with their numbers.

    Only now does Turi Create notice that a file is damaged.
    """
    try:
        yield from enumerate(sarray)
    except (MemoryError, RuntimeError) as error:
        raise InputError(f"the data is damaged ({error}); build or restore it again") from None


def vectors_to_sarray(X: ArrayLike) -> Any:
    """Return a matrix as a column of vectors, one per row.

    Parameters
    ----------
    X : array of numbers, shape (n, d)

    Returns
    -------
    turicreate.SArray of array.array, n vectors of d doubles

    Raises
    ------
    InputError
        When X is not two-dimensional or holds no numbers.
    """
    import turicreate as tc

    X = np.asarray(X)
    if X.ndim != 2 or not _is_numeric(X):
        found = f"{X.dtype} of shape {X.shape}"
        raise InputError(f"vectors must be a matrix of numbers of shape (n, d), got {found}")
    builder = tc.SArrayBuilder(dtype=array.array)
    for start in range(0, len(X), _VECTORS_PER_APPEND):
        # Through bytes: several times faster than `tolist`, and exact.
        rows = X[start : start + _VECTORS_PER_APPEND].astype(np.float64)
        builder.append_multiple([array.array("d", row.tobytes()) for row in rows])
    return builder.close()


def sarray_to_vectors(sarray: Table) -> Array:
    """Return a column of vectors as a matrix.

    Parameters
    ----------
    sarray : SArray of array.array, or sequence of vectors
        Every row a vector of the same length d.

    Returns
    -------
    ndarray of float32, shape (n, d)

    Raises
    ------
    InputError
        When a row is missing, is no vector of numbers, or has another length.

    Examples
    --------
    >>> sarray_to_vectors([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    X = np.empty((len(sarray), 0), dtype=np.float32)
    for row, vector in _rows(sarray):
        values = _as_vector(vector, row)
        if row == 0:
            X = np.empty((len(sarray), len(values)), dtype=np.float32)
        if len(values) != X.shape[1]:
            problem = f"row {row} has {len(values)} numbers where row 0 has {X.shape[1]}"
            raise InputError(f"{problem}; a feature column needs vectors of one length")
        X[row] = values
    return X


def image_sframe(ids: Values, images: Pictures, labels: Values, **columns: Any) -> Table:
    """Return the table that the course works on: `id`, `image`, `label` and more.

    Parameters
    ----------
    ids : sequence of n int
    images : iterable of n pictures, or array of shape (n, h, w, 3)
    labels : sequence of n str
    **columns : array of shape (n, d), SArray or sequence, of n rows
        Further columns by name, for example `deep_features`.

    Returns
    -------
    turicreate.SFrame

    Raises
    ------
    InputError
        When a column has another number of rows.

    Examples
    --------
    >>> pixels = np.zeros((2, 32, 32, 3), np.uint8)
    >>> image_sframe([7, 9], pixels, ["cat", "dog"]).column_names()
    ['id', 'image', 'label']
    """
    import turicreate as tc

    made = {
        "id": tc.SArray([int(value) for value in ids], dtype=int),
        "image": images if _is_image_column(images) else images_to_sarray(images),
        "label": tc.SArray([str(value) for value in labels], dtype=str),
        **{name: _further_column(values) for name, values in columns.items()},
    }
    sframe = tc.SFrame()
    for name, values in made.items():
        if len(values) != len(made["id"]):
            problem = f"column {name!r} has {len(values)} rows where 'id' has {len(made['id'])}"
            raise InputError(f"{problem}; give every column one value per image")
        sframe[name] = values
    return sframe


def sframe_vectors(sframe: Table, name: str) -> tuple[list[Any], Array]:
    """Return the ids and one feature column of a table.

    Parameters
    ----------
    sframe : SFrame, pandas.DataFrame or dict of columns
    name : str
        A column of vectors, for example `"deep_features"`.

    Returns
    -------
    ids : list of n int or str
        Row numbers when there is no column `id`.
    X : ndarray of float32, shape (n, d)

    Raises
    ------
    InputError
        When there is no such column or it does not hold vectors of one length.

    Examples
    --------
    >>> sframe_vectors({"id": [5, 6], "pixels": [[0, 1], [2, 3]]}, "pixels")[0]
    [5, 6]
    """
    X = column_vectors(sframe, name)
    if "id" not in column_names(sframe):
        return list(range(len(X))), X
    return [value if isinstance(value, str) else int(value) for value in sframe["id"]], X


def column_vectors(table: Table, name: str) -> Array:
    """Return one feature column of a table, float32 (n, d), see `sframe_vectors`."""
    try:
        return sarray_to_vectors(column(table, name))
    except InputError as error:
        raise InputError(f"column {name!r}: {error}") from None


def with_extractions(sframe: Table, extractions: Mapping[str, Any]) -> Table:
    """Return an SFrame that knows how its feature columns were made.

    Parameters
    ----------
    sframe : turicreate.SFrame
        Left as it is.
    extractions : dict of str to extraction
        By column.

    Returns
    -------
    turicreate.SFrame
        Of a subclass with the attribute `extractions`, see `tables.extractions_of`. A column
        that is replaced, removed or renamed is forgotten there; slices, selections and copies
        are plain SFrames. A plain SFrame takes it in `append` only as a slice, `sframe[:]`.
    """
    result = _recorded_sframe()(sframe)
    names = column_names(sframe)
    result.extractions = {name: made for name, made in extractions.items() if name in names}
    return result


@lru_cache(maxsize=1)
def _recorded_sframe():
    import turicreate as tc

    # A subclass, because an SFrame itself has slots and takes no attributes.
    class RecordedSFrame(tc.SFrame):
        extractions: dict[str, Any] = {}
        # Turi Create's own code takes `SFrame` and no subclass; it asks for this, too.
        __class__ = property(lambda self: tc.SFrame)  # type: ignore[assignment]  # an object takes it

        def append(self, other):
            # Turi Create's own asks for the very type here.
            return super().append(other[:] if type(other) is RecordedSFrame else other)

        def __setitem__(self, key, value):
            super().__setitem__(key, value)
            self._forget([key] if isinstance(key, str) else key)

        def remove_column(self, column_name, inplace=False):
            self._forget([column_name] if inplace else ())
            return super().remove_column(column_name, inplace)

        def remove_columns(self, column_names, inplace=False):
            column_names = list(column_names)
            self._forget(column_names if inplace else ())
            return super().remove_columns(column_names, inplace)

        def rename(self, names, inplace=False):
            self._forget([*names, *names.values()] if inplace else ())
            return super().rename(names, inplace)

        def _forget(self, names):
            kept = self.extractions.items()
            self.extractions = {name: made for name, made in kept if name not in names}

    return RecordedSFrame


def write_sframes(folder: StrPath, **sframes: Any) -> None:
    """Write tables as subfolders of one folder, all of them or none.

    Parameters
    ----------
    folder : str or Path
        Replaced as a whole when everything has been written.
    **sframes : SFrame
        By the subfolder's name, for example `image_train_data=train`. What a table knows of
        its extractions is written beside it.

    Raises
    ------
    InputError
        When the disk may not hold them.
    """
    with atomic_folder(folder) as temporary:
        _check_room(folder, temporary, sframes.values())
        for name, sframe in sframes.items():
            sframe.save(str(temporary / name))
            if extractions_of(sframe):
                write_extractions(temporary / name, extractions_of(sframe))


def _check_room(folder, temporary, sframes):
    # Turi Create ends the whole process when it comes to the end of the disk.
    needed, free = sum(map(_most_bytes, sframes)), shutil.disk_usage(str(temporary)).free
    if needed > free:
        problem = f"up to {needed:,} bytes are to be written, and the disk has {free:,} left"
        raise InputError(f"{folder}: {problem}; make room, or name a folder on another disk")


def _most_bytes(sframe):
    """Return about how many bytes a table takes where none of it can be compressed."""
    import turicreate as tc

    total = 64 * len(sframe) * len(sframe.column_names())
    for name, kind in zip(sframe.column_names(), sframe.column_types()):
        if kind is array.array and len(sframe):
            total += 8 * len(sframe) * len(sframe[name][0])
        elif kind is tc.Image:
            total += sum(image._image_data_size for image in sframe[name])
    return total


def file_to_image(data: bytes) -> Any:
    """Return the bytes of a picture file as a Turi Create image.

    Parameters
    ----------
    data : bytes
        A picture that `image_retrieval.images.as_rgb` can read.

    Returns
    -------
    turicreate.Image
        A plain JPEG or PNG, gray or RGB, is kept as it is, which takes a tenth of the memory
        of its pixels; anything else becomes uncompressed RGB.
    """
    with open_picture(io.BytesIO(data), f"{len(data):,} bytes") as image:
        plain = image.getexif().get(_ORIENTATION, 1) == 1 and "transparency" not in image.info
        if image.format in _FILES and image.mode in ("L", "RGB") and plain:
            shape = (image.height, image.width, len(image.getbands()))
            return _turicreate_image(data, shape, _FILES[image.format])
    return pixels_to_image(as_rgb(data))


def pixels_to_image(pixels: Array) -> Any:
    """Return pixels, uint8 of shape (h, w, 3), as an uncompressed Turi Create image."""
    return _turicreate_image(pixels.tobytes(), pixels.shape, _RAW)


def _turicreate_image(data, shape, kind):
    import turicreate as tc

    sides = dict(zip(("_height", "_width", "_channels"), shape))
    return tc.Image(_image_data=data, _image_data_size=len(data), _format_enum=kind, **sides)


def _is_image_column(images):
    import turicreate as tc

    return isinstance(images, tc.SArray) and images.dtype == tc.Image


def _further_column(values):
    import turicreate as tc

    if isinstance(values, tc.SArray):
        return values
    if isinstance(values, np.ndarray):
        return vectors_to_sarray(values) if values.ndim == 2 else tc.SArray(values.tolist())
    return tc.SArray(list(values))


def _as_vector(value, row):
    wanted = "a feature column holds one vector of numbers per row"
    if value is None:
        raise InputError(f"row {row} is missing; {wanted}, drop such rows first")
    values = np.asarray(value)
    if values.ndim != 1 or not _is_numeric(values):
        raise InputError(f"row {row} holds {type(value).__name__}, not a vector; {wanted}")
    return values


def _is_numeric(values):
    return values.dtype.kind in "fiu"
