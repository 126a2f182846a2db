"""The commands that take pictures: what they print, write and return."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT, heed_ctrl_c
from image_retrieval import cli, datasets, duplicates
from image_retrieval.images import as_rgb

CAT, CAR = 18, 8


def run(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def cat(tmp_path_factory):
    """A picture file of the sample's cat, and its id."""
    train = datasets.load("sample")[0]
    path = tmp_path_factory.mktemp("query") / "my cat.png"
    Image.fromarray(as_rgb(train["image"][CAT])).save(str(path))
    return path, train["id"][CAT]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of the sample's test images by label, some changed copies, and a broken file."""
    test = datasets.load("sample")[1]
    folder = tmp_path_factory.mktemp("pictures") / "mine"
    for number in range(0, 80, 2):
        pixels, label = as_rgb(test["image"][number]), test["label"][number]
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(str(folder / label / f"{number}.png"))
    first = sorted((folder / "cat").iterdir())[0]
    copy = duplicates.altered(as_rgb(first), "mirrored")
    Image.fromarray(copy).save(str(folder / "copy.png"))
    Image.open(str(first)).save(str(folder / "same.bmp"))
    (folder / "broken.jpg").write_text("x")
    return folder, first


@pytest.fixture(scope="module")
def indexed(folder):
    assert cli.main(["index", str(folder[0])]) == 0
    return folder


def test_search_finds_the_picture_itself_and_then_cats(cat, capsys):
    path, key = cat
    code, out, err = run(capsys, "search", path, "-k", 5)
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0] == (
        f"{path}: 5 nearest of 2,005 training images of the bundled sample; "
        "efficientnet_lite2 at 160 px; cosine distance"
    )
    assert lines[1].split() == ["rank", "id", "label", "distance"]
    rows = [line.split() for line in lines[2:]]
    assert rows[0][:3] == ["1", str(key), "cat"] and float(rows[0][3]) < 0.05
    assert [row[2] for row in rows].count("cat") >= 4
    assert "\x1b" not in out


def test_json_csv_and_html_hold_the_same_hits(cat, capsys, tmp_path):
    path = cat[0]
    files = ["--csv", tmp_path / "a.csv", "--html", tmp_path / "a.html"]
    code, out, _ = run(capsys, "search", path, path, "-k", 3, "--json", *files)
    queries = json.loads(out)["queries"]
    assert code == 0 and len(queries) == 2
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    hits = [(query["query"], hit) for query in queries for hit in query["hits"]]
    assert [(r["query"], int(r["rank"]), int(r["id"]), r["label"]) for r in rows] == [
        (name, hit["rank"], hit["id"], hit["label"]) for name, hit in hits
    ]
    assert [float(row["distance"]) for row in rows] == [hit["distance"] for _, hit in hits]
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    for hit in queries[0]["hits"]:
        assert f"id {hit['id']}" in page


@pytest.mark.parametrize("engine", ["exact", "turicreate", "hnsw", "milvus"])
def test_every_engine_gives_the_same_nearest_pictures(engine, cat, capsys):
    pytest.importorskip({"hnsw": "hnswlib", "milvus": "milvus_lite"}.get(engine, "json"))
    options = ["-k", 3, "--json", "--where", "label=cat", "--where", "label=dog"]
    expected = json.loads(run(capsys, "search", cat[0], *options)[1])["queries"][0]["hits"]
    code, out, _ = run(capsys, "search", cat[0], *options, "--engine", engine)
    hits = json.loads(out)["queries"][0]["hits"]
    assert code == 0
    assert [hit["id"] for hit in hits] == [hit["id"] for hit in expected]
    assert {hit["label"] for hit in hits} <= {"cat", "dog"}


def test_metric_and_radius_count(cat, capsys):
    found = json.loads(run(capsys, "search", cat[0], "--json", "--metric", "cosine")[1])
    distances = [hit["distance"] for hit in found["queries"][0]["hits"]]
    assert found["metric"] == "cosine" and max(distances) < 1
    radius = (distances[2] + distances[3]) / 2
    options = ["--json", "--metric", "cosine", "--radius", radius]
    near = json.loads(run(capsys, "search", cat[0], *options)[1])["queries"][0]["hits"]
    assert [hit["distance"] for hit in near] == distances[:3]


@pytest.mark.parametrize("options", [["--where", "label=zebra"], ["--radius", "0"]])
def test_nothing_found_is_code_1(options, folder, capsys):
    query = sorted((folder[0] / "dog").iterdir())[0]
    code, out, err = run(capsys, "search", query, "--data", "sample", *options)
    assert code == 1 and out.splitlines()[1:] == ["nothing found"]
    labels = "automobile, bird, cat, dog"
    note = f"note: no picture has the label zebra; there are {labels}\n"
    assert err == (note if "label=zebra" in options else "")


