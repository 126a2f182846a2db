"""What the papers beside the code name is there, and they agree with each other."""

import re

import pytest
import yaml

from conftest import ROOT

PAPERS = [
    path
    for folder in (".", "docs", "portable", ".github")
    for path in sorted((ROOT / folder).glob("*.md"))
]
FORMS = sorted((ROOT / ".github").rglob("*.yml")) + [ROOT / ".pre-commit-config.yaml"]


def links(text):
    """Return the addresses of links and pictures inside this repository."""
    found = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)", text, re.MULTILINE)
    return [inline or named for inline, named in found if "://" not in inline + named]


def anchors(text):
    """Return the anchors that a page's headings get."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAPERS, ids=[str(path.relative_to(ROOT)) for path in PAPERS])
def test_links_lead_somewhere(path):
    for link in links(path.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("path", PAPERS, ids=[str(path.relative_to(ROOT)) for path in PAPERS])
def test_commands_of_make_exist(path):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):|(with-[a-z]+)", makefile, re.M))
    targets = {name for names in targets for name in names}
    named = re.findall(r"(?:^|`)make ([a-z][a-z0-9-]*)", path.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= targets


def test_files_named_in_contributing_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|md|txt|json))`", text)
    assert named
    folders = (ROOT, ROOT / "image_retrieval")
    missing = [
        name
        for name in named
        if not any((folder / name).exists() for folder in folders) and "NN_" not in name
    ]
    assert missing == []


@pytest.mark.parametrize("path", FORMS, ids=[path.name for path in FORMS])
def test_forms_are_yaml(path):
    assert yaml.safe_load(path.read_text("utf-8"))


def test_one_version_everywhere():
    project = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    released = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"]
    assert project.group(1) == released[0] == cited
