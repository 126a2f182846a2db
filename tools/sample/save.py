"""Saving an SFrame under file names that do not change from one save to the next."""

import re

from image_retrieval.features import write_extractions
from image_retrieval.files import atomic_folder
from image_retrieval.tables import extractions_of

_PREFIX = re.compile(r"\bm_[0-9a-f]{1,16}\b")
_FIXED = "m_0"


def save_sframe(sframe, folder):
    """Save an SFrame whole or not at all, with a fixed prefix in place of a random one.

    Turi Create begins the names of an SFrame's files with a random number. A fixed one
    keeps a rebuilt sample from looking like all new files.

    Parameters
    ----------
    sframe : turicreate.SFrame
        What it knows of its extractions is written beside it.
    folder : str or Path
    """
    with atomic_folder(folder) as temporary:
        sframe.save(str(temporary))
        if extractions_of(sframe):
            write_extractions(temporary, extractions_of(sframe))
        for path in sorted(temporary.iterdir()):
            if path.suffix in (".ini", ".frame_idx", ".sidx"):
                text = path.read_bytes().decode("utf-8")
                path.write_bytes(_PREFIX.sub(_FIXED, text).encode("utf-8"))
            path.rename(path.with_name(_PREFIX.sub(_FIXED, path.name)))