def test_folder_in_place_of_a_picture_is_said(folder, capsys):
    code, _, err = run(capsys, "search", folder[0], "--data", "sample")
    assert code == 2 and "a folder, not a picture; give the files in it" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search"], "nothing to search with; give picture files, or --text"),
        (["search", "nowhere.jpg"], "nowhere.jpg: no such picture file"),
        (["search", "{cat}", "-k", "0"], "-k 0: ask for 1 neighbor at least"),
        (["search", "{cat}", "--where", "cat"], "--where cat: write label=NAME"),
        (["search", "{cat}", "--data", "nowhere"], "data='nowhere' does not name a data set"),
        (["search", "--text", "a red car"], "efficientnet_lite2 at 160 px takes no words"),
        (["search", "{cat}", "--radius", "-1"], "radius"),
        (["extract", "{cat}", "--output", "x.txt"], "the name must end in .npz or .csv"),
        (["index", "nowhere"], "no such folder"),
        (["duplicates", "sample", "--threshold", "-2"], "threshold=-2.0 must be a cosine distance"),
        (["duplicates", "nowhere"], "data='nowhere' does not name a data set"),
        (["info", "--data", "nowhere"], "data='nowhere' does not name a data set"),
    ],
)
def test_bad_input_is_code_2_and_one_line(arguments, message, cat, capsys):
    code, out, err = run(capsys, *[each.format(cat=cat[0]) for each in arguments])
    assert (code, out) == (2, "")
    assert message in err and err.startswith("error: ") and err.count("\n") == 1


def test_a_broken_picture_is_told_and_the_others_are_searched(folder, cat, capsys):
    code, out, err = run(capsys, "search", folder[0] / "broken.jpg", cat[0], "-k", 1)
    assert code == 2 and "broken.jpg: not a picture" in err and err.count("\n") == 1
    assert len(out.splitlines()) == 3


def test_index_reports_and_then_search_finds_files_by_their_paths(indexed, capsys):
    path, first = indexed
    code, out, err = run(capsys, "index", path)
    assert code == 0 and err == ""
    assert "42 pictures (0 files added, 0 changed, 0 removed; 0 extracted)" in out
    assert "Left out, as no readable pictures: 1\n  broken.jpg: not a picture" in out
    assert json.loads(run(capsys, "index", path, "--json")[1])["pictures"] == 42
    code, out, _ = run(capsys, "search", first, "--data", path, "-k", 2, "--json")
    hits = json.loads(out)["queries"][0]["hits"]
    assert {hit["path"] for hit in hits} == {"same.bmp", f"cat/{first.name}"}
    assert [hit["distance"] for hit in hits] == [0.0, 0.0]
    code, out, _ = run(capsys, "search", first, "--data", path, "--where", "label=dog")
    assert code == 0 and out.count("dog/") == 5


def test_search_shows_a_file_that_is_gone_as_a_gray_picture(indexed, capsys, tmp_path):
    path, first = indexed
    same = path / "same.bmp"
    content = same.read_bytes()
    same.unlink()
    try:
        page = tmp_path / "a.html"
        assert run(capsys, "search", first, "--data", path, "-k", 2, "--html", page)[0] == 0
    finally:
        same.write_bytes(content)
        os.utime(str(same))
    assert "<img" in page.read_text(encoding="utf-8")


def test_duplicates_of_a_folder_are_grouped(indexed, capsys, tmp_path):
    path, first = indexed
    page = tmp_path / "copies.html"
    code, out, _ = run(capsys, "duplicates", path, "--json", "--html", page)
    report = json.loads(out)
    assert code == 0
    assert sorted(report["groups"][0]) == sorted([f"cat/{first.name}", "copy.png", "same.bmp"])
    kinds = {(pair["kind"], pair["mirrored"]) for pair in report["pairs"]}
    assert {("exact", False), ("near", True)} <= kinds
    assert page.read_text(encoding="utf-8").count("<img") >= 3
    code, out, _ = run(capsys, "duplicates", path)
    assert "1 exact" in out and "the typical nearest neighbor is at" in out


