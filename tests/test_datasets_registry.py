"""A further official data set is one file and one line."""

import io
import sys
import tarfile
import textwrap

import numpy as np
import pytest
from PIL import Image

from image_retrieval import cli, datasets
from image_retrieval.datasets import location, registry
from image_retrieval.errors import InputError
from image_retrieval.features import Extraction

# What a developer writes: one file …
TOY = '''
"""Toy: pictures of two shapes, as train/circle-1.png and so on."""

from image_retrieval.datasets.archives import open_tar
from image_retrieval.datasets.cards import Card, Picture
from image_retrieval.datasets.splits import official
from image_retrieval.features import Extraction


def read(archive, options):
    with open_tar(archive) as members:
        for number, (name, file) in enumerate(members):
            label = name.stem.split("-")[0]
            yield Picture(label, file.read(), str(name), number, name.parent.name)


CARD = Card(
    name="toy",
    title="the toy shapes",
    about="Build the toy shapes.",
    read=read,
    split=official,
    url="http://127.0.0.1:9/toy.tar",
    md5="0" * 32,
    extraction=Extraction("pixels", 8),
)
'''


def png(gray):
    file = io.BytesIO()
    Image.fromarray(np.full((9, 7, 3), gray, np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "toy.tar"
    with tarfile.open(path, "w") as tar:
        for number in range(12):
            part, label = ("train", "test")[number % 3 == 2], ("circle", "square")[number % 2]
            data = png(20 * number)
            info = tarfile.TarInfo(f"{part}/{label}-{number}.png")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The module, registered, in a clone of its own."""
    (tmp_path / "toy_shapes.py").write_text(textwrap.dedent(TOY), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "CARDS", dict(registry.CARDS))
    monkeypatch.setattr(location, "CARDS", registry.CARDS)
    monkeypatch.setattr(location, "repository_root", lambda: tmp_path)
    import toy_shapes

    # … and one line.
    datasets.register(toy_shapes.CARD)
    yield toy_shapes
    del sys.modules["toy_shapes"]


def test_it_is_built_located_and_loaded_by_its_name(toy, archive, tmp_path):
    with pytest.raises(InputError, match=r"get it with `python -m image_retrieval toy`$"):
        datasets.locate("toy")
    built = datasets.build("toy", archive, progress=False)
    assert (dict(built.train), dict(built.test)) == (
        {"circle": 4, "square": 4},
        {"circle": 2, "square": 2},
    )
    for found in (datasets.locate("toy"), datasets.locate(dataset="toy"), built):
        assert found.folder == tmp_path / "data" / "toy"
    located = datasets.locate("toy")
    assert located.description == "Data: the toy shapes, 8 training and 4 test images"
    assert located.extraction == Extraction("pixels", 8)
    assert sorted(located.extractions) == ["deep_features", "image_array"]
    train, test = datasets.load("toy")
    assert list(test["id"]) == [2, 5, 8, 11]
    assert train.extractions == located.extractions
    for row in train:
        assert row["deep_features"][0] == 20 * row["id"]
        assert len(row["image_array"]) == 3072


def test_it_is_a_command_like_the_others(toy, archive, tmp_path, monkeypatch, capsys):
    assert cli.main(["toy", "--archive", str(archive), "--size", "4"]) == 0
    assert "IMAGE_RETRIEVAL_DATA=toy make run" in capsys.readouterr().out
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", "toy")
    assert datasets.locate().extraction == Extraction("pixels", 4)


def test_a_download_that_fails_names_the_way_out(toy, capsys, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert cli.main(["toy"]) == 2
    assert "run `python -m image_retrieval toy --archive path`" in capsys.readouterr().err


def test_an_unknown_name_gets_those_there_are():
    with pytest.raises(InputError, match="dataset='cifar100' .* cifar10, caltech101, folder"):
        datasets.load(dataset="cifar100")
