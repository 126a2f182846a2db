import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from image_retrieval.datasets import load, locate, location
from image_retrieval.datasets.cards import TEST, TRAIN
from image_retrieval.errors import InputError
from image_retrieval.sframes import image_sframe, write_sframes

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder that the package takes for its clone, with a sample of its own."""
    root = tmp_path / "clone"
    root.mkdir()
    (root / "notebooks").mkdir()
    make_data(root / "sample")
    for name in (TRAIN, TEST):
        (root / "sample" / name).rename(root / name)
    (root / "sample").rmdir()
    monkeypatch.setattr(location, "repository_root", lambda: root)
    monkeypatch.delenv("IMAGE_RETRIEVAL_DATA", raising=False)
    monkeypatch.chdir(root / "notebooks")
    return root


def make_data(folder, rows=3, **columns):
    pixels = np.zeros((rows, 4, 4, 3), np.uint8)
    columns = {"deep_features": np.ones((rows, 2)), **columns}
    table = image_sframe(range(rows), pixels, ["cat"] * rows, **columns)
    write_sframes(folder, **{TRAIN: table, TEST: table[:2]})
    return folder


def test_unset_means_the_real_data_once_it_is_built(clone):
    assert locate().name == "sample"
    make_data(clone / "data" / "cifar10", rows=5)
    assert locate().name == "cifar10"
    assert locate().train == clone / "data" / "cifar10" / "image_train_data"
    assert [len(sframe) for sframe in load()] == [5, 2]


def test_the_variable_and_the_argument_choose(clone, monkeypatch):
    make_data(clone / "data" / "cifar10")
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", "sample")
    assert locate().folder == clone
    assert locate("cifar10").folder == clone / "data" / "cifar10"
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", "")
    assert locate().name == "cifar10"


@pytest.mark.parametrize("asked", ["data/mine", "../data/mine", "absolute"])
def test_a_folder_is_found_from_the_notebooks_and_from_the_clone(clone, monkeypatch, asked):
    folder = make_data(clone / "data" / "mine")
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", str(folder) if asked == "absolute" else asked)
    assert locate().folder == folder.resolve()
    assert locate().name == "mine"


def test_the_description_names_the_data_and_no_path(clone):
    make_data(clone / "data" / "cifar10", rows=1200)
    make_data(clone / "data" / "mine")
    assert [locate(name).description for name in ("sample", "cifar10", "data/mine")] == [
        "Data: the bundled sample, 3 training and 2 test images",
        "Data: real CIFAR-10, 1,200 training and 2 test images",
        "Data: the folder mine, 3 training and 2 test images",
    ]


def test_data_set_aside_by_a_killed_build_is_brought_back(clone):
    folder = make_data(clone / "data" / "cifar10")
    folder.rename(folder.with_name(".cifar10.old"))
    assert locate().name == "cifar10"
    mine = make_data(clone / "mine")
    mine.rename(mine.with_name(".mine.old"))
    assert len(load("mine")[0]) == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "cifar100",
            "IMAGE_RETRIEVAL_DATA='cifar100' does not name a data set; give 'sample', 'cifar10'",
        ),
        ("Sample", "IMAGE_RETRIEVAL_DATA='Sample' does not name a data set"),
        ("empty", "IMAGE_RETRIEVAL_DATA='empty' has no image_train_data/ in it"),
        ("half", "IMAGE_RETRIEVAL_DATA='half' has no image_test_data/ in it"),
        ("file", "IMAGE_RETRIEVAL_DATA='file' does not name a data set"),
        (
            "cifar10",
            "get it with `make cifar10`, or choose the bundled sample with IMAGE_RETRIEVAL_DATA=s",
        ),
    ],
)
def test_each_bad_value_gets_one_line(clone, monkeypatch, asked, message):
    (clone / "empty").mkdir()
    (clone / "half" / "image_train_data").mkdir(parents=True)
    (clone / "file").write_text("x")
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", asked)
    with pytest.raises(InputError, match=message) as caught:
        locate()
    assert "\n" not in str(caught.value)


def test_a_missing_sample_says_how_to_get_it_back(clone):
    shutil.rmtree(clone / "image_test_data")
    with pytest.raises(InputError, match="git checkout -- image_train_data image_test_data"):
        locate("sample")


def test_data_that_cannot_be_used_is_named(clone):
    folder = make_data(clone / "mine")
    (folder / "image_train_data" / "dir_archive.ini").write_text("damaged")
    with pytest.raises(InputError, match="image_train_data cannot be opened") as caught:
        load("mine")
    assert "\n" not in str(caught.value)
    table = image_sframe([1], np.zeros((1, 4, 4, 3), np.uint8), ["cat"])
    write_sframes(folder, **{TRAIN: table, TEST: table})
    with pytest.raises(InputError, match="has no column 'deep_features'"):
        load("mine")


def test_a_package_outside_a_clone_says_so(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "image_retrieval"
    shutil.copytree(str(ROOT / "image_retrieval"), str(package))
    code = (
        "from image_retrieval.datasets import locate\n"
        "try: locate()\n"
        "except ValueError as error: print(error)"
    )
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    environment.pop("IMAGE_RETRIEVAL_DATA")
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=str(tmp_path), env=environment, stdout=subprocess.PIPE
    )
    assert b"site-packages, which is not a clone of the course" in run.stdout


def test_the_package_finds_its_own_clone():
    assert location.repository_root() == ROOT
