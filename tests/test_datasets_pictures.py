import numpy as np
import pytest
from cifar10_archives import stub_features
from PIL import Image

from image_retrieval.datasets import building, load
from image_retrieval.datasets.rows import split_rows, take_rows
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


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr("image_retrieval.features.extract", stub_features)


def build(folder, output, **options):
    return building.build("folder", folder, output, progress=False, **options)


def load_all(folder):
    """Return the rows of both parts by id."""
    return {row["id"]: row for sframe in load(folder) for row in sframe}


def gray(row):
    return row["image"].pixel_data[0, 0, 0]


def test_labels_are_sub_folders_and_ids_follow_the_natural_order(folder, tmp_path, stub):
    build(folder, tmp_path / "data")
    rows = load_all(tmp_path / "data")
    assert sorted(rows) == list(range(10))
    assert [rows[number]["label"] for number in range(10)] == ["cats"] * 7 + ["dogs"] * 3
    # IMG_5, IMG_10, IMG_15 …, where an alphabet would begin with IMG_10.
    assert [gray(rows[number]) for number in range(10)] == [1, 2, 3, 4, 5, 6, 7, 100, 101, 102]


def test_large_pictures_are_shrunk_and_others_left(folder, tmp_path, stub):
    save(folder / "cats" / "wide.png", 9, size=(1000, 10))
    save(folder / "cats" / "x-tall.png", 9, size=(1, 4000))
    for max_side, sizes in [(512, [(8, 6), (512, 5), (1, 512)]), (None, [(8, 6), (1000, 10)])]:
        build(folder, tmp_path / "data", max_side=max_side)
        rows = load_all(tmp_path / "data")
        images = [rows[number]["image"] for number in range(6, 6 + len(sizes))]
        assert [(image.width, image.height) for image in images] == sizes


def test_unreadable_files_are_named_and_counted(folder, tmp_path, stub):
    damage(folder)
    built = build(folder, tmp_path / "data")
    assert [line.split(":")[0].rsplit("/", 1)[-1] for line in built.unreadable] == [
        "notes.txt",
        "cut.png",
    ]
    rows = load_all(tmp_path / "data")
    # The others keep the ids they would have had.
    assert sorted(rows) == [0, 1, 2, 3, 4, 5, 6, 9, 10, 11]
    lines = built.report().splitlines()
    where = lines.index("Left out, as no readable pictures: 2")
    assert "notes.txt" in lines[where + 1] and "cut.png" in lines[where + 2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no such folder of pictures"),
        (lambda root: root.mkdir(), "has no subfolders with pictures"),
        (lambda root: save(root / "cat.png", 1), "cat.png is not in a subfolder"),
        (lambda root: (root / "a").mkdir(parents=True), "has no subfolders with pictures"),
    ],
)
def test_folders_without_labels_are_refused(tmp_path, stub, make, message):
    make(tmp_path / "root")
    with pytest.raises(InputError, match=message):
        build(tmp_path / "root", tmp_path / "data")


def test_a_folder_with_nothing_readable_is_refused(tmp_path, stub):
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "b.png").write_text("x")
    with pytest.raises(InputError, match="none of the 1 files is a picture"):
        build(tmp_path / "root", tmp_path / "data")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_side": 0}, "max_side=0 must be at least 1 pixel"),
        ({"train": 5}, "folder has no option 'train'; it has seed, test_size, max_side"),
        ({"source": None}, "folder has no official archive; give the folder to read"),
    ],
)
def test_bad_options_are_refused_in_one_line(folder, tmp_path, stub, options, message):
    given = {"source": folder, "output": tmp_path / "data", **options}
    with pytest.raises(InputError, match=message) as caught:
        building.build("folder", **given)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_the_build_can_be_loaded(folder, tmp_path, stub):
    built = build(folder, tmp_path / "data", test_size=0.3)
    train, test = load(tmp_path / "data")
    assert built.train == {"cats": 5, "dogs": 2}
    assert built.test == {"cats": 2, "dogs": 1}
    assert sorted([*train["id"], *test["id"]]) == list(range(10))
    for sframe in (train, test):
        for row in sframe:
            assert row["deep_features"][0] == gray(row)


def test_rows_are_mixed_by_the_seed_so_that_no_query_row_follows_from_its_label(tmp_path, stub):
    for number in range(60):
        save(tmp_path / "in" / ("cats" if number < 40 else "dogs") / f"{number}.png", number)
    orders = []
    for seed in (0, 0, 1):
        build(tmp_path / "in", tmp_path / "out", seed=seed)
        train = load(tmp_path / "out")[0]
        orders.append(list(train["id"]))
        assert len(set(list(train["label"])[:20])) == 2
        assert all(row["id"] == gray(row) for row in train)
    assert orders[0] == orders[1] != orders[2]


def test_rows_are_taken_in_the_order_asked_for(tmp_path):
    import turicreate as tc

    sframe = tc.SFrame({"id": [10, 11, 12, 13], "label": list("abcd")})
    assert list(take_rows(sframe, [3, 0, 2])["id"]) == [13, 10, 12]
    assert take_rows(sframe, [3, 0, 2]).column_names() == sframe.column_names()
    assert list(take_rows(sframe, [1, 2])["label"]) == ["b", "c"]
    assert list(take_rows(sframe, np.array([], int))["id"]) == []


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
    build(tmp_path / "in", tmp_path / "out", test_size=0.5)
    train, _ = load(tmp_path / "out")
    assert len(train[0]["deep_features"]) == 1280
    assert len(train[0]["image_array"]) == 32 * 32 * 3
