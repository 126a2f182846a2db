"""The commands that build a data set, one for each card."""

from image_retrieval import datasets
from image_retrieval.errors import InputError
from image_retrieval.features import as_extraction, backbones, join


def add_arguments(card, parser):
    """Declare the command's options: those of all data sets, and the card's own."""
    if card.source == "folder":
        parser.add_argument("source", metavar="PATH", help="folder with a folder for each label")
    else:
        parser.add_argument(
            "--archive", dest="source", metavar="PATH", help="the archive (default: download it)"
        )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        required=card.source == "folder",
        help="folder to make, for example data/mine"
        if card.source == "folder"
        else f"folder to make (default: data/{card.name})",
    )
    for name, option in card.options.items():
        _add_number(parser, name, option.default, option.help)
    _add_number(parser, "seed", card.seed, "of the choice of pictures")
    _add_extraction(card, parser)


def _add_number(parser, name, default, text):
    kind = type(default)
    parser.add_argument(
        f"--{name.replace('_', '-')}",
        metavar="SHARE" if kind is float else "N",
        type=kind,
        default=default,
        help=f"{text} (default: %(default)s)",
    )


def _add_extraction(card, parser):
    parser.add_argument(
        "--backbone",
        metavar="NAME[:SIZE]",
        help=f"what to make features with, of {', '.join(backbones())}; several, with commas "
        f"between, stand side by side, best with --recipe "
        f"(default: {card.extraction or backbones()[0]})",
    )
    parser.add_argument(
        "--size", metavar="PIXELS", type=int, help="side of the square pictures are stretched to"
    )
    parser.add_argument("--flip", action="store_true", help="average with the mirror images")
    parser.add_argument(
        "--recipe",
        action="store_true",
        help="post-process the features: square root, L2, centering, L2",
    )
    parser.add_argument("--weights", metavar="PATH", help="file of weights for the backbone")


def run(card, args):
    """Build the data and print what was built and what could not be read."""
    options = {name: getattr(args, name) for name in ("seed", *card.options)}
    how = extraction_of(card, args.backbone, args.size, args.flip)
    made = datasets.build(card, args.source, args.output, how, args.recipe, args.weights, **options)
    print(made.report())


def extraction_of(card, names, size=None, flip=False):
    """Return the extraction that `NAME` or `NAME:SIZE` stands for, or several with commas between.

    Examples
    --------
    >>> from image_retrieval.datasets.registry import get_card
    >>> str(extraction_of(get_card("cifar10"), "efficientnet_lite0:128,pixels"))
    'efficientnet_lite0 at 128 px + pixels at 32 px'
    """
    changes = {**({} if size is None else {"size": size}), **({"flip": True} if flip else {})}
    if not names:
        return as_extraction(card.extraction, **changes)
    return join(_part(name.strip(), changes) for name in names.split(","))


def _part(named, changes):
    name, _, size = named.partition(":")
    if size and not size.isdecimal():
        raise InputError(f"--backbone {named}: the size must be a whole number of pixels")
    return as_extraction(name, **{**changes, **({"size": int(size)} if size else {})})
