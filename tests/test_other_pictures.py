"""Every notebook, and every answer in it, runs on somebody's own pictures, too."""

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell
from PIL import Image, ImageDraw

from conftest import ROOT, lacking
from image_retrieval import datasets
from image_retrieval.cli import main
from tools.notebooks import answers, execute
from tools.sample.compose import Placement, picture

pytestmark = pytest.mark.long

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Labels that no notebook knows, in unequal numbers: as few as a person may have.
COUNTS = {"a boat, $2": 10, "moon": 23}
CUT = 64


def drawing(label):
    """Return a boat or a moon on nothing."""
    cut = Image.new("RGBA", (CUT, CUT))
    draw = ImageDraw.Draw(cut)
    if label == "moon":
        draw.ellipse((4, 4, 60, 60), fill=(240, 230, 190))
        draw.ellipse((30, 12, 42, 24), fill=(200, 190, 150))
    else:
        draw.polygon([(4, 40), (60, 40), (48, 60), (16, 60)], fill=(120, 60, 30))
        draw.polygon([(30, 4), (30, 36), (56, 36)], fill=(250, 250, 250))
    return cut


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory):
    """A folder of data, built from drawn pictures of all sizes as a user would build it."""
    folder, random = tmp_path_factory.mktemp("own"), np.random.RandomState(0)
    for label, count in COUNTS.items():
        (folder / "pictures" / label).mkdir(parents=True)
        for number in range(count):
            width, height = random.randint(20, 200, 2).tolist()
            pixels = picture(random, drawing(label), width, height, Placement())
            image = Image.fromarray(pixels).convert("L" if number % 5 == 4 else "RGB")
            image.save(str(folder / "pictures" / label / f"{number}.png"))
    arguments = ["folder", str(folder / "pictures"), "--output", str(folder / "mine")]
    assert main(arguments) == 0
    return folder / "mine"


def test_the_folder_is_unlike_the_course(own_folder):
    train, test = datasets.load(str(own_folder))
    assert set(train["label"]) == set(test["label"]) == set(COUNTS)
    assert (len(train), len(test)) == (23, 10)
    assert len({(image.width, image.height) for image in train["image"]}) == 23
    labels = list(train["label"])
    assert labels not in (sorted(labels), sorted(labels, reverse=True))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_notebook_and_its_answers_run_on_it(path, own_folder, monkeypatch):
    if lacking(path.stem):
        pytest.skip(lacking(path.stem))
    for name in ("IMAGE_RETRIEVAL_DATA", "IMAGE_RETRIEVAL_CALTECH101"):
        monkeypatch.setenv(name, str(own_folder))
    notebook = nbformat.read(str(path), as_version=4)
    notebook.cells += [new_code_cell(code) for code in answers(notebook)]
    execute(notebook, path.parent)
    printed = str([cell.get("outputs") for cell in notebook.cells])
    assert "Data: the folder mine, 23 training and 10 test images" in printed
