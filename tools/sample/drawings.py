"""The drawings: installing, rendering and sharing them out between train and test.

Two lists name every drawing used, by label and by Iconify set; each was looked at.
The packages come from the npm registry at the versions of `package-lock.json`.
"""

import json
import shutil
import subprocess
from pathlib import Path

from PIL import Image

from image_retrieval.errors import InputError

HERE = Path(__file__).parent
CIFAR = HERE / "drawings.json"
CALTECH101 = HERE / "caltech101_drawings.json"
# Drawings made for this project, in the folder of that name.
OWN = "own"
TEST_SHARE = 0.3
# The same drawings, once shaded and once flat: both go to the same side.
_TWINS = {"fluent-emoji-flat": "fluent-emoji"}


def listed(path=CIFAR):
    """Return {label: [(set, name), ...]} in a fixed order."""
    by_label = json.loads(Path(path).read_text(encoding="utf-8"))
    return {
        label: [(name_of_set, name) for name_of_set in sorted(sets) for name in sets[name_of_set]]
        for label, sets in by_label.items()
    }


def render(work, path=CIFAR):
    """Install the packages in `work`, render the listed drawings, return their folder."""
    work.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(str(HERE / name), str(work / name))
    _run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], work)
    output = work / "drawings"
    _run(["node", str(HERE / "render.js"), ".", str(path), str(output)], work)
    return output


def load(folder, drawing):
    """Return a rendered drawing as an RGBA image."""
    with Image.open(folder / "{}__{}.png".format(*drawing)) as image:
        return image.convert("RGBA")


def split(random, drawings, test_share=TEST_SHARE):
    """Share drawings out so that none is on both sides, nor its twin of another set.

    Parameters
    ----------
    random : numpy.random.RandomState
    drawings : list of (set, name)
    test_share : float

    Returns
    -------
    train, test : list of (set, name)
    """
    groups = sorted({_group(drawing) for drawing in drawings})
    random.shuffle(groups)
    of_test = set(groups[: round(test_share * len(groups))])
    train = [drawing for drawing in drawings if _group(drawing) not in of_test]
    return train, [drawing for drawing in drawings if _group(drawing) in of_test]


def origin(drawing):
    """Return a name for a drawing, the same for its twin of another set."""
    return "/".join(_group(drawing))


def _group(drawing):
    name_of_set, name = drawing
    return _TWINS.get(name_of_set, name_of_set), name


def _run(command, folder):
    try:
        subprocess.run(command, cwd=str(folder), check=True)
    except FileNotFoundError:
        raise InputError(
            f"`{command[0]}` was not found; drawing the sample needs Node.js 18 or later with npm"
        ) from None
    except subprocess.CalledProcessError as error:
        raise InputError(
            f"`{command[0]}` ended with exit code {error.returncode}; see above"
        ) from None
