import hashlib
import io
import os
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import turicreate as tc
from cifar10_archives import stub_features
from PIL import Image

from image_retrieval import datasets, evaluate
from image_retrieval.cli import main
from image_retrieval.datasets import building, caltech101, locate, location, registry
from image_retrieval.datasets.caltech101 import LABELS
from image_retrieval.datasets.caltech101_archive import read_pictures
from image_retrieval.errors import DownloadError, InputError
from image_retrieval.features import Extraction, as_extraction, extract
from image_retrieval.images import as_rgb
from image_retrieval.sframes import sframe_vectors

PER_LABEL = 10
ROOT = "101_ObjectCategories"


def build(archive, output, **options):
    return building.build("caltech101", archive, output, progress=False, **options)


def load(name):
    return datasets.load(name, dataset="caltech101")


def jpeg(seed, size=(40, 30), mode="RGB", **options):
    """Return the bytes of a JPEG of noise, and of its own for each seed."""
    shape = size[::-1] if mode == "L" else (*size[::-1], 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **options)
    return file.getvalue()


def plain_jpeg(size):
    file = io.BytesIO()
    Image.new("RGB", size, (200, 90, 30)).save(file, "JPEG")
    return file.getvalue()


def members():
    """Return ten pictures for each label, in no order, and what else the official tar holds."""
    files = {f"{ROOT}/BACKGROUND_Google/tmp": b"not a picture", f"{ROOT}/wrench/1.jpg": jpeg(0)}
    for number in range(PER_LABEL, 0, -1):
        for place, label in enumerate(LABELS):
            name = f"{ROOT}/{label}/image_{number:04}.jpg"
            files[name] = jpeg(100 * place + number, size=(30 + number, 20 + place))
    files[f"{ROOT}/brain/._image_0001.jpg"] = b"what macOS leaves"
    return files


def make_tar(path, files, mode="w:gz", links=()):
    with tarfile.open(path, mode) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, kind in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return make_tar(tmp_path_factory.mktemp("archive") / f"{ROOT}.tar.gz", members())


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr("image_retrieval.features.extract", stub_features)


