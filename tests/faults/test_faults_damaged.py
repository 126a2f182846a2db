"""Damaged data, and indexes that somebody made up: one line, never a traceback or a crash."""

import json
import random
import shutil
import zlib

import numpy as np
import pytest
from fault_tools import command_line

from conftest import ROOT, has_real_turicreate
from image_retrieval import index
from image_retrieval.errors import InputError
from image_retrieval.index.storage import _checksum_of

X = np.random.default_rng(0).normal(size=(80, 16)).astype(np.float32)


def saved(folder, engine="exact", **options):
    path = folder / "index"
    index.build(X, ids=range(80), labels=["cat"] * 80, engine=engine, **options).save(path)
    return path


def rewrite(path, change):
    """Change an index's list and files, and make its checksums right again."""
    content = json.loads((path / "index.json").read_text())
    del content["checksum"]
    change(content)
    if isinstance(content.get("files"), dict):
        content["files"] = {
            name: zlib.crc32((path / name).read_bytes()) for name in content["files"]
        }
    content["checksum"] = _checksum_of(content)
    (path / "index.json").write_text(json.dumps(content))


def without(name):
    return lambda content: content.pop(name)


def setting(name, value):
    return lambda content: content["settings"].update({name: value})


CRAFTED = {
    "no settings": without("settings"),
    "no files": without("files"),
    "no engine": without("engine"),
    "no format": without("format"),
    "no images": without("images"),
    "images a list": lambda content: content.update(images=[1]),
    "images of more": lambda content: content.update(images={"extraction": None, "more": 1}),
    "files a list": lambda content: content.update(files=["vectors.npy"]),
    "engine a list": lambda content: content.update(engine=["exact"]),
    "other engine": lambda content: content.update(engine="hnsw"),
    "unknown option": setting("options", {"metric": "euclidean", "speed": 11}),
    "options a number": setting("options", 3),
    "n a text": setting("n", "80"),
    "n too large": setting("n", 10**12),
    "d missing": lambda content: content["settings"].pop("d"),
}


@pytest.mark.parametrize("attack", CRAFTED)
def test_a_made_up_list_of_an_index_is_one_line(tmp_path, attack):
    path = saved(tmp_path)
    rewrite(path, CRAFTED[attack])
    with pytest.raises(InputError) as caught:
        index.load(path)
    assert str(path) in str(caught.value)


def test_brackets_that_never_end_are_one_line(tmp_path):
    path = saved(tmp_path)
    (path / "index.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="missing or damaged"):
        index.load(path)


def without_setting(settings, name):
    (settings if name in settings else settings["tuned"]).pop(name)


@pytest.mark.skipif(index.engines().count("hnsw") == 0, reason="no hnsw here")
@pytest.mark.parametrize("name", ["tuned", "components"])
def test_an_hnsw_index_without_its_settings_is_one_line(tmp_path, name):
    pytest.importorskip("hnswlib")
    path = saved(tmp_path, "hnsw")
    rewrite(path, lambda content: without_setting(content["settings"], name))
    with pytest.raises(InputError, match="missing or damaged"):
        index.load(path)


def test_an_array_that_would_fill_the_memory_is_one_line(tmp_path):
    path = saved(tmp_path)
    data = np.lib.format.header_data_from_array_1_0(X)
    with (path / "vectors.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**data, "shape": (10**12, 16)})
    rewrite(path, setting("n", 10**12))
    with pytest.raises(InputError, match="missing or damaged"):
        index.load(path)


@pytest.mark.parametrize("name", ["vectors", "ids"])
def test_vectors_and_ids_are_checked_again(tmp_path, name):
    path = saved(tmp_path)
    array = np.load(str(path / f"{name}.npy"))
    array[1] = np.nan if name == "vectors" else array[0]
    np.save(str(path / f"{name}.npy"), array)
    rewrite(path, lambda content: None)
    with pytest.raises(InputError, match="NaN" if name == "vectors" else "twice"):
        index.load(path)


def damage(folder, rng):
    """Cut, empty, flip or remove one file of an SFrame, and return what was done."""
    path = rng.choice(sorted(p for p in folder.rglob("*") if p.is_file()))
    kind = rng.choice(["remove", "empty", "halve", "cut", "flip"])
    data = bytearray(path.read_bytes())
    if kind == "remove":
        path.unlink()
        return f"{kind} {path.name}"
    if kind == "flip" and data:
        data[rng.randrange(len(data))] ^= 0x40
    keep = {"empty": 0, "halve": len(data) // 2, "cut": max(0, len(data) - 1)}
    path.write_bytes(data[: keep.get(kind, len(data))])
    return f"{kind} {path.name}"


@pytest.mark.parametrize("seed", range(4 if has_real_turicreate() else 2))
def test_a_damaged_sframe_is_one_line_or_makes_no_difference(tmp_path, seed):
    rng = random.Random(seed)
    for name in ("image_train_data", "image_test_data"):
        shutil.copytree(str(ROOT / name), str(tmp_path / "data" / name))
    (tmp_path / "here").mkdir()
    # The files with the vectors themselves: what is read long after it was opened.
    column = sorted((tmp_path / "data" / "image_train_data").glob("m_*.0000"))[0]
    data = column.read_bytes()
    kept = [b"", data[: len(data) // 2], data[:-1]]
    done_to = f"column {seed}"
    if seed < 3:
        column.write_bytes(kept[seed])
    else:
        done_to = damage(tmp_path / "data" / "image_train_data", rng)
    done = command_line(
        "evaluate", "--data", tmp_path / "data", folder=tmp_path / "here", TMPDIR=str(tmp_path)
    )
    lines = done.stderr.splitlines()
    assert done.returncode in (0, 2), (done_to, done.stderr)
    if done.returncode == 2:
        assert len(lines) == 1 and lines[0].startswith("error: "), (done_to, done.stderr)
    assert not [*(tmp_path / "here").iterdir()], done_to
