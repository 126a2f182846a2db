"""The set-up, with interpreters and an uv that are scripts in a temporary folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from tools.environment import pythons
from tools.environment.editions import EDITIONS, PORTABLE, TURICREATE
from tools.environment.uv import VERSION, ask

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

FAKE_UV = """
echo "$@" >> "$UV_LOG"
for last; do :; done
case "$1 $2" in
"--version ") echo "uv VERSION (a stand-in)" ;;
"venv -q") mkdir -p "$last/bin" && touch "$last/pyvenv.cfg" && ln -sf "$PROOF" "$last/bin/python" ;;
"pip install") cat >> "$UV_LOG"; env >> "$UV_LOG.env"; exit "${UV_FAILS:-0}" ;;
"python install") [ -n "$UV_HAS" ] || { echo "error: no network" >&2; exit 2; } ;;
"python list")
    IFS=:
    grep -qs "python install" "$UV_LOG" && PATH="$PATH:$UV_HAS"
    for folder in $PATH; do
        case "$folder" in /bin | /usr/bin) continue ;; esac
        path="$folder/python$last"
        [ ! -x "$path" ] || found="$found${found:+,}{\\"path\\": \\"$path\\"}"
    done
    echo "[$found]" ;;
esac
"""


def script(path, text="exit 0"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def project(tmp_path):
    """A project with a stand-in for uv, a home without any Python, and the variables for both."""
    root = tmp_path / "project"
    shutil.copytree(str(ROOT / "tools" / "environment"), str(root / "tools" / "environment"))
    shutil.copy(str(ROOT / "tools" / "__init__.py"), str(root / "tools"))
    for edition in EDITIONS.values():
        (root / edition.pins).write_text("a==1\n")
    script(root / "build" / "uv" / "bin" / "uv", FAKE_UV.replace("VERSION", VERSION))
    environ = {
        "HOME": str(tmp_path),
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "UV_LOG": str(tmp_path / "uv.log"),
        "PROOF": script(tmp_path / "proof"),
    }
    return root, environ


def command(project, *arguments, **variables):
    root, environ = project
    # The platform is that of the machine under test, whatever this one is.
    code = (
        "import platform, runpy; platform.system = lambda: 'Linux'; "
        f"platform.machine = lambda: {variables.pop('machine', 'x86_64')!r}; "
        "runpy.run_module('tools.environment', run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=str(root),
        env={**environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def setup(project, *arguments, **variables):
    done = command(project, "setup", *arguments, **variables)
    assert done.returncode == 0, done.stdout
    return done.stdout


def log(project):
    return Path(project[1]["UV_LOG"]).read_text()


def test_named_interpreter_comes_first(project):
    home = project[0].parent
    script(home / "bin" / "python3.8")
    mine = script(home / "elsewhere" / "mine")
    assert f"Setting up .venv with {mine}." in setup(project, "turicreate", PYTHON38=mine)
    assert f"--python {mine} .venv" in log(project)


def test_named_interpreter_may_be_a_command_and_lack_a_part(project):
    home = project[0].parent
    script(home / "bin" / "python3.12")
    path = script(home / "bin" / "mine")
    assert f"with {path}." in setup(project, "portable", PORTABLE_PYTHON="mine")


def test_the_newest_patch_of_pyenv_is_taken_and_a_shim_that_does_not_start_passed_over(project):
    home = project[0].parent
    script(home / "bin" / "python3.8", 'echo "pyenv: python3.8: command not found" >&2; exit 127')
    for version in ("3.8.2", "3.8.18", "3.8.9", "3.9.1"):
        script(home / ".pyenv" / "versions" / version / "bin" / f"python{version[:3]}")
    assert "/3.8.18/bin/python3.8." in setup(project, "turicreate")


def test_pyenv_may_have_another_root(project):
    home = project[0].parent
    path = script(home / "other" / "versions" / "3.8.5" / "bin" / "python3.8")
    assert path in setup(project, "turicreate", PYENV_ROOT=str(home / "other"))


def test_what_does_not_fit_is_said():
    probe = pythons._PROBE
    version = sys.version_info[:2]
    assert ask(sys.executable, "-I", "-c", probe.format(versions=[version]))[1] == ""
    problem = ask(sys.executable, "-I", "-c", probe.format(versions=[(3, 7)]))[1]
    assert problem == f"AssertionError: it is Python {version[0]}.{version[1]}"


def test_a_python_without_ssl_is_passed_over_and_uv_installs_one(project):
    home = project[0].parent
    script(home / "bin" / "python3.8", "echo 'ImportError: no _ssl' >&2; exit 1")
    script(home / "managed" / "python3.8")
    said = setup(project, "turicreate", UV_HAS=str(home / "managed"))
    assert f"with {home / 'managed' / 'python3.8'}." in said


def test_message_when_there_is_none(project):
    shim = script(project[0].parent / "bin" / "python3.8", "echo 'no _ssl' >&2; exit 1")
    done = command(project, "setup", "turicreate")
    assert done.returncode == 1
    assert "No Python 3.8 that fits was found. Tried:" in done.stdout
    assert f"{shim}: no _ssl" in done.stdout
    assert "uv python install (error: no network)" in done.stdout
    for way in ("pyenv:", "PYTHON38=", "docker build"):
        assert way in done.stdout


def test_a_python_that_lacks_a_part_is_taken_only_when_uv_has_none(project):
    home = project[0].parent
    lesser = script(home / "bin" / "python3.14")
    script(home / "managed" / "python3.12")
    assert PORTABLE.lesser[0] == "3.14" and PORTABLE.versions[0] == "3.12"
    assert "/managed/python3.12." in setup(project, "portable", UV_HAS=str(home / "managed"))
    shutil.rmtree(str(project[0] / PORTABLE.folder))
    Path(project[1]["UV_LOG"]).unlink()
    assert f"with {lesser}." in setup(project, "portable")


def test_portable_takes_the_newest_that_runs_everything(project):
    home = project[0].parent
    for version in ("3.10", "3.11", "3.14"):
        script(home / "bin" / f"python{version}")
    assert "/python3.11." in setup(project, "portable")


def test_on_another_processor_uv_is_not_asked_for_python_38(project):
    script(project[0].parent / "bin" / "python3.12")
    said = setup(project, machine="arm64")
    assert "Edition: the portable edition. Turi Create 6.4.1 has no wheel" in said
    assert "this is Linux on arm64. EDITION=turicreate decides otherwise." in said
    assert "3.8" not in log(project)


def test_automatic_choice_falls_back_says_why_and_keeps_it(project):
    home = project[0].parent
    script(home / "bin" / "python3.12")
    assert "No Python 3.8 was found: Turi Create" in setup(project)
    asked = log(project).count("python install")
    # Nothing is looked for again, even if a Python 3.8 came since.
    script(home / "bin" / "python3.8")
    assert setup(project).startswith("Edition: the portable edition. No Python 3.8 was found")
    assert log(project).count("python install") == asked == 1


def test_an_environment_asked_for_by_name_is_no_automatic_choice(project):
    for version in ("3.8", "3.12"):
        script(project[0].parent / "bin" / f"python{version}")
    setup(project, "portable")
    assert setup(project).startswith("Edition: Turi Create. There is a Python 3.8;")
    assert setup(project).startswith("Edition: Turi Create. It is set up in .venv;")
    unknown = command(project, "setup", "nix")
    assert unknown.stdout == "no edition 'nix'; there is: turicreate, portable\n"


def test_an_extra_is_added_to_what_is_there(project):
    script(project[0].parent / "bin" / "python3.8")
    setup(project, "turicreate")
    first = log(project)
    setup(project, "turicreate", "+app", "+bench")
    added = log(project)[len(first) :]
    assert "venv -q" in first and "venv -q" not in added
    assert "-r requirements.txt -r - -c requirements-all.txt\n-e .[app,bench]\n" in added
    assert "requirements-all.txt" not in first


def test_a_tool_has_an_environment_of_its_own(project):
    root = project[0]
    script(root.parent / "bin" / "python3.12")
    (root / "requirements-site.txt").write_text("a==1\n")
    assert setup(project, "site").startswith("Setting up .venv-site")
    assert "--python .venv-site/bin/python -r requirements-site.txt\n" in log(project)
    assert command(project, "python", "site").stdout == ".venv-site/bin/python\n"


def test_a_dead_interpreter_is_made_again(project):
    script(project[0].parent / "bin" / "python3.8")
    setup(project, "turicreate")
    (project[0] / ".venv" / "bin" / "python").unlink()
    setup(project, "turicreate")
    assert log(project).count("venv -q") == 2 and log(project).count("--clear") == 1


def test_failed_installation_is_said_and_goes_on(project):
    script(project[0].parent / "bin" / "python3.8")
    done = command(project, "setup", "turicreate", UV_FAILS="3")
    assert done.returncode == 1
    assert re.search("The set-up stopped: `.*uv pip install .*` failed; its message", done.stdout)
    setup(project, "turicreate")
    assert log(project).count("venv -q") == 1 and log(project).count("pip install") == 2


def test_environment_that_cannot_import_is_not_taken_for_ready(project):
    script(project[0].parent / "bin" / "python3.8")
    broken = script(project[0].parent / "broken", "echo 'libnsl.so.1: missing' >&2; exit 1")
    for _ in range(2):
        done = command(project, "setup", "turicreate", PROOF=broken)
        assert done.returncode == 1
        assert "import turicreate, image_retrieval` fails: libnsl.so.1: missing" in done.stdout


def test_uv_leaves_a_folder_alone_that_is_no_environment(project):
    script(project[0].parent / "bin" / "python3.8")
    (project[0] / ".venv").mkdir()
    (project[0] / ".venv" / "thesis.txt").write_text("mine")
    setup(project, "turicreate")
    assert "--clear" not in log(project)


def test_registry_of_pip_is_uvs_too_and_another_python_is_left_out(project):
    script(project[0].parent / "bin" / "python3.8")
    setup(project, "turicreate", PIP_INDEX_URL="https://mirror", VIRTUAL_ENV="x", CONDA_PREFIX="z")
    told = Path(f"{project[1]['UV_LOG']}.env").read_text()
    assert "UV_DEFAULT_INDEX=https://mirror\n" in told
    assert "VIRTUAL_ENV" not in told and "CONDA_PREFIX" not in told
    setup(project, "turicreate", PIP_INDEX_URL="https://mirror", UV_DEFAULT_INDEX="https://other")
    assert "UV_DEFAULT_INDEX=https://other\n" in Path(f"{project[1]['UV_LOG']}.env").read_text()


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


def test_the_lab_takes_options_and_runs_as_root_only_where_root_starts_it():
    given = make("-n", "lab", "PORT=9000", "ARGS=--no-browser", LAB_OPTIONS="--ip=0.0.0.0")
    bare = make("-n", "lab", PORT="1", ARGS="leak")
    assert '--port "$PORT"' in given and "$ARGS" in given and "$LAB_OPTIONS" in given
    assert "$PORT" not in bare and "$ARGS" not in bare
    assert 'test "$(id -u)" != 0 || echo --allow-root' in bare


def test_what_only_a_command_needs_is_installed_by_it():
    added = {"test": "dev", "lint": "dev", "app": "app", "grade": "classroom", "bench": "bench"}
    for target, extra in added.items():
        assert re.search(rf"tools.environment setup .*\+{extra}$", make("-n", target), re.MULTILINE)
    for target in ("run", "lab"):
        assert not re.search(r"setup .*\+", make("-n", target))


def test_the_wheel_holds_what_is_not_python():
    text = (ROOT / "pyproject.toml").read_text()
    kinds = set(
        re.findall(r'"\*(\.\w+)"', re.search(r'^"\*" = (.*)$', text, re.MULTILINE).group(1))
    )
    files = [path for path in (ROOT / "image_retrieval").rglob("*.*") if path.is_file()]
    assert {path.suffix for path in files} - {".py", ".pyc"} <= kinds


def test_make_takes_the_edition_from_the_command_line_only():
    assert ".venv-portable" in make("-n", "test", "EDITION=portable")
    assert make("-n", "test", EDITION="nonsense") == make("-n", "test")


def pins(name):
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


BOTH = pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS)


def direct(first="dependencies = [", end="[dependency-groups]"):
    """Return name, version and the rest of each line of pyproject.toml that names a dependency."""
    text = (ROOT / "pyproject.toml").read_text()
    listed = text[text.index(first) : text.index(end)]
    return re.findall(r'^    "([\w.-]+)(\S*?)[";](.*)$', listed, re.MULTILINE)


def test_every_dependency_has_a_reason():
    every = direct(end="[project.scripts]")
    assert len(every) > 30
    assert [name for name, _, rest in every if "#" not in rest and "[" not in rest] == [
        "image-retrieval"
    ]


@BOTH
def test_pins_are_compiled_from_pyproject_and_a_student_has_what_the_extras_are_pinned_to(edition):
    student, everything = ((ROOT / path).read_text() for path in (edition.pins, edition.all_pins))
    pinned = pins(edition.all_pins)
    names = {name for name, _, _ in direct()} - {"image-retrieval"}
    missing = names - set(pinned)
    assert missing == (set() if edition is TURICREATE else {"turicreate", "tensorflow"})
    both = [{*re.findall(r"^[\w.-]+==\S+", text, re.MULTILINE)} for text in (student, everything)]
    assert len(both[0]) > 100 and both[0] <= both[1]
    assert not {"openvino", "nbgrader", "voila", "playwright", "ruff"} & set(pins(edition.pins))
    assert {"pytest", "nbval", "faiss-cpu", "jupyterlab"} <= set(pins(edition.pins))


def test_a_tool_has_pins_of_its_own():
    names = {name for name, _, _ in direct("\nsite = [", "[project.scripts]")}
    assert {"jupyter-book", "jupyterlite-core"} <= names <= set(pins("requirements-site.txt"))


@BOTH
def test_requirements_hold_pins_and_nothing_of_a_machine(edition):
    for path in (edition.pins, edition.all_pins):
        for line in filter(None, (ROOT / path).read_text().splitlines()):
            assert re.match(r"\s*#|-e \.(/portable)?$|[\w.-]+==[\w.]+( ; [^#;]+)?$", line), line
            assert "://" not in line and "--index" not in line


def test_binder_is_made_of_the_portable_edition():
    folder = ROOT / "binder"
    assert (folder / "requirements.txt").read_text() == f"-r ../{PORTABLE.pins}\n"
    version = (folder / "runtime.txt").read_text().strip().replace("python-", "")
    assert version in PORTABLE.versions
    assert "-e .\n-e ./portable\n" in (ROOT / PORTABLE.pins).read_text()


def test_buttons_and_colab_name_the_same_repository():
    links = re.findall(r"/(?:github|gh)/([^/]+/[^/]+)/", (ROOT / "README.md").read_text())
    notebook = json.loads((ROOT / "colab.ipynb").read_text(encoding="utf-8"))
    code = "".join(notebook["cells"][1]["source"])
    assert len(links) == 2
    assert {*links} == {re.search(r'^REPOSITORY = "(.*?)"', code, re.MULTILINE).group(1)}
    assert f'"{PORTABLE.pins}"' in code


def test_container_is_made_of_the_same():
    text = (ROOT / "Dockerfile").read_text()
    image = re.search(r"^FROM --platform=linux/amd64 python:([\d.]+)-slim-\w+$", text, re.MULTILINE)
    assert image.group(1).rpartition(".")[0] in TURICREATE.versions
    assert f"COPY {TURICREATE.all_pins} " in text
    assert re.findall(r"^USER (\w+)$", text, re.MULTILINE)[-1] != "root"
    assert json.loads(re.search(r"^CMD (\[.*\])$", text, re.MULTILINE).group(1)) == ["make", "lab"]
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    folder = ROOT / ".devcontainer"
    assert (folder / container["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert f"USER {container['remoteUser']}" in text