def entries(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_the_build_is_a_stratified_split_of_all_pictures(archive, tmp_path, stub):
    made = build(archive, tmp_path / "out")
    train, test = load(tmp_path / "out")
    columns = ["id", "image", "label", "deep_features", "image_array", "origin"]
    assert train.column_names() == columns
    assert train.column_types()[0] is int
    assert Counter(train["label"]) == made.train == dict.fromkeys(LABELS, 7)
    assert Counter(test["label"]) == made.test == dict.fromkeys(LABELS, 3)
    assert sorted([*train["id"], *test["id"]]) == list(range(90))
    assert made.unreadable == ()
    assert entries(tmp_path / "out") == ["image_test_data", "image_train_data"]


def test_ids_lead_to_the_archives_files(archive, tmp_path, stub):
    build(archive, tmp_path / "out")
    files = {name.split("/", 1)[1]: data for name, data in members().items()}
    names = sorted(n for n in files if n.split("/")[0] in LABELS and "._" not in n)
    for sframe in load(tmp_path / "out"):
        for row in sframe:
            name = names[row["id"]]
            assert name.split("/")[0] == row["label"]
            # Not decoded and encoded again: the file's own bytes.
            assert bytes(row["image"]._image_data) == files[name]
            mean = as_rgb(files[name]).mean(axis=(0, 1))
            assert np.allclose(row["deep_features"], mean, atol=1e-3)


def test_a_face_and_its_close_crop_stay_on_one_side(archive, tmp_path, stub):
    build(archive, tmp_path / "out")
    train, test = load(tmp_path / "out")
    assert not set(train["origin"]) & set(test["origin"])
    for sframe in (train, test):
        faces = [row["origin"] for row in sframe if row["label"] == "Faces"]
        assert faces == [row["origin"] for row in sframe if row["label"] == "Faces_easy"]


def test_the_split_repeats_and_follows_its_seed_and_share(archive, tmp_path, stub):
    def test_ids(**options):
        build(archive, tmp_path / "out", **options)
        return set(load(tmp_path / "out")[1]["id"])

    first = test_ids()
    assert test_ids() == first
    assert test_ids(seed=1) != first
    assert len(test_ids(test_size=0.5)) == 45


def test_the_split_does_not_depend_on_the_archives_order(archive, tmp_path, stub):
    files = dict(sorted(members().items()))
    build(make_tar(tmp_path / "sorted.tar.gz", files), tmp_path / "sorted")
    build(archive, tmp_path / "out")
    tables = [load(tmp_path / name)[1].sort("id") for name in ("out", "sorted")]
    assert list(tables[0]["id"]) == list(tables[1]["id"])
    assert list(tables[0]["label"]) == list(tables[1]["label"])


def damaged(files):
    files = dict(files)
    whole = files[f"{ROOT}/brain/image_0001.jpg"]
    files[f"{ROOT}/brain/image_0001.jpg"] = whole[: len(whole) // 2]
    files[f"{ROOT}/brain/notes.txt"] = b"no picture"
    files[f"{ROOT}/Faces/image_0003.jpg"] = b""
    return files


def test_unreadable_pictures_are_named_and_counted(tmp_path, stub):
    archive = make_tar(tmp_path / "a.tar.gz", damaged(members()))
    made = build(archive, tmp_path / "out")
    assert sorted(line.split(":")[0] for line in made.unreadable) == [
        "Faces/image_0003.jpg",
        "brain/image_0001.jpg",
        "brain/notes.txt",
    ]
    reason = next(line for line in made.unreadable if "image_0001" in line)
    assert "cannot be read" in reason, reason
    train, test = load(tmp_path / "out")
    assert len(train) + len(test) == 88
    # The others keep the ids they would have had.
    assert len({*train["id"], *test["id"]} & set(range(91))) == 88


def odd_pictures():
    rotated = Image.Exif()
    rotated[0x0112] = 6
    return {
        "one pixel": jpeg(1, size=(1, 1)),
        "gray": jpeg(2, mode="L"),
        "gray, one pixel": jpeg(3, size=(1, 1), mode="L"),
        "long": jpeg(4, size=(1, 700)),
        "turned": jpeg(5, size=(40, 30), exif=rotated),
    }


@pytest.mark.parametrize("kind", odd_pictures())
def test_pictures_of_any_size_and_gray_ones_get_features(tmp_path, kind):
    data = odd_pictures()[kind]
    files = {name: data for name in list(members())[2:-1] if "_0001" in name or "_0002" in name}
    archive = make_tar(tmp_path / "a.tar.gz", files)
    made = build(archive, tmp_path / "out", test_size=0.5)
    assert made.unreadable == () and sum(made.train.values()) == 9
    train = load(tmp_path / "out")[0]
    expected = extract([data], progress=False)[0]
    assert np.allclose(sframe_vectors(train, "deep_features")[1], expected, atol=1e-4)
    assert expected.any()
    assert np.array_equal(as_rgb(train["image"][0]), as_rgb(data))
    shape = (train["image"][0].height, train["image"][0].width)
    assert shape == as_rgb(data).shape[:2]


@pytest.mark.parametrize(
    ("name", "links", "message"),
    [
        (f"{ROOT}/../../brain/x.jpg", [], "points outside the archive"),
        ("/brain/x.jpg", [], "points outside the archive"),
        ("C:\\brain\\x.jpg", [], "points outside the archive"),
        (None, [(f"{ROOT}/brain/x.jpg", tarfile.SYMTYPE)], "is a link"),
        (None, [(f"{ROOT}/brain/x.jpg", tarfile.LNKTYPE)], "is a link"),
        (None, [(f"{ROOT}/brain/x.jpg", tarfile.CHRTYPE)], "neither a file nor a folder"),
    ],
)
def test_a_dangerous_member_is_refused_and_nothing_written(tmp_path, stub, name, links, message):
    files = members()
    if name:
        files[name] = jpeg(1)
    archive = make_tar(tmp_path / "a.tar.gz", files, links=links)
    with pytest.raises(InputError, match=message):
        build(archive, tmp_path / "out")
    assert entries(tmp_path) == ["a.tar.gz"]


def make_zip(path, tar, name="caltech-101/101_ObjectCategories.tar.gz"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("caltech-101/Annotations.tar", b"not looked at")
        archive.writestr(name, tar.read_bytes())
    return path


def test_the_zip_with_the_tar_inside_gives_the_same(archive, tmp_path, stub):
    build(archive, tmp_path / "tar")
    build(make_zip(tmp_path / "caltech-101.zip", archive), tmp_path / "zip")
    for one, other in zip(load(tmp_path / "tar"), load(tmp_path / "zip")):
        assert list(one["id"]) == list(other["id"])
        assert all(a == b for a, b in zip(one["image"], other["image"]))


def test_faults_of_the_archive_are_named(archive, tmp_path):
    without = make_zip(tmp_path / "b.zip", archive, name="x/other.tar.gz")
    whole = make_zip(tmp_path / "c.zip", archive).read_bytes()
    broken = tmp_path / "d.zip"
    spot = whole.index(archive.read_bytes()[:50]) + 200
    broken.write_bytes(whole[:spot] + bytes(50) + whole[spot + 50 :])
    short = tmp_path / "e.tar.gz"
    short.write_bytes(archive.read_bytes()[:-2000])
    some = {name: data for name, data in members().items() if "/brain/" not in name}
    for path, message in [
        (without, "this zip holds no 101_ObjectCategories.tar.gz"),
        (broken, "the archive is damaged"),
        (short, "cut short"),
        (tmp_path / "missing.zip", "no such archive"),
        (make_tar(tmp_path / "f.tar", some, mode="w"), "holds no pictures of 'brain'"),
    ]:
        with pytest.raises(InputError, match=message) as caught:
            list(read_pictures(path, LABELS))
        assert "\n" not in str(caught.value)


def test_another_archive_than_the_official_one_is_noted(archive, tmp_path, stub, monkeypatch):
    notes = build(archive, tmp_path / "out").notes
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    assert md5 in notes[0] and "not the official" in notes[0]
    official = replace(caltech101.CARD, other_md5=(md5,))
    monkeypatch.setitem(registry.CARDS, "caltech101", official)
    assert build(archive, tmp_path / "out").notes == ()


def test_an_older_build_is_replaced_and_anything_else_kept(archive, tmp_path, stub):
    build(archive, tmp_path / "out")
    build(archive, tmp_path / "out", test_size=0.5)
    assert len(load(tmp_path / "out")[0]) == 45
    with pytest.raises(InputError):
        build(tmp_path / "missing.tar.gz", tmp_path / "out")
    assert len(load(tmp_path / "out")[0]) == 45
    (tmp_path / "out" / "train").mkdir()  # as in a build of version 1.0
    build(archive, tmp_path / "out")
    (tmp_path / "out" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="'thesis.txt', which would be lost"):
        build(archive, tmp_path / "out")


def test_pictures_stream_through(archive, tmp_path, stub, monkeypatch):
    """A picture is asked for when the one before it has been taken, not all at the start."""
    seen = []

    def read(source, options):
        for picture in caltech101.read(source, options):
            seen.append("read")
            yield picture

    monkeypatch.setattr(building, "as_rgb", lambda data: seen.append("taken") or as_rgb(data))
    datasets.build(replace(caltech101.CARD, read=read), archive, tmp_path / "out", progress=False)
    assert seen == ["read", "taken"] * 90


@pytest.mark.long
def test_memory_does_not_grow_with_the_number_of_pictures(tmp_path):
    """Eight times the pictures, none of which may stay in memory decoded."""
    pytest.importorskip("resource", reason="no peak memory on Windows")
    units_per_mib = 2**20 if sys.platform == "darwin" else 2**10
    peaks = {}
    for copies in (1, 8):
        data = plain_jpeg((500, 400))  # a small file of many pixels
        files = {f"{ROOT}/{label}/{n}.jpg": data for label in LABELS for n in range(4 * copies)}
        archive = make_tar(tmp_path / f"{copies}.tar.gz", files)
        script = f"""
            import os, resource
            import numpy as np
            from image_retrieval import features
            from image_retrieval.datasets import build
            from image_retrieval.images import as_rgb
            def means(images, *_, **__):
                return np.array([[as_rgb(image).mean()] for image in images]).reshape(-1, 1)
            features.extract = means
            build("caltech101", {str(archive)!r}, {str(tmp_path / "out")!r})
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
            os._exit(0)  # how Turi Create shuts down is not measured here
        """
        command = [sys.executable, "-c", textwrap.dedent(script)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        peaks[copies] = int(subprocess.check_output(command, env=environment)) / units_per_mib
    decoded = 7 * 4 * len(LABELS) * 500 * 400 * 3 / 2**20
    assert peaks[8] - peaks[1] < decoded / 3


def test_the_command_prints_what_it_made_and_left_out(tmp_path, stub, capsys):
    archive = make_tar(tmp_path / "a.tar.gz", damaged(members()))
    options = ["--archive", str(archive), "--output", str(tmp_path / "out")]
    assert main(["caltech101", *options]) == 0
    out = capsys.readouterr().out
    assert "62 training and 26 test images" in out or "61 training and 27 test images" in out
    assert "Left out, as no readable pictures: 3" in out
    assert "brain/image_0001.jpg: " in out
    assert "note: a.tar.gz has MD5" in out
    assert "IMAGE_RETRIEVAL_CALTECH101=" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--archive", "missing.tar.gz"], "missing.tar.gz: no such archive"),
        (["--backbone", "vgg16"], "no backbone is called 'vgg16'"),
        (["--backbone", "inception_v3", "--weights", "missing.h5"], "missing.h5"),
    ],
)
def test_the_command_tells_an_error_in_one_line(tmp_path, capsys, options, message):
    assert main(["caltech101", "--output", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_failed_download_says_what_to_do(tmp_path, stub, monkeypatch):
    here = replace(caltech101.CARD, url="http://127.0.0.1:9/caltech-101.zip")
    monkeypatch.setattr(building, "data_folder", lambda: tmp_path)
    with pytest.raises(DownloadError, match="make caltech101 ARCHIVE=path"):
        datasets.build(here, output=tmp_path / "caltech101", progress=False)
    assert not (tmp_path / "caltech101").exists()


def test_any_backbone_can_make_the_features(archive, tmp_path):
    for how in ("pixels", Extraction("pixels", 4), Extraction("efficientnet_lite0", 64)):
        build(archive, tmp_path / "out", extraction=how)
        train, _ = load(tmp_path / "out")
        expected = extract(train["image"], how, progress=False)
        assert np.allclose(sframe_vectors(train, "deep_features")[1], expected, atol=1e-3)
        assert locate(tmp_path / "out").extraction == as_extraction(how)


def small_sframe(n=20):
    labels = ["brain", "butterfly"] * (n // 2)
    images = tc.SArray([None] * n, dtype=tc.Image)
    columns = {"id": list(range(n)), "image": images, "label": labels}
    return tc.SFrame({**columns, "deep_features": [[1.0, 2.0]] * n})


def test_the_environment_variable_and_the_build_choose_the_data(tmp_path, monkeypatch):
    root = location.repository_root()
    monkeypatch.setattr(location, "data_folder", lambda: tmp_path)
    monkeypatch.delenv(caltech101.VARIABLE)
    assert locate(dataset="caltech101").folder == root / "caltech101_data"
    for side in ("image_train_data", "image_test_data"):
        small_sframe().save(str(tmp_path / "caltech101" / side))
    built = locate(dataset="caltech101")
    assert built.name == "caltech101"
    assert built.description == "Data: real Caltech-101, 20 training and 20 test images"
    assert locate("caltech101") == built
    monkeypatch.setenv(caltech101.VARIABLE, "sample")
    assert locate(dataset="caltech101").name == "sample"
    monkeypatch.setenv(caltech101.VARIABLE, str(tmp_path / "caltech101"))
    assert locate(dataset="caltech101").description.startswith("Data: real Caltech-101")
    monkeypatch.setenv(caltech101.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="IMAGE_RETRIEVAL_CALTECH101=.*does not name a data set"):
        locate(dataset="caltech101")


def test_missing_data_and_columns_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(location, "data_folder", lambda: tmp_path)
    with pytest.raises(InputError, match="get it with `make caltech101`.*CALTECH101=sample"):
        locate("caltech101")
    for side in ("image_train_data", "image_test_data"):
        tc.SFrame({"id": [1]}).save(str(tmp_path / "odd" / side))
    with pytest.raises(InputError, match="no column 'image' and no column 'label'"):
        load(tmp_path / "odd")


def test_the_bundled_sample_has_nine_labels_and_is_found_by_its_features():
    train, test = load("sample")
    assert set(train["label"]) == set(test["label"]) == set(LABELS)
    counts = Counter([*train["label"], *test["label"]])
    assert min(counts.values()) >= 25
    assert min(precision(train, test)) > 0.75


def precision(train, test, y=list):
    """Return precision@5 of deep features, with labels and with faces as one label."""

    def merged(labels):
        return ["Faces" if label == "Faces_easy" else label for label in labels]

    X = [sframe_vectors(sframe, "deep_features")[1] for sframe in (train, test)]
    values = []
    for names in (list, merged):
        y_train, y_test = names(train["label"]), names(test["label"])
        ranking = evaluate.rank_features(X[0], y_train, X[1], y_test, depth=5)
        values.append(evaluate.precision_at_k(ranking, 5).mean())
    return values
