"""Build the course's data from the real CIFAR-10.

The official archive is downloaded once (170 MB), or taken from --archive. Older data is
replaced only when the new is complete.
"""

from image_retrieval.datasets import cifar10
from image_retrieval.datasets.build import how_to_use


def add_arguments(parser):
    """Declare the command's options."""
    parser.add_argument(
        "--archive", metavar="PATH", help="cifar-10-binary.tar.gz (default: download it)"
    )
    parser.add_argument(
        "--train",
        metavar="N",
        type=int,
        default=cifar10.TRAIN_ROWS,
        help="training images (default: %(default)s)",
    )
    parser.add_argument(
        "--test",
        metavar="N",
        type=int,
        default=cifar10.TEST_ROWS,
        help="test images (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=cifar10.SEED,
        help="of the choice of images (default: %(default)s)",
    )
    parser.add_argument("--output", metavar="FOLDER", help="folder to make (default: data/cifar10)")


def run(args):
    """Build the data and print what was built."""
    built = cifar10.build(args.archive, args.output, args.train, args.test, args.seed)
    print(built.report())
    print(f"Run the notebooks on it: {how_to_use(built.folder)}")
