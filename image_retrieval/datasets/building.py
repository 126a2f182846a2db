"""The one road from an archive or a folder to a pair of SFrames: read, split, extract, write.

Pictures stream from their source into a column, and from there through the network, so that
only a few are in memory at a time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from time import perf_counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from image_retrieval import features, sframes
from image_retrieval.datasets.cards import COLUMNS, FOLDERS, Card, Listing
from image_retrieval.datasets.location import data_folder, place_of, repository_root
from image_retrieval.datasets.registry import get_card
from image_retrieval.datasets.rows import take_rows
from image_retrieval.download import download
from image_retrieval.errors import InputError, printable
from image_retrieval.files import exclusive
from image_retrieval.images import as_rgb, shrink
from image_retrieval.tables import column_names, extractions_of

if TYPE_CHECKING:
    from image_retrieval.signatures import How, StrPath

# What the original tables' `image_array` holds: the pixels of 32x32.
PIXELS = features.Extraction("pixels", size=32)


@dataclass(frozen=True)
class Built:
    """What `build` made.

    Attributes
    ----------
    card : Card
    folder : Path
    extraction : Extraction or JoinedExtraction
        How `deep_features` was made.
    train, test : collections.Counter
        Rows by label.
    seconds, feature_seconds : float
        For everything, and for the deep features alone.
    unreadable : tuple of str
        A line for each picture that was left out, with its name and the reason.
    notes : tuple of str
        Lines on the choice of rows and on the archive.
    """

    card: Card
    folder: Path
    extraction: object
    train: Counter
    test: Counter
    seconds: float
    feature_seconds: float
    unreadable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def report(self) -> str:
        """Return what was made, what was left out, and how to go on, as lines to print."""
        return "\n".join(map(printable, self._lines()))

    def _lines(self):
        rows = sum(self.train.values()), sum(self.test.values())
        rate = sum(rows) / self.feature_seconds
        labels = sorted({*self.train, *self.test})
        width = max(map(len, ["label", *labels]))
        made = f"{rows[0]:,} training and {rows[1]:,} test images in {self.seconds:.1f} s"
        yield f"{_short(self.folder)}: {made} ({rate:,.1f} images per second for the features)"
        yield f"  {'label':<{width}}  {'train':>7} {'test':>7}"
        for label in labels:
            yield f"  {label:<{width}}  {self.train[label]:>7,} {self.test[label]:>7,}"
        yield f"Features: {self.extraction}."
        if self.unreadable:
            yield f"Left out, as no readable pictures: {len(self.unreadable)}"
        yield from (f"  {line}" for line in self.unreadable)
        yield from self.notes
        yield f"Run the notebooks on it: {how_to_use(self.folder, self.card)}"


def build(
    dataset: str | Card,
    source: StrPath | None = None,
    output: StrPath | None = None,
    extraction: How | None = None,
    recipe: bool = False,
    weights: StrPath | None = None,
    progress: bool = True,
    **options: Any,
) -> Built:
    """Build `image_train_data/` and `image_test_data/` of a data set.

    Parameters
    ----------
    dataset : str or Card
        `"cifar10"`, `"caltech101"`, or `"folder"` for pictures of one's own.
    source : str or Path, optional
        The official archive, or one of its layout; downloaded when not given. For `"folder"`,
        the folder with a subfolder of pictures for each label.
    output : str or Path, optional
        Folder to make: new, empty, or an older build, which is replaced when the new one is
        complete. `data/` and the data set's name in the clone when not given.
    extraction : Extraction, JoinedExtraction or str, optional
        How `deep_features` is made; the data set's own when not given.
    recipe : bool
        Post-process the features by a recipe that is fitted on the training images.
    weights : str or Path, optional
        File of weights in place of the backbone's usual one.
    progress : bool
        Show progress bars on standard error.
    **options
        `seed`, and those of the data set's card, such as `train` and `test` of `"cifar10"`,
        and `test_size` of the others.

    Returns
    -------
    Built
        What was made; `print(built.report())` shows it.

    Raises
    ------
    InputError
        When the source cannot be used, or an option is not valid.
    DownloadError
        When the archive or weights are to be downloaded and cannot be.
    """
    start, card = perf_counter(), get_card(dataset)
    options = _checked_options(card, options)
    extraction = _ready(card, extraction, weights)
    folder = Path(output or place_of(card))
    _refuse_other_folder(folder, card)
    with exclusive(folder):
        source = source or fetch(card, progress)
        made = make(card, source, options, extraction, recipe, weights, progress)
        tables, feature_seconds, unreadable, notes = made
        sframes.write_sframes(folder, **dict(zip(FOLDERS, tables)))
    counts = [Counter(table["label"]) for table in tables]
    how = extractions_of(tables[0])["deep_features"]
    lines = tuple(unreadable), (*notes, *_foreign(card, source))
    facts: Any = (*counts, perf_counter() - start, feature_seconds, *lines)
    return Built(card, folder, how, *facts)


def make(
    card: Card,
    source: StrPath,
    options: Any,
    extraction: Any,
    recipe: bool = False,
    weights: StrPath | None = None,
    progress: bool = True,
) -> tuple[Any, float, list[str], list[str]]:
    """Read a source, split it and extract the features; write nothing.

    Returns
    -------
    tables : list of two turicreate.SFrame
        The training and the test images; they know their extractions.
    feature_seconds : float
    unreadable, notes : list of str
        See `Built`.
    """
    listing, images, unreadable = _read(card, source, options)
    split = card.split(listing, options)
    origins = {"origin": listing.origins} if any(listing.origins) else {}
    table = sframes.image_sframe(listing.ids, images, listing.labels, **origins)
    tables = [take_rows(table, rows) for rows in (split.train, split.test)]
    start = perf_counter()
    images = [part["image"] for part in tables]
    deep, how = _features(images, extraction, recipe, weights, progress)
    seconds = perf_counter() - start
    tables = [_finished(how, *part) for part in zip(tables, deep)]
    return tables, seconds, unreadable, [split.note] * bool(split.note)


def _finished(how, sframe, X):
    pixels = features.extract(sframe["image"], PIXELS, progress=False)
    sframe["deep_features"], sframe["image_array"] = map(sframes.vectors_to_sarray, (X, pixels))
    names = [*COLUMNS, *({"origin"} & set(column_names(sframe)))]
    return sframes.with_extractions(sframe[names], {"deep_features": how, "image_array": PIXELS})


def _read(card, source, options):
    """Return a `Listing`, its images as a column, and a line for each unreadable picture."""
    import turicreate as tc

    builder, found, names, unreadable = tc.SArrayBuilder(dtype=tc.Image), [], [], []
    for picture in card.read(source, options):
        names.append(picture.name)
        try:
            builder.append(_stored(picture.data, getattr(options, "max_side", None)))
        except InputError as error:
            # A file's path stands in the error already.
            unreadable.append(f"{picture.name}: {error}" if picture.name else str(error))
            continue
        found.append(replace(picture, data=None))
    if not found:
        raise InputError(f"{source}: none of the {len(names)} files is a picture")
    ids = _ids(found, names)
    columns = [[getattr(p, name) for p in found] for name in ("label", "part", "origin")]
    labels, parts, origins = map(np.array, columns)
    order = np.lexsort([ids, parts])
    images = take_rows(tc.SFrame({"image": builder.close()}), order)["image"]
    return Listing(ids[order], labels[order], parts[order], origins[order]), images, unreadable


def _ids(found, names):
    rank = {name: position for position, name in enumerate(sorted(names))}
    return np.array([rank[p.name] if p.id is None else p.id for p in found])


def _stored(data, max_side):
    pixels = as_rgb(data)
    if isinstance(data, bytes):
        return sframes.file_to_image(data)
    return sframes.pixels_to_image(shrink(pixels, max_side or max(pixels.shape)))


def _features(columns, extraction, recipe, weights, progress):
    """Return the features of the training and the test images, and how they were made."""
    sides: tuple[list[Any], list[Any]] = ([], [])
    parts: list[Any] = []
    for part in extraction.parts:
        raw = [features.extract(c, part, weights=weights, progress=progress) for c in columns]
        parts.append(part.fitted(raw[0]) if recipe else part)
        for side, X in zip(sides, raw):
            side.append(parts[-1].finished(X))
    return [np.concatenate(side, axis=1) for side in sides], features.join(parts)


def fetch(card: Card, progress: bool = True) -> Path:
    """Return the path of the official archive, downloaded if need be.

    Raises
    ------
    InputError
        When there is no place to get it from.
    DownloadError
        When it cannot be downloaded; what was there stays.
    """
    if card.url is None:
        raise InputError(f"{card.name} has no official archive; give the {card.source} to read")
    path = data_folder() / "downloads" / card.url.rsplit("/", 1)[-1]
    option = " ARCHIVE=path" if card.command.startswith("make") else " --archive path"
    way_out = f"download it elsewhere and run `{card.command}{option}`"
    return download(card.url, path, str(card.md5), way_out, progress)


def _checked_options(card, given):
    known = {"seed": card.seed, **{name: option.default for name, option in card.options.items()}}
    for name in given:
        if name not in known:
            raise InputError(f"{card.name} has no option {name!r}; it has {', '.join(known)}")
    options = SimpleNamespace(**{"max_side": None, **known, **given, "labels": card.labels})
    if not 0 <= options.seed < 2**32:
        raise InputError(f"seed={options.seed} must be at least 0 and less than 2**32")
    if options.max_side is not None and options.max_side < 1:
        raise InputError(f"max_side={options.max_side} must be at least 1 pixel")
    return options


def _ready(card, extraction, weights):
    how = features.as_extraction(extraction or card.extraction)
    if weights is not None and len(how.parts) > 1:
        raise InputError(f"weights={str(weights)!r} fit one backbone, not {how}; leave them out")
    how = features.identified(how, weights)
    # Before the archive is downloaded: missing weights should not cost that wait.
    features.extract([], how, weights=weights, progress=False)
    return how


def _foreign(card, source):
    """Yield a line that says so when an archive is not an official one."""
    if card.url is None:
        return
    import pooch

    found, official = pooch.file_hash(str(source), "md5"), card.url.rsplit("/", 1)[-1]
    if found not in (card.md5, *card.other_md5):
        note = f"note: {Path(source).name} has MD5 {found}, so it is not the official {official}"
        yield f"{note}; it was used as it is"


def _refuse_other_folder(folder, card):
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder that is new or an older build")
    # macOS leaves .DS_Store in every folder that was looked at.
    known = (*FOLDERS, *card.former_folders, ".DS_Store")
    others = sorted(entry.name for entry in folder.glob("*") if entry.name not in known)
    if others:
        way_out = "name a folder that is new, empty, or an older build"
        raise InputError(f"{folder} holds {others[0]!r}, which would be lost; {way_out}")


def how_to_use(folder: Path, card: Card) -> str:
    """Return the command that runs the notebooks on a folder that was built.

    Examples
    --------
    >>> how_to_use(data_folder() / "cifar10", get_card("cifar10"))
    'IMAGE_RETRIEVAL_DATA=cifar10 make run'
    """
    folder = Path(folder).resolve()
    name = card.name if folder == place_of(card).resolve() else _short(folder)
    return f"{card.variable}={quote(name)} make run"


def _short(folder):
    root = repository_root()
    return folder.relative_to(root).as_posix() if root in folder.parents else str(folder)