def test_duplicates_indexes_a_folder_first_and_code_1_means_none(tmp_path, capsys):
    for number in range(3):
        pixels = np.random.RandomState(number).randint(0, 256, (16, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(str(tmp_path / f"{number}.png"))
    code, out, err = run(capsys, "duplicates", tmp_path, "--threshold", 0.01)
    assert (code, err) == (1, "indexed 3 pictures\n")
    assert "0 pairs (0 exact, 0 near), in 0 groups" in out and "as given" in out


@pytest.mark.long
def test_duplicates_of_a_data_set_say_what_its_split_shares(capsys):
    code, out, _ = run(capsys, "duplicates", "sample")
    assert code == 0
    assert "Data: the bundled sample, 2,005 training and 800 test images" in out
    assert re.search(r"Leak: \d of 800 test images .* among the 2,005 training images", out)


def test_extract_prints_what_the_data_set_holds(cat, capsys, tmp_path):
    code, out, _ = run(capsys, "extract", cat[0])
    name, *numbers = next(csv.reader([out]))
    known = datasets.load("sample")[0]["deep_features"][CAT]
    assert (code, name, len(numbers)) == (0, str(cat[0]), 1280)
    assert np.allclose(np.array(numbers, float), known, atol=1e-3)
    file = tmp_path / "v.npz"
    code, out, _ = run(capsys, "extract", cat[0], "--backbone", "pixels:2", "--output", file)
    with np.load(str(file)) as saved:
        assert saved["X"].shape == (1, 12) and saved["names"].tolist() == [str(cat[0])]
        assert json.loads(str(saved["extraction"]))["size"] == 2


def test_info_and_evaluate_know_the_course_and_a_folder(indexed, capsys):
    out = run(capsys, "info")[1]
    assert "2,005 training images of the bundled sample" in out and "automobile: 502" in out
    facts = json.loads(run(capsys, "info", "--data", indexed[0], "--json")[1])
    assert facts["data"] == "42 pictures in mine" and facts["up to date"] == "yes"
    assert list(facts["unreadable"]) == ["broken.jpg"]
    code, out, _ = run(capsys, "evaluate", "--data", indexed[0], "--json", "--k", 3)
    report = json.loads(out)
    assert code == 0 and (report["queries"], report["references"]) == (40, 39)
    assert report["overall"][0]["precision"] > 0.3


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script_that_the_shell_accepts(shell, capsys, tmp_path):
    from shutil import which

    code, out, _ = run(capsys, "completion", shell)
    assert code == 0 and "duplicates" in out and "--where" in out
    if which(shell):
        (tmp_path / "script").write_text(out)
        subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


@pytest.mark.skipif(os.name == "nt", reason="bash is for others")
def test_bash_completes_commands_options_and_engines(tmp_path, capsys):
    script = tmp_path / "script"
    script.write_text(run(capsys, "completion", "bash")[1])
    ask = (
        f"source {script}; COMP_WORDS=({{words}}); COMP_CWORD={{last}}; "
        "_shtab_image_retrieval; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    for words, wanted in {
        "image-retrieval se": ["search"],
        "image-retrieval search --en": ["--engine"],
        "image-retrieval search --engine hn": ["hnsw"],
    }.items():
        line = ask.format(words=words, last=len(words.split()) - 1)
        done = subprocess.run(["bash", "-c", line], stdout=subprocess.PIPE, check=True)
        assert done.stdout.decode().split() == wanted


def program(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "dumb"}
    environment.update(options.pop("environ", {}))
    command = [sys.executable, "-m", "image_retrieval", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, **options)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_ctrl_c_is_one_line_and_code_130_and_a_closed_pipe_is_silent(tmp_path, cat):
    for number in range(400):
        Image.new("RGB", (9, 9), (number % 256, number // 256, 0)).save(
            str(tmp_path / f"{number}.png")
        )
    running = program(
        "index", tmp_path, "--size", 224, stderr=subprocess.PIPE, preexec_fn=heed_ctrl_c
    )
    end = time.monotonic() + 120
    while not (tmp_path / ".image-retrieval" / "pictures.sqlite").exists():
        assert running.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    told = running.communicate()[1].decode()
    assert running.returncode == 130
    assert told.splitlines()[-1] == "interrupted: the same command goes on from here"
    assert "Traceback" not in told
    reader, writer = os.pipe()
    os.close(reader)
    silent = program("extract", cat[0], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert silent.communicate()[1] == b"" and silent.returncode == 141


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_a_terminal_gets_pictures_and_captions(cat):
    import pty

    keyboard, screen = pty.openpty()
    environ = {"TERM": "xterm-kitty", "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    running = program("search", cat[0], "-k", 5, stdout=screen, environ=environ)
    os.close(screen)
    shown = b""
    while True:
        try:
            part = os.read(keyboard, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(keyboard)
    assert running.wait() == 0
    # Six pictures, four a row.
    assert shown.count(b"a=T,f=100") == 2
    assert b"query               1 cat" in shown


def test_the_command_is_in_both_editions_environments():
    for folder in (".venv", ".venv-portable"):
        script = ROOT / folder / "bin" / "image-retrieval"
        if script.parent.is_dir():
            done = subprocess.run([str(script), "--help"], stdout=subprocess.PIPE, check=True)
            assert b"usage: image-retrieval" in done.stdout
