import errno
import os
import subprocess
import sys

import pytest
from cifar10_archives import make_archive, stub_features
from PIL import Image

from image_retrieval import cli
from image_retrieval.datasets import load, locate

COMMANDS = (
    *("search", "index", "duplicates", "extract", "evaluate", "info", "completion"),
    *("cifar10", "caltech101", "folder"),
)


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr("image_retrieval.features.extract", stub_features)


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_the_module_runs_as_a_program_and_lists_its_commands():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-m", "image_retrieval", "--help"]
    done = subprocess.run(program, env=environment, stdout=subprocess.PIPE, check=True)
    shown = done.stdout.decode().split()
    for command in COMMANDS:
        assert command in shown


def test_help_imports_neither_turi_create_nor_a_network():
    code = (
        "import sys; from image_retrieval import cli\n"
        "try: cli.main(['cifar10', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'turicreate', 'tensorflow', 'onnxruntime', 'sklearn'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
    assert done.stdout.decode().splitlines()[-1] == "set()"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: image-retrieval {command}" in shown
    assert f"example: image-retrieval {command}" in shown
    assert "None" not in shown


def test_cifar10_builds_and_says_what_it_did(tmp_path, capsys, stub):
    archive = make_archive(tmp_path / "a.tar.gz")
    output = tmp_path / "my data"
    arguments = ["--train", 41, "--test", 20, "--seed", 3, "--output", output]
    assert run("cifar10", "--archive", archive, *arguments) == 0
    shown = capsys.readouterr().out
    for part in (
        "my data: 41 training and 20 test images in ",
        "automobile ",
        " images per second",
    ):
        assert part in shown
    assert f"IMAGE_RETRIEVAL_DATA='{output}' make run" in shown
    assert [len(sframe) for sframe in load(output)] == [41, 20]


def test_folder_builds_and_names_what_it_left_out(tmp_path, capsys, stub):
    for number in range(8):
        path = tmp_path / "in" / "ab"[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    (tmp_path / "in" / "a" / "broken.jpg").write_text("x")
    assert run("folder", tmp_path / "in", "--output", tmp_path / "out", "--test-size", 0.5) == 0
    shown = capsys.readouterr().out
    assert "4 training and 4 test images" in shown
    assert "Left out, as no readable pictures: 1" in shown
    assert "broken.jpg" in shown
    assert len(load(tmp_path / "out")[0]) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ["cifar10", "--archive", "nowhere.tar.gz"],
        ["cifar10", "--archive", "."],
        ["folder", "nowhere"],
    ],
)
def test_errors_are_one_line_and_write_nothing(tmp_path, capsys, arguments):
    output = tmp_path / "data"
    assert run(*arguments, "--output", output) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ([], "efficientnet_lite2 at 160 px"),
        (["--size", 32, "--flip"], "efficientnet_lite2 at 32 px, with mirror images"),
        (["--backbone", "pixels:8"], "pixels at 8 px"),
        (["--backbone", "pixels", "--size", 9], "pixels at 9 px"),
        (["--backbone", "pixels:8, pixels:4"], "pixels at 8 px + pixels at 4 px"),
        (["--backbone", "pixels:8,pixels", "--recipe"], "8 px, recipe + pixels at 32 px, recipe"),
    ],
)
def test_options_say_how_features_are_made_and_the_data_remembers(
    tmp_path, capsys, monkeypatch, options, made
):
    archive, output = make_archive(tmp_path / "a.tar.gz"), tmp_path / "out"
    if "--recipe" not in options and "--backbone" not in options:
        monkeypatch.setattr("image_retrieval.features.extract", stub_features)
    arguments = ["--archive", archive, "--train", 24, "--test", 12, "--output", output, *options]
    assert run("cifar10", *arguments) == 0
    assert made in capsys.readouterr().out
    assert made in str(locate(output).extraction)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backbone", "vgg16"], "vgg16"),
        (["--backbone", "pixels:big"], "--backbone pixels:big: the size must be a whole number"),
        (["--backbone", "pixels,pixels:8", "--weights", "w"], "weights='w' fit one backbone"),
        (["--backbone", "efficientnet_lite0", "--weights", "missing.bin"], "missing.bin"),
        (["--size", 3], "size=3"),
    ],
)
def test_a_bad_extraction_is_one_line_before_anything_is_read(tmp_path, capsys, options, message):
    output = ["--archive", tmp_path / "not read", "--output", tmp_path / "out"]
    assert run("cifar10", *output, *options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def failing(error):
    def run(card, args):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("go on"), 130, "interrupted: go on"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 2, "No space left on device: 'x'"),
        (OSError("first\nsecond"), 2, "error: first second"),
    ],
)
def test_interrupts_and_a_full_disk_are_one_line(monkeypatch, capsys, error, code, line):
    monkeypatch.setattr("image_retrieval.commands.build.run", failing(error))
    assert run("cifar10") == code
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == 1


def test_a_mistake_in_the_program_is_one_line_and_keeps_its_traceback(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("image_retrieval.commands.build.run", failing(KeyError("x\x1b[2J")))
    assert run("cifar10") == 2
    shown = capsys.readouterr().err
    (details,) = tmp_path.iterdir()
    assert shown.startswith("error: KeyError: 'x\\x1b[2J' (nobody foresaw this;")
    assert shown.count("\n") == 1
    assert str(details) in shown
    assert "Traceback" in details.read_text()
    assert "in run" in details.read_text()


def test_a_mistake_is_told_even_where_its_traceback_cannot_be_kept(monkeypatch, capsys):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    monkeypatch.setattr("image_retrieval.commands.build.run", failing(MemoryError()))
    assert run("cifar10") == 2
    assert capsys.readouterr().err == ("error: MemoryError: (its details could not be written)\n")


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["cifar10", "--train", "many"]])
def test_wrong_arguments_end_with_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
