"""The set-up, with interpreters and an uv that are scripts in a temporary folder."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import ROOT
from tools.environment.build import ensure, stamp_of
from tools.environment.choice import choose
from tools.environment.editions import EDITIONS, SetupError
from tools.environment.folders import STAMP, fresh_folder, is_ready
from tools.environment.interpreters import candidates, find_python, what_is_wrong
from tools.environment.process import tool_environment
from tools.environment.uv import UV_VERSION

EDITION, PORTABLE = EDITIONS["turicreate"], EDITIONS["portable"]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

FAKE_UV = """
echo "$@" >> "$UV_LOG"
case "$1 $2" in
"venv --quiet")
    for folder; do :; done
    mkdir -p "$folder/bin" && touch "$folder/pyvenv.cfg"
    ln -s "$(command -v fake-python)" "$folder/bin/python" ;;
"pip install")
    [ -z "$UV_SLEEP" ] || sleep "$UV_SLEEP"
    exit "${UV_FAILS:-0}" ;;
"python install") [ -n "$UV_PYTHON" ] || { echo "error: no network"; exit 2; } ;;
"python find") echo "$UV_PYTHON" ;;
esac
"""


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def python(path, version="3.8", machine="x86_64", bits=64, then=""):
    """Write a stand-in that answers the probe like an interpreter."""
    return script(path, f'echo "{version} {machine} {bits}"\n{then}')


@pytest.fixture
def home(tmp_path):
    """A home without any Python, and the variables that lead to it."""
    (tmp_path / "bin").mkdir()
    return tmp_path, {"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}


@pytest.fixture
def project(tmp_path, home):
    """A project with requirements and a ready stand-in for uv, and the variables for it."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text("a==1\n")
    uv = root / "build" / "uv"
    script(uv / "bin" / "uv", FAKE_UV)
    script(uv / "bin" / "python", "exit 1")
    (uv / STAMP).write_text(f"{UV_VERSION}\n{uv}\n")
    packages = tmp_path / "packages"
    packages.mkdir()
    script(tmp_path / "bin" / "fake-python", f'echo "{packages}"')
    python(tmp_path / "bin" / "python3.8")
    environ = {**home[1], "UV_LOG": str(tmp_path / "uv.log")}
    return root, environ


def found(home):
    return find_python(home[0], EDITION, home[1], lock=None)


def test_named_interpreter_comes_first(home):
    folder, environ = home
    python(folder / "bin" / "python3.8")
    environ["PYTHON38"] = python(folder / "elsewhere" / "mine")
    assert found(home) == (environ["PYTHON38"], "$PYTHON38")


def test_named_interpreter_may_be_a_command(home):
    folder, environ = home
    path = python(folder / "bin" / "mine")
    environ["PYTHON38"] = "mine"
    assert found(home)[0] == path


def test_a_shim_that_does_not_start_is_passed_over(home):
    folder, environ = home
    script(
        folder / "shims" / "python3.8", 'echo "pyenv: python3.8: command not found" >&2; exit 127'
    )
    environ["PATH"] = f"{folder / 'shims'}:{environ['PATH']}"
    path = python(folder / "bin" / "python3.8")
    assert found(home) == (path, "python3.8 on the PATH")


def test_the_newest_patch_of_pyenv_is_taken(home):
    folder, environ = home
    for version in ("3.8.2", "3.8.18", "3.8.9", "3.9.1", "3.8-dev"):
        python(folder / ".pyenv" / "versions" / version / "bin" / "python", version[:3])
    path, where = found(home)
    assert path.endswith("/3.8.18/bin/python") and where == "Python 3.8 of pyenv"


def test_pyenv_is_asked_for_its_root(home):
    folder, environ = home
    script(folder / "bin" / "pyenv", f'echo "{folder / "other"}"')
    path = python(folder / "other" / "versions" / "3.8.1" / "bin" / "python")
    assert found(home)[0] == path
    environ["PYENV_ROOT"] = str(folder / "third")
    newer = python(folder / "third" / "versions" / "3.8.5" / "bin" / "python")
    assert found(home)[0] == newer


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"version": "3.11"}, "is Python 3.11, not 3.8"),
        ({"machine": "arm64"}, "is a build for arm64, not x86_64"),
        ({"machine": "i686", "bits": 32}, "is a build for i686"),
        ({"bits": 32}, "is a 32-bit build"),
        ({"then": "echo 'ImportError: no _ssl'; exit 1"}, "lacks a part.*no _ssl"),
    ],
)
def test_what_does_not_fit_is_said(home, answer, problem):
    path = python(home[0] / "bin" / "python3.8", **answer)
    assert re.search(problem, what_is_wrong(path, EDITION, home[1]))


