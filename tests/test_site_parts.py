"""What the site is made of, without building it."""

import pytest

from conftest import ROOT, has_real_turicreate
from tools.site import address, index, lite, pages, wheels

ALL = {ROOT / "README.md", ROOT / "docs" / "recipe.md"}
README = ROOT / "README.md"


def mended(text, repository="", path=README):
    return pages.mend_links(text, path, ALL, repository)


def test_links_to_pages_pictures_and_other_hosts_stay():
    for text in (
        "[a](docs/recipe.md#why)",
        "[a](#here)",
        "[a](https://arxiv.org)",
        "![a](docs/images/retrieval.png)",
    ):
        assert mended(text) == text
    assert mended("[a](../README.md)", path=ROOT / "docs" / "recipe.md") == "[a](../README.md)"


def test_links_to_what_is_no_page_lead_to_the_repository_if_it_has_an_address():
    assert mended("see [the code](portable)") == "see the code"
    found = mended("see [the code](portable)", "https://github.com/a/b")
    assert found == "see [the code](https://github.com/a/b/blob/HEAD/portable)"


def test_launchers_need_an_address():
    assert address.launchers("", "notebooks/01_x.ipynb") == []
    links = dict(address.launchers("https://github.com/a/b", "notebooks/01_x.ipynb"))
    assert "/github/a/b/blob/HEAD/colab.ipynb" in links["Colab"]
    assert "/gh/a/b/HEAD?urlpath=lab/tree/notebooks/01_x.ipynb" in links["Binder"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem
)
def test_every_notebook_states_its_time(path):
    lesson = index.read_lesson(path)
    assert lesson.title and lesson.needs
    assert 10 <= lesson.minutes <= 90
    assert 10 <= lesson.exercises <= 60


def test_a_tab_starts_no_thread_for_progress_bars(monkeypatch):
    tqdm = pytest.importorskip("tqdm").tqdm
    monkeypatch.setattr(tqdm, "monitor_interval", 10)
    lines = [line for line in lite.SETUP.splitlines() if not line.startswith("%")]
    exec("\n".join(lines), {})
    assert tqdm.monitor_interval == 0


@pytest.mark.skipif(has_real_turicreate(), reason="the portable edition refuses to run beside it")
def test_what_a_tab_installs_of_the_sample_needs_no_unpacking(tmp_path):
    turicreate = pytest.importorskip("turicreate")
    table = turicreate.SFrame({"id": [1, 2], "label": ["cat" * 1000, "dog"]})
    table.save(str(tmp_path / "packed"))
    (tmp_path / "packed" / "extraction.json").write_text("{}")
    wheels.store_plain(tmp_path / "packed", tmp_path / "plain")
    segments = {
        name: b"".join(each.read_bytes() for each in (tmp_path / name).glob("*.0000"))
        for name in ("packed", "plain")
    }
    assert b"cat" * 1000 in segments["plain"] and b"cat" * 1000 not in segments["packed"]
    again = turicreate.SFrame(str(tmp_path / "plain"))
    assert list(again["label"]) == list(table["label"])
    assert (tmp_path / "plain" / "extraction.json").read_text() == "{}"


def test_which_notebooks_run_in_a_tab():
    names = [path.name for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    chosen = [name.partition("_")[0] for name in names if lite.runs_in_a_tab(name)]
    assert tuple(chosen) == lite.BEGINNINGS
