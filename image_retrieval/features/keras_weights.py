"""Reading the weights in a Keras HDF5 file, and nothing else that such a file can hold.

HDF5 can point into other files, promise arrays far larger than itself, and load code to
decompress them. Only arrays that lie in the file as they are, under hard links, are read, and
no more of them than the file has bytes.
"""

from __future__ import annotations

import re
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

import h5py
import numpy as np

from image_retrieval.errors import InputError, one_line

if TYPE_CHECKING:
    from image_retrieval.signatures import StrPath

_MAX_NAMES, _MAX_NAME, _MAX_TEXTS = 1000, 200, 1 << 17
# Texts of any length lie in global heaps, each with its size in bytes after this.
_TEXTS = re.compile(rb"GCOL\x01\0\0\0(.{8})", re.DOTALL)
# What h5py raises on damaged files, and Python on names that are none.
_DAMAGED = (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError)


def read_keras_weights(path: StrPath, way_out: str) -> Mapping[str, Any]:
    """Read the weights that `model.save_weights("….h5")` wrote with `tf.keras`.

    Parameters
    ----------
    path : str or Path
    way_out : str
        What to do where the file cannot be used; ends the error message.

    Returns
    -------
    dict of str to dict of str to ndarray of float32
        By layer, in the file's order and without the layers that have none; within a layer
        by the last part of a weight's name, such as `kernel`.

    Raises
    ------
    InputError
        When the file is damaged, has another layout, or holds anything but plain arrays.

    Notes
    -----
    Source of the layout: `keras/src/saving/legacy/hdf5_format.py` of Keras 2.
    """
    try:
        _check_texts(path)
        with h5py.File(str(path), "r") as file:
            budget = Path(path).stat().st_size
            layers = {name: _layer(file, name) for name in _names(file, "layer_names")}
            if sum(node.nbytes for found in layers.values() for node in found.values()) > budget:
                raise ValueError("its arrays are larger than the file")
            values = {name: _values(found) for name, found in layers.items()}
    except _DAMAGED as error:
        reason = f"no weights as Keras writes them ({one_line(error)})"
        raise InputError(f"{path}: {reason}; {way_out}") from None
    return {name: found for name, found in values.items() if found}


def _check_texts(path):
    """Refuse texts so long that a thousand references to one would fill the memory."""
    with Path(path).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        sizes = [int.from_bytes(found[1], "little") for found in _TEXTS.finditer(data)]
    if max(sizes, default=0) > _MAX_TEXTS:
        raise ValueError("its names are too long")


def _names(node, attribute):
    if attribute not in node.attrs:
        raise ValueError(f"no {attribute} in {node.name}")
    held = node.attrs.get_id(attribute)
    if held.shape == (0,):
        return []
    is_text = h5py.check_string_dtype(held.dtype) and held.dtype.itemsize <= _MAX_NAME
    if not is_text or len(held.shape) != 1 or held.shape[0] > _MAX_NAMES:
        raise ValueError(f"{attribute} in {node.name} is not a list of names")
    # h5py gives bytes or text, depending on how they are kept.
    names = node.attrs[attribute].tolist()
    return [name.decode("utf-8") if isinstance(name, bytes) else name for name in names]


def _layer(file, name):
    group = _linked(file, name)
    names = _names(group, "weight_names")
    return {name.rsplit("/", 1)[-1].split(":")[0]: _array(group, name) for name in names}


def _array(group, name):
    node = group
    for part in name.split("/"):
        node = _linked(node, part)
    if not isinstance(node, h5py.Dataset) or node.dtype.kind != "f" or node.shape is None:
        raise ValueError(f"{name} is not an array of numbers")
    if node.is_virtual or node.external or node.id.get_create_plist().get_nfilters():
        raise ValueError(f"{name} does not lie in the file as it is")
    return node


def _linked(group, name):
    if not hasattr(group, "keys") or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"no {name[:_MAX_NAME]!r} in {group.name} by a hard link")
    return group[name]


def _values(found):
    values = {part: node[()].astype(np.float32) for part, node in found.items()}
    if not all(np.isfinite(array).all() for array in values.values()):
        raise ValueError("numbers that are not finite")
    return values