def test_windows_name_of_the_processor_fits(home):
    path = python(home[0] / "bin" / "python3.8", machine="AMD64")
    assert what_is_wrong(path, EDITION, home[1]) is None


def test_this_interpreter_is_understood(home):
    problem = what_is_wrong(sys.executable, EDITION, os.environ)
    major, minor = sys.version_info[:2]
    assert problem == (None if minor == 8 else f"is Python {major}.{minor}, not 3.8")


def test_uv_installs_one_when_there_is_none(project, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    root, environ = project
    (root.parent / "bin" / "python3.8").unlink()
    environ["UV_PYTHON"] = python(root.parent / "managed" / "python3.8")
    assert find_python(root, EDITION, environ, None) == (environ["UV_PYTHON"], "Python 3.8 of uv")


def test_message_when_there_is_none(project, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    root, environ = project
    shim = script(root.parent / "bin" / "python3.8", "echo 'pyenv: not selected'; exit 127")
    python(root.parent / ".pyenv" / "versions" / "3.8.3" / "bin" / "python", machine="aarch64")
    with pytest.raises(SetupError) as caught:
        find_python(root, EDITION, environ, None)
    message = str(caught.value)
    assert message.startswith("No Python 3.8 for x86_64 was found: Turi Create")
    assert "$PYTHON38: not there" in message
    assert f"python3.8 on the PATH: {shim} does not start (pyenv: not selected)" in message
    assert "is a build for aarch64, not x86_64" in message
    assert "uv python install 3.8: error: no network" in message
    for way in ("uv:", "pyenv:", "PYTHON38=", "docker build"):
        assert way in message


def test_on_another_processor_uv_is_not_asked(project, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    root, environ = project
    (root.parent / "bin" / "python3.8").unlink()
    with pytest.raises(SetupError, match="on arm64"):
        find_python(root, EDITION, environ, None)
    assert not (root.parent / "uv.log").exists()


def test_every_candidate_is_named_once(home):
    names = [where for where, _ in candidates(EDITION, home[1])]
    assert [*dict.fromkeys(names)] == [
        "$PYTHON38",
        "python3.8 on the PATH",
        "Python 3.8 of pyenv",
        "python3 on the PATH",
    ]


def portable(home):
    return find_python(home[0], PORTABLE, home[1], lock=None)


def test_portable_takes_the_named_one_though_a_part_is_missing(home):
    folder, environ = home
    python(folder / "bin" / "python3.12", "3.12")
    environ["PORTABLE_PYTHON"] = python(folder / "elsewhere" / "mine", "3.13")
    assert portable(home) == (environ["PORTABLE_PYTHON"], "$PORTABLE_PYTHON")


def test_portable_takes_the_newest_that_runs_everything(home):
    folder, environ = home
    environ["PATH"] = str(folder / "bin")
    for version in ("3.10", "3.14"):
        python(folder / "bin" / f"python{version}", version)
    newer = python(folder / ".pyenv" / "versions" / "3.11.7" / "bin" / "python", "3.11")
    assert portable(home) == (newer, "Python 3.11 of pyenv")
    newest = python(folder / "bin" / "python3.12", "3.12")
    assert portable(home) == (newest, "python3.12 on the PATH")


def test_portable_takes_a_python3_without_a_number(home):
    folder, environ = home
    environ["PATH"] = str(folder / "bin")
    path = python(folder / "bin" / "python3", "3.11", machine="arm64")
    assert portable(home) == (path, "python3 on the PATH")


def test_a_python_that_lacks_a_part_is_taken_only_when_uv_has_none(project):
    root, environ = project
    environ["PATH"] = f"{root.parent / 'bin'}:/usr/bin:/bin"
    edition = PORTABLE._replace(versions=("3.99",))
    newest = python(root.parent / "bin" / "python3.14", "3.14")
    environ["UV_PYTHON"] = python(root.parent / "managed" / "python", "3.99")
    assert find_python(root, edition, environ, None)[1] == "Python 3.99 of uv"
    del environ["UV_PYTHON"]
    assert find_python(root, edition, environ, None) == (newest, "python3.14 on the PATH")


def test_what_a_lesser_python_lacks_is_said(project, capsys):
    root, environ = project
    (root / PORTABLE.requirements).write_text("a==1\n")
    newest = python(root.parent / "bin" / "python3.14", "3.14")
    ensure(root, PORTABLE, environ, (newest, "a test"))
    assert f"On this Python it lacks {PORTABLE.lacking}." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "machine", "possible"),
    [
        ("Linux", "x86_64", True),
        ("Darwin", "x86_64", True),
        ("Darwin", "arm64", False),
        ("Linux", "aarch64", False),
        ("Windows", "AMD64", False),
    ],
)
def test_automatic_choice_by_platform(project, monkeypatch, system, machine, possible):
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    root, environ = project
    choice = choose(root, None, environ)
    assert choice.name == ("turicreate" if possible else "portable")
    assert f"this is {system} on {machine}" in str(choice) or possible
    assert not (root.parent / "uv.log").exists()


@pytest.fixture
def without_38(project, monkeypatch):
    """A machine that Turi Create would run on, but for the Python."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    root, environ = project
    (root.parent / "bin" / "python3.8").unlink()
    (root / PORTABLE.requirements).write_text("a==1\n")
    newer = python(root.parent / "bin" / "python3.12", "3.12")
    return root, environ, newer


def test_automatic_choice_lets_uv_install_the_python(without_38):
    root, environ, _ = without_38
    environ["UV_PYTHON"] = python(root.parent / "managed" / "python3.8")
    choice = choose(root, None, environ)
    assert choice.name == "turicreate" and choice.found[0] == environ["UV_PYTHON"]


def test_automatic_choice_falls_back_says_why_and_keeps_it(without_38):
    root, environ, newer = without_38
    choice = choose(root, None, environ)
    assert re.match(
        "Edition: the portable edition. No Python 3.8 .*: Turi Create .* EDITION=turicreate ",
        str(choice),
    )
    ensure(root, PORTABLE, environ, (newer, "a test"))
    asked = (root.parent / "uv.log").read_text().count("python install")
    # Nothing is looked for again, even if a Python 3.8 came since.
    python(root.parent / "bin" / "python3.8")
    assert choose(root, None, environ) == choice
    assert (root.parent / "uv.log").read_text().count("python install") == asked == 1
    paths = (root.parent / "packages" / "image_retrieval.pth").read_text().split()
    assert [(root.parent / "packages" / path).resolve() for path in paths] == [
        root,
        root / "portable",
    ]


def test_an_environment_asked_for_by_name_is_no_automatic_choice(project, monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    root, environ = project
    (root / PORTABLE.requirements).write_text("a==1\n")
    assert choose(root, "portable", environ).name == "portable"
    ensure(root, PORTABLE, environ, (python(root.parent / "bin" / "p", "3.12"), "a test"))
    assert choose(root, None, environ).name == "turicreate"


def test_a_ready_environment_is_chosen_without_looking(project):
    root, environ = project
    ensure(root, EDITION, environ)
    nothing = {"PATH": "", "HOME": str(root)}
    assert choose(root, None, nothing).name == "turicreate"
    assert choose(root, "portable", nothing).name == "portable"
    with pytest.raises(SetupError, match="no edition 'nix'; there is: turicreate, portable"):
        choose(root, "nix", nothing)


def setups(environ):
    """Count how often an environment was made."""
    return Path(environ["UV_LOG"]).read_text().count("venv --quiet")


def test_environment_is_made_once(project, capsys):
    root, environ = project
    ensure(root, EDITION, environ)
    assert is_ready(root / ".venv", stamp_of(root, EDITION))
    assert "ready after" in capsys.readouterr().out
    ensure(root, EDITION, environ)
    assert capsys.readouterr().out == ""
    assert setups(environ) == 1
    line = (root.parent / "packages" / "image_retrieval.pth").read_text().strip()
    assert (root.parent / "packages" / line).resolve() == root


@pytest.mark.parametrize("what", ["requirements", "interpreter", "place", "stamp"])
def test_environment_out_of_date_is_made_again(project, what):
    root, environ = project
    ensure(root, EDITION, environ)
    (root / ".venv" / "old").write_text("")
    if what == "requirements":
        (root / "requirements.txt").write_text("a==2\n")
        os.utime(root / "requirements.txt", (0, 0))
    elif what == "interpreter":
        (root / ".venv" / "bin" / "python").unlink()
    elif what == "place":
        root = root.rename(root.with_name("moved"))
        uv = root / "build" / "uv"
        (uv / STAMP).write_text(f"{UV_VERSION}\n{uv}\n")
    else:
        (root / ".venv" / STAMP).unlink()
    ensure(root, EDITION, environ)
    assert setups(environ) == 2
    assert not (root / ".venv" / "old").exists()
    assert not [*root.glob(".venv.old-*")]


def test_touching_the_requirements_changes_nothing(project):
    root, environ = project
    ensure(root, EDITION, environ)
    os.utime(root / "requirements.txt")
    ensure(root, EDITION, environ)
    assert setups(environ) == 1


def test_failed_installation_is_not_taken_for_ready(project):
    root, environ = project
    with pytest.raises(SetupError, match="`uv pip install .*` ended with exit code 3"):
        ensure(root, EDITION, {**environ, "UV_FAILS": "3"})
    assert not is_ready(root / ".venv", stamp_of(root, EDITION))
    ensure(root, EDITION, environ)
    assert setups(environ) == 2


def test_environment_that_cannot_import_is_not_taken_for_ready(project):
    root, environ = project
    broken = 'case "$2" in "import turicreate") echo "libnsl.so.1: missing"; exit 1;; esac'
    script(root.parent / "bin" / "fake-python", f'{broken}\necho "{root.parent / "packages"}"')
    with pytest.raises(SetupError, match="`import turicreate` fails: libnsl.so.1: missing"):
        ensure(root, EDITION, environ)
    assert not is_ready(root / ".venv", stamp_of(root, EDITION))


def start(root, environ):
    """Start a set-up of its own process, as make does."""
    code = (
        "import os, pathlib; from tools.environment.build import ensure; "
        "from tools.environment.editions import EDITIONS; "
        f"ensure(pathlib.Path({str(root)!r}), EDITIONS['turicreate'], os.environ)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=str(ROOT),
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    )


def wait_for(path, text):
    for _ in range(200):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{text!r} never came into {path}")


def test_killed_set_up_is_not_taken_for_ready(project):
    root, environ = project
    process = start(root, {**environ, "UV_SLEEP": "60"})
    wait_for(root.parent / "uv.log", "pip install")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert (root / ".venv" / "bin" / "python").exists()
    assert not is_ready(root / ".venv", stamp_of(root, EDITION))
    ensure(root, EDITION, environ)
    assert is_ready(root / ".venv", stamp_of(root, EDITION))


def test_two_at_once_make_one(project):
    root, environ = project
    first = start(root, {**environ, "UV_SLEEP": "2"})
    wait_for(root.parent / "uv.log", "pip install")
    second = start(root, environ)
    said = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], said
    assert said[1] == "Another set-up is running here; waiting for it.\n"
    assert setups(environ) == 1


def test_a_folder_that_is_no_environment_is_left_alone(project):
    root, environ = project
    (root / ".venv").mkdir()
    (root / ".venv" / "thesis.txt").write_text("mine")
    with pytest.raises(SetupError, match="move it away"):
        ensure(root, EDITION, environ)
    assert (root / ".venv" / "thesis.txt").read_text() == "mine"


def test_leftovers_of_a_cut_removal_go(tmp_path):
    (tmp_path / ".venv.old-1" / "bin").mkdir(parents=True)
    with fresh_folder(tmp_path / ".venv", "s"):
        (tmp_path / ".venv").mkdir()
    assert [path.name for path in tmp_path.iterdir()] == [".venv"]


def test_registry_of_pip_is_uvs_too():
    environ = {"PIP_INDEX_URL": "https://mirror", "VIRTUAL_ENV": "x", "PYTHONPATH": "y"}
    assert tool_environment(environ)["UV_DEFAULT_INDEX"] == "https://mirror"
    assert "VIRTUAL_ENV" not in tool_environment(environ)
    chosen = {**environ, "UV_DEFAULT_INDEX": "https://other"}
    assert tool_environment(chosen)["UV_DEFAULT_INDEX"] == "https://other"


def make(*arguments, **environ):
    # The make that may run these tests hands its own options down.
    outer = {key: value for key, value in os.environ.items() if not key.startswith("MA")}
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=str(ROOT),
        env={**outer, **environ},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def test_make_passes_on_what_is_given_and_nothing_else():
    bare = make("-n", "cifar10", TRAIN="7", ARCHIVE="leak", SEED="3")
    assert re.search(r"-m image_retrieval cifar10[\s\\]*$", bare)
    given = make("-n", "cifar10", "ARCHIVE=a b.tar.gz", "TEST=8")
    assert re.search(r'cifar10 --archive "\$ARCHIVE"[\s\\]*--test "\$TEST"\s*$', given)


def test_make_helps_by_default_with_every_target():
    listed = make()
    targets = re.findall(r"^  make (\w+) +\w", listed, re.MULTILINE)
    assert {"run", "test", "lab", "notebooks", "cifar10", "lint", "clean"} <= set(targets)
    defined = re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(defined) - {"environment"} == set(targets)


def test_make_takes_the_edition_from_the_command_line_only():
    assert ".venv-portable" in make("-n", "test", "EDITION=portable")
    assert make("-n", "test", EDITION="nonsense") == make("-n", "test")


def pins(name):
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


BOTH = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)


@BOTH
def test_requirements_are_compiled_from_the_direct_ones(edition):
    text = (ROOT / edition.requirements).with_suffix(".in").read_text()
    direct = re.findall(r"^([\w.-]+)([=<]*)([\w.]*)(.*)$", text, re.M)
    pinned = pins(edition.requirements)
    for name, operator, version, reason in direct:
        assert "#" in reason, f"{name} is without a reason"
        assert name in pinned
        if operator == "==":
            assert pinned[name] == version


@BOTH
def test_requirements_hold_pins_and_nothing_of_a_machine(edition):
    for line in (ROOT / edition.requirements).read_text().splitlines():
        assert re.match(r"\s*#|[\w.-]+==[\w.]+( ; [^#;]+)?$", line), line
        assert "://" not in line and "--index" not in line and "/" not in line.replace("-r ", "")


def test_binder_is_made_of_the_portable_edition():
    folder = ROOT / "binder"
    assert (folder / "requirements.txt").read_text() == f"-r ../{PORTABLE.requirements}\n"
    version = (folder / "runtime.txt").read_text().strip().replace("python-", "")
    assert version in PORTABLE.versions
    assert os.access(str(folder / "postBuild"), os.X_OK)
    assert "tools.environment link portable" in (folder / "postBuild").read_text()


def test_buttons_and_colab_name_the_same_repository():
    links = re.findall(r"/(?:github|gh)/([^/]+/[^/]+)/", (ROOT / "README.md").read_text())
    notebook = json.loads((ROOT / "colab.ipynb").read_text(encoding="utf-8"))
    code = "".join(notebook["cells"][1]["source"])
    assert len(links) == 2
    assert {*links} == {re.search(r'^REPOSITORY = "(.*?)"', code, re.MULTILINE).group(1)}
    assert PORTABLE.requirements.replace(".txt", ".in") in code
    assert all(f'"{path}"' in code for path in PORTABLE.paths)


def test_container_is_made_of_the_same():
    text = (ROOT / "Dockerfile").read_text()
    image = re.search(r"^FROM --platform=linux/amd64 python:([\d.]+)-slim$", text, re.MULTILINE)
    assert image.group(1) in EDITION.versions
    assert f"COPY {EDITION.requirements} " in text
    assert re.findall(r"^USER (\w+)$", text, re.MULTILINE)[-1] != "root"
    command = json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE).group(1))
    assert command[:2] == ["jupyter", "lab"]
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    folder = ROOT / ".devcontainer"
    assert (folder / container["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert f"USER {container['remoteUser']}" in text
