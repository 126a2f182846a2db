"""The commands that build a data set, one for each card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_retrieval import datasets
from image_retrieval.datasets.cards import Option
from image_retrieval.errors import InputError
from image_retrieval.features import as_extraction, backbones, join

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from image_retrieval.datasets.cards import Card
    from image_retrieval.signatures import AnyExtraction, How


def add_arguments(card: Card, parser: ArgumentParser) -> None:
    """Declare the command's options: those of all data sets, and the card's own."""
    add = parser.add_argument
    if card.source == "folder":
        add("source", metavar="PATH", help="folder with a subfolder of pictures for each label")
    else:
        add("--archive", dest="source", metavar="PATH", help="archive (default: download it)")
    add("--output", metavar="FOLDER", help=f"folder to make (default: data/{card.name})")
    seed = Option(card.seed, "random seed for choosing pictures")
    for name, option in {**card.options, "seed": seed}.items():
        given = {"type": type(option.default), "default": option.default, "metavar": "N"}
        text = f"{option.help} (default: %(default)s)"
        add(f"--{name.replace('_', '-')}", help=text, **given)
    add_how(parser)
    add("--recipe", action="store_true", help="post-process by root, L2, centering, L2")
    add("--weights", metavar="PATH", help="weights file for the backbone")


def add_how(parser: ArgumentParser) -> None:
    """Declare the options that say how features are made."""
    add = parser.add_argument
    how = f"{', '.join(backbones())}, or a TOML file; separate several with commas"
    add("--backbone", metavar="NAME[:SIZE]", help=f"network that makes the features: {how}")
    add("--size", metavar="PIXELS", type=int, help="side of the square pictures are stretched to")
    add("--flip", action="store_true", help="average features with those of the mirror image")


def examples(card: Card) -> list[str]:
    """Return what may follow the command's name."""
    given = "path/to/pictures --output data/mine" if card.source == "folder" else ""
    return [given or "--backbone efficientnet_lite0:128"]


def run(card: Card, args: Namespace) -> None:
    """Build the data and print what was built and what could not be read."""
    options = {name: getattr(args, name) for name in ("seed", *card.options)}
    how = extraction_of(card.extraction, args.backbone, args.size, args.flip)
    made = datasets.build(card, args.source, args.output, how, args.recipe, args.weights, **options)
    print(made.report())


def extraction_from(args: Namespace) -> AnyExtraction | None:
    """Return the extraction that the options of `add_how` ask for; None for no wish."""
    asked = args.backbone or args.size is not None or args.flip
    return extraction_of(None, args.backbone, args.size, args.flip) if asked else None


def extraction_of(
    usual: How | None,
    names: str | None,
    size: int | None = None,
    flip: bool = False,
) -> AnyExtraction:
    """Return the extraction that `NAME` or `NAME:SIZE` stands for, or several with commas between.

    Examples
    --------
    >>> str(extraction_of(None, "efficientnet_lite0:128,pixels"))
    'efficientnet_lite0 at 128 px + pixels at 32 px'
    """
    changes: dict[str, Any] = {
        **({} if size is None else {"size": size}),
        **({"flip": True} if flip else {}),
    }
    if not names:
        return as_extraction(usual, **changes)
    return join(_part(name.strip(), changes) for name in names.split(","))


def _part(named, changes):
    name, _, size = named.partition(":")
    if size and not size.isdecimal():
        raise InputError(f"--backbone {named}: the size must be a whole number of pixels")
    return as_extraction(name, **{**changes, **({"size": int(size)} if size else {})})
