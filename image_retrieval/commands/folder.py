"""Build the course's data from a folder of your own pictures.

Each sub-folder is a label, and holds its pictures: cats/…, dogs/…. Pictures that cannot be
read are listed by name.
"""

from image_retrieval.datasets import pictures
from image_retrieval.datasets.build import how_to_use


def add_arguments(parser):
    """Declare the command's options."""
    parser.add_argument("folder", metavar="PATH", help="folder with a sub-folder for each label")
    parser.add_argument(
        "--output", metavar="FOLDER", required=True, help="folder to make, for example data/mine"
    )
    parser.add_argument(
        "--test-size",
        metavar="SHARE",
        type=float,
        default=pictures.TEST_SIZE,
        help="share of the pictures of each label kept for testing (default: %(default)s)",
    )
    parser.add_argument(
        "--max-side",
        metavar="PIXELS",
        type=int,
        default=pictures.MAX_SIDE,
        help="larger pictures are shrunk to this longest side (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=pictures.SEED,
        help="of the split (default: %(default)s)",
    )


def run(args):
    """Build the data and print what was built and what could not be read."""
    built, unreadable = pictures.build(
        args.folder, args.output, args.test_size, args.max_side, args.seed
    )
    print(built.report())
    if unreadable:
        print(pictures.list_unreadable(unreadable))
    print(f"Run the notebooks on it: {how_to_use(built.folder)}")
