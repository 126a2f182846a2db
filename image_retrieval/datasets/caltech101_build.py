"""Building SFrames of nine Caltech-101 classes from the official archive.

The pictures stream from the archive into an SFrame and through the network, so that only
a few are in memory at a time. They are kept as the JPEG files they are.
"""

from collections import Counter
from functools import partial
from time import perf_counter
from typing import List, NamedTuple

from image_retrieval.datasets.build import Built, output_folder, take_rows
from image_retrieval.datasets.caltech101 import TEST, TRAIN
from image_retrieval.datasets.caltech101_archive import ZIP_MD5, foreign_hash, read_pictures
from image_retrieval.datasets.download import download
from image_retrieval.datasets.location import data_folder
from image_retrieval.datasets.pictures import SEED, TEST_SIZE, split_rows
from image_retrieval.errors import InputError
from image_retrieval.images import as_rgb
from image_retrieval.sframes import file_to_image, image_sframe, write_sframes

URL = "https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip"
DEFAULT_BACKBONE = "efficientnet_lite0"


class Caltech101Build(NamedTuple):
    """What `build` made.

    Attributes
    ----------
    built : Built
    unreadable : list of str
        A line for each picture that was left out, with its name and the reason.
    note : str or None
        A line about an archive that is not the official one.
    """

    built: Built
    unreadable: List[str]
    note: str


def fetch(progress=True):
    """Return the path of the official archive, downloaded if need be (about 140 MB).

    Raises
    ------
    DownloadError
        When it cannot be downloaded; what was there stays.
    """
    path = data_folder() / "downloads" / URL.rsplit("/", 1)[-1]
    way_out = "download it elsewhere and run `make caltech101 ARCHIVE=path`"
    return download(URL, path, ZIP_MD5, way_out, progress)


def default_backbones(weights=None):
    """Return the backbones that can run without a download: `inception_v3` where its weights are.

    Parameters
    ----------
    weights : str or Path, optional
        A file of weights for `inception_v3`.
    """
    from image_retrieval.features.inception_v3 import has_weights

    there = weights is not None or has_weights()
    return [DEFAULT_BACKBONE, "inception_v3"] if there else [DEFAULT_BACKBONE]


def build(
    archive=None,
    output=None,
    backbones=None,
    weights=None,
    test_size=TEST_SIZE,
    seed=SEED,
    progress=True,
):
    """Build `train/` and `test/` with a column of deep features for each backbone.

    Parameters
    ----------
    archive : str or Path, optional
        The official zip or tar.gz, or one of its layout; downloaded when not given.
    output : str or Path, optional
        Folder to make; `data/caltech101/` in the clone when not given.
    backbones : sequence of str, optional
        Names of `image_retrieval.features.backbones()`; `default_backbones()` when not given.
    weights : str or Path, optional
        A file of weights for `inception_v3`.
    test_size : float
        Share of each label's pictures that is kept for testing, between 0 and 1.
    seed : int
        Of the split.
    progress : bool
        Show progress bars on standard error.

    Returns
    -------
    Caltech101Build
        In the SFrames, `id` is the position of a picture's name among all names of the nine
        classes in alphabetical order. The rows keep the archive's order: sorting them would
        bring the pictures into memory.

    Raises
    ------
    InputError
        When the archive cannot be used, or an option is not valid.
    DownloadError
        When the archive or weights are to be downloaded and cannot be.
    """
    start = perf_counter()
    extractors = _extractors(backbones or default_backbones(weights), weights, progress)
    with output_folder(output or data_folder() / "caltech101", (TRAIN, TEST)) as folder:
        archive = archive or fetch(progress)
        sframe, unreadable, feature_seconds = _read(archive, extractors)
        labels = list(sframe["label"])
        rows = _split(list(sframe["id"]), labels, test_size, seed)
        train, test = (take_rows(sframe, chosen) for chosen in rows)
        write_sframes(folder, **{TRAIN: train, TEST: test})
    counts = [Counter(labels[row] for row in chosen) for chosen in rows]
    built = Built(folder, *counts, perf_counter() - start, feature_seconds)
    return Caltech101Build(built, unreadable, foreign_hash(archive))


def _split(ids, labels, test_size, seed):
    """Split rows so that the same pictures are chosen in whatever order they came."""
    order = sorted(range(len(ids)), key=ids.__getitem__)
    parts = split_rows([labels[row] for row in order], test_size, seed)
    return [[order[position] for position in part] for part in parts]


def _extractors(backbones, weights, progress):
    """Return an `extract` for each backbone, which has loaded its network already."""
    from image_retrieval.features import extract, get_backbone

    extractors = {}
    for name in backbones:
        get_backbone(name)
        options = {"weights": weights} if name == "inception_v3" else {}
        extractors[name] = partial(extract, extraction=name, progress=progress, **options)
        # Before the archive is downloaded: missing weights should not cost that wait.
        extractors[name]([])
    return extractors


def _read(archive, extractors):
    """Return the SFrame, a line for each picture left out, and the seconds this took."""
    start = perf_counter()
    reader = _Reader(archive)
    features = {}
    for name, extract in extractors.items():
        features[name] = extract(reader if not features else reader.again())
    if not reader.read:
        raise InputError(f"{archive}: none of its {len(reader.names)} files can be read")
    sframe = image_sframe(reader.ids(), reader.images(), reader.labels, **features)
    return sframe, reader.unreadable, perf_counter() - start


class _Reader:
    """Yields pictures one at a time, and keeps them as files in a column."""

    def __init__(self, archive):
        import turicreate as tc

        self.archive = archive
        self.names, self.labels, self.unreadable = [], [], []
        self.read = set()
        self._builder = tc.SArrayBuilder(dtype=tc.Image)

    def __iter__(self):
        for place, picture in enumerate(read_pictures(self.archive)):
            self.names.append(picture.name)
            try:
                pixels = as_rgb(picture.data)
            except InputError as error:
                self.unreadable.append(f"{picture.name}: {error}")
                continue
            self._builder.append(file_to_image(picture.data))
            self.read.add(place)
            self.labels.append(picture.label)
            yield pixels

    def again(self):
        """Yield the same pictures once more."""
        for place, picture in enumerate(read_pictures(self.archive)):
            if place in self.read:
                yield as_rgb(picture.data)

    def images(self):
        """Return the pictures as a column."""
        return self._builder.close()

    def ids(self):
        """Return the position of each readable picture's name in alphabetical order."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        rank = {place: position for position, place in enumerate(order)}
        return [rank[place] for place in sorted(self.read)]
