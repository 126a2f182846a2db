"""Build the data of the second system from the real Caltech-101.

Nine classes, 3,079 pictures. The official archive is downloaded once (about 140 MB), or
taken from --archive. Older data is replaced only when the new is complete.
"""

from image_retrieval.datasets import caltech101, caltech101_build
from image_retrieval.datasets.build import how_to_use
from image_retrieval.datasets.pictures import SEED, TEST_SIZE, list_unreadable
from image_retrieval.features import backbones


def add_arguments(parser):
    """Declare the command's options."""
    parser.add_argument(
        "--archive",
        metavar="PATH",
        help="101_ObjectCategories.tar.gz, or the caltech-101.zip that holds it "
        "(default: download it)",
    )
    parser.add_argument(
        "--backbones",
        metavar="NAME",
        nargs="+",
        help=f"networks to extract features with, of {', '.join(backbones())} (default: "
        "efficientnet_lite0, and inception_v3 where its weights are)",
    )
    parser.add_argument(
        "--weights", metavar="PATH", help="file of Keras's weights for inception_v3"
    )
    parser.add_argument(
        "--test-size",
        metavar="SHARE",
        type=float,
        default=TEST_SIZE,
        help="share of the pictures of each label kept for testing (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=SEED, help="of the split (default: %(default)s)"
    )
    parser.add_argument(
        "--output", metavar="FOLDER", help="folder to make (default: data/caltech101)"
    )


def run(args):
    """Build the data and print what was built and what could not be read."""
    made = caltech101_build.build(
        args.archive, args.output, args.backbones, args.weights, args.test_size, args.seed
    )
    print(made.built.report())
    if made.unreadable:
        print(list_unreadable(made.unreadable))
    if made.note:
        print(made.note)
    how = how_to_use(made.built.folder, caltech101.VARIABLE, "caltech101")
    print(f"Run the notebooks on it: {how}")
