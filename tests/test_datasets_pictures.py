import numpy as np
import pytest
from cifar10_archives import stub_features
from PIL import Image

from image_retrieval.datasets import load
from image_retrieval.datasets.pictures import build, from_folder, read_folder, split_rows
from image_retrieval.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Ten pictures of two labels, each of one gray value, and what lies about beside them."""
    root = tmp_path / "my pictures"
    for number in range(1, 8):
        save(root / "cats" / f"IMG_{number * 5}.png", number)
    for number in range(3):
        save(root / "dogs" / "holiday" / f"{number}.jpg", 100 + number)
    (root / "cats" / ".DS_Store").write_bytes(b"x")
    (root / "dogs" / "Thumbs.db").write_bytes(b"x")
    return root


def save(path, gray, size=(8, 6)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, gray).save(path)


def damage(folder):
    (folder / "cats" / "notes.txt").write_text("meow")
    whole = folder / "cats" / "IMG_5.png"
    (folder / "dogs" / "cut.png").write_bytes(whole.read_bytes()[:40])


def test_labels_are_sub_folders_and_order_is_natural(folder):
    sframe = from_folder(folder)
    assert sframe.column_names() == ["id", "image", "label"]
    assert list(sframe["id"]) == list(range(10))
    assert list(sframe["label"]) == ["cats"] * 7 + ["dogs"] * 3
    # IMG_5, IMG_10, IMG_15 …, where an alphabet would begin with IMG_10.
    grays = [image.pixel_data[0, 0, 0] for image in sframe["image"]]
    assert grays == [1, 2, 3, 4, 5, 6, 7, 100, 101, 102]


def test_large_pictures_are_shrunk_and_others_left(folder):
    save(folder / "cats" / "wide.png", 9, size=(1000, 10))
    save(folder / "cats" / "x-tall.png", 9, size=(1, 4000))
    images = from_folder(folder)["image"]
    assert [(image.width, image.height) for image in images[6:9]] == [(8, 6), (512, 5), (1, 512)]
    images = from_folder(folder, max_side=None)["image"]
    assert (images[8].width, images[8].height) == (1, 4000)


def test_unreadable_files_are_named_and_counted(folder):
    damage(folder)
    sframe, unreadable = read_folder(folder)
    assert len(sframe) == 10
    assert [line.split(":")[0].rsplit("/", 1)[-1] for line in unreadable] == [
        "notes.txt",
        "cut.png",
    ]
    with pytest.warns(UserWarning, match=r"(?s)2 files are .* left out:.*notes.txt.*cut.png"):
        from_folder(folder)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no such folder of pictures"),
        (lambda root: root.mkdir(), "has no sub-folders with pictures"),
        (lambda root: save(root / "cat.png", 1), "cat.png lies in no sub-folder"),
        (lambda root: (root / "a").mkdir(parents=True), "has no sub-folders with pictures"),
    ],
)
def test_folders_without_labels_are_refused(tmp_path, make, message):
    make(tmp_path / "root")
    with pytest.raises(InputError, match=message):
        from_folder(tmp_path / "root")


def test_a_folder_with_nothing_readable_is_refused(tmp_path):
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "b.png").write_text("x")
    with pytest.raises(InputError, match="none of the 1 files is a picture"):
        from_folder(tmp_path / "root")


def test_the_build_can_be_loaded(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("image_retrieval.features.extract", stub_features_of_column)
    damage(folder)
    built, unreadable = build(folder, tmp_path / "data", test_size=0.3)
    assert len(unreadable) == 2
    train, test = load(tmp_path / "data")
    assert built.train == {"cats": 5, "dogs": 2}
    assert built.test == {"cats": 2, "dogs": 1}
    assert sorted([*train["id"], *test["id"]]) == list(range(10))
    for sframe in (train, test):
        assert list(sframe["id"]) == sorted(sframe["id"])
        for row in sframe:
            assert row["deep_features"][0] == row["image"].pixel_data[0, 0, 0]


def stub_features_of_column(images, **_):
    return stub_features([image.pixel_data for image in images])


def test_the_split_is_seeded_and_keeps_proportions():
    labels = ["a"] * 40 + ["b"] * 10
    train, test = split_rows(labels, test_size=0.3, seed=1)
    assert sorted(train + test) == list(range(50))
    assert train == sorted(train)
    assert sum(row < 40 for row in test) == 12
    assert split_rows(labels, 0.3, 1) == (train, test)
    assert split_rows(labels, 0.3, 2) != (train, test)


@pytest.mark.parametrize(
    ("labels", "test_size"),
    [(["a", "a", "b"], 0.3), (["a"] * 5 + ["b"] * 5, 1.5), (["a"] * 5 + ["b"] * 5, 0.01)],
)
def test_a_split_that_cannot_be_had_is_explained(labels, test_size):
    with pytest.raises(InputError, match=f"{len(labels)} pictures cannot be split") as caught:
        split_rows(labels, test_size)
    assert "\n" not in str(caught.value)


def test_real_features_of_pictures_of_any_size(tmp_path):
    random = np.random.default_rng(0)
    for number in range(4):
        pixels = random.integers(0, 256, (30 + number, 50, 3), dtype=np.uint8)
        path = tmp_path / "in" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    build(tmp_path / "in", tmp_path / "out", test_size=0.5, progress=False)
    train, _ = load(tmp_path / "out")
    assert len(train[0]["deep_features"]) == 1280
