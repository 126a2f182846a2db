"""Nine classes of Caltech-101: the photographs of the second system.

Citation: L. Fei-Fei, R. Fergus, P. Perona, "Learning Generative Visual Models from Few
Training Examples: An Incremental Bayesian Approach Tested on 101 Object Categories",
CVPR Workshop on Generative-Model Based Vision, 2004.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Iterator

from image_retrieval.datasets.caltech101_archive import read_pictures
from image_retrieval.datasets.cards import Card
from image_retrieval.datasets.splits import SHARE, by_share

if TYPE_CHECKING:
    from image_retrieval.datasets.cards import Picture
    from image_retrieval.signatures import StrPath

LABELS = tuple(
    "Faces Faces_easy Leopards Motorbikes airplanes brain butterfly car_side grand_piano".split()
)
VARIABLE = "IMAGE_RETRIEVAL_CALTECH101"


def read(archive: StrPath, options: Any) -> Iterator[Picture]:
    """Yield the pictures of the nine classes, see `read_pictures`.

    `Faces_easy` holds a close crop of each photograph in `Faces`, under the same number.
    """
    for picture in read_pictures(archive, options.labels):
        yield replace(picture, origin=picture.name.replace("Faces_easy/", "Faces/"))


_RESTORE = "git checkout -- caltech101_data"
_TITLE = "the bundled nine-class sample"
SAMPLE = Card("sample", _TITLE, "caltech101_data", _RESTORE, variable=VARIABLE, labels=LABELS)
CARD = Card(
    name="caltech101",
    title="real Caltech-101",
    restore="make caltech101",
    about="Build the data of notebooks 06 and 06b from the real Caltech-101.\n"
    "Nine classes, 3,079 pictures. The official archive is downloaded once (about 140 MB), or "
    "taken from --archive: 101_ObjectCategories.tar.gz, or the caltech-101.zip that holds it.",
    read=read,
    split=by_share,
    options=SHARE,
    seed=42,
    url="https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
    md5="3138e1922a9193bfa496528edbbc45d0",
    other_md5=("b224c7392d521a49829488ab0f1120d9",),
    effort="a download of 140 MB and about a minute of work",
    variable=VARIABLE,
    sample=SAMPLE,
    labels=LABELS,
    former_folders=("train", "test"),
)
