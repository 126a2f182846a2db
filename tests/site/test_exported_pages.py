"""The pages of `make run`, a saved map and a saved gallery, as readers meet them in Chromium."""

import nbformat
import numpy as np
import pytest
from browsing import findings

from conftest import ROOT
from image_retrieval import explore, interactive_map
from tools.notebooks.page import title_of, to_html

pytestmark = pytest.mark.site

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
VIEWS = {
    "light": {"color_scheme": "light", "width": 1240},
    "dark": {"color_scheme": "dark", "width": 1240},
    "phone": {"color_scheme": "light", "width": 390},
    "dark phone": {"color_scheme": "dark", "width": 390},
    "print": {"color_scheme": "light", "width": 718, "media": "print"},
}
# What neither fits nor scrolls: its text ends behind the edge of a box that hides it.
CUT_OFF = """() => [...document.querySelectorAll("pre, .jp-OutputArea-output")].filter(part => {
    const style = getComputedStyle(part), over = part.scrollWidth > part.clientWidth + 1;
    return over && part.clientWidth && !["auto", "scroll"].includes(style.overflowX);
}).map(part => part.innerText.slice(0, 80))"""
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look(page, color_scheme, width, media="screen"):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=color_scheme, media=media)


@pytest.fixture
def page(browser):
    opened = browser.new_page()
    yield opened
    opened.close()


def visit(page, path, text):
    path.write_text(text, encoding="utf-8")
    page.goto(path.as_uri())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_page_of_a_notebook_keeps_nobody_out_and_cuts_nothing_off(path, page, axe, tmp_path):
    notebook = nbformat.read(str(path), as_version=4)
    visit(page, tmp_path / "page.html", to_html(notebook, title_of(notebook, path.stem)))
    assert page.title()[0].isdigit() and page.get_attribute("html", "lang") == "en"
    for name, view in VIEWS.items():
        look(page, **view)
        assert (name, findings(page, axe)) == (name, [])
        assert (name, page.evaluate(OVER), page.evaluate(CUT_OFF)) == (name, 0, [])


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_page_follows_the_readers_scheme_and_prints_light(page, tmp_path):
    notebook = nbformat.read(str(NOTEBOOKS[0]), as_version=4)
    visit(page, tmp_path / "page.html", to_html(notebook, "1. One"))
    shades = {}
    for name, view in VIEWS.items():
        look(page, **view)
        shades[name] = background(page)
    assert shades["light"] == shades["phone"] == "rgb(255, 255, 255)"
    assert shades["dark"] == shades["dark phone"] == "rgb(17, 17, 17)"
    look(page, "dark", 718, "print")
    assert background(page) == shades["print"] == "rgb(255, 255, 255)"


def test_what_is_cut_off_and_what_keeps_people_out_would_be_found(page, axe, tmp_path):
    long = f"<pre style='overflow:hidden;white-space:pre'>{'x' * 400}</pre>"
    visit(page, tmp_path / "page.html", f"<html lang=en><title>t</title>{long}<img src='data:,'>")
    assert page.evaluate(CUT_OFF) == ["x" * 80]
    assert [name for name, _ in findings(page, axe)] == ["image-alt"]


@pytest.fixture(scope="module")
def pictures():
    return np.random.RandomState(0).randint(0, 256, (12, 8, 8, 3)).astype(np.uint8)


def test_saved_map_has_names_and_all_of_it_is_printed(page, axe, pictures, tmp_path):
    points = np.random.RandomState(0).rand(12, 2)
    interactive_map(points, pictures, ["cat", "dog"] * 6, title="Space").save(tmp_path / "m.html")
    look(page, **VIEWS["light"])
    page.goto((tmp_path / "m.html").as_uri())
    page.get_by_role("button", name="Reset").wait_for()
    assert page.get_by_role("heading", name="Space").count() == 1
    for name, view in VIEWS.items():
        look(page, **view)
        assert (name, findings(page, axe)) == (name, [])
    # As the window was when the printing began.
    look(page, **VIEWS["light"])
    page.wait_for_function("document.getElementById('map').offsetWidth > 1000")
    page.emulate_media(media="print")
    page.wait_for_function("document.getElementById('map').getBoundingClientRect().width <= 601")
    page.emulate_media(media="screen")
    page.wait_for_function("document.getElementById('map').getBoundingClientRect().width > 1000")


def neighbors(n):
    names = {"query_label": [0] * n, "reference_label": list(range(1, n + 1))}
    return {**names, "distance": np.linspace(0, 1, n), "rank": list(range(1, n + 1))}


@pytest.mark.parametrize("beside", [False, True])
def test_gallery_shows_several_neighbors_a_line_on_a_phone(page, axe, pictures, tmp_path, beside):
    labels = ["automobile", "bird"] * 6
    images = {"id": list(range(12)), "image": pictures, "label": labels}
    query = {"image": pictures[:1], "label": ["automobile"]}
    made = explore.gallery(neighbors(6), images, query, query_by="row")
    made.save(tmp_path / "g.html")
    if beside:
        html = explore.side_by_side({"a": made, "b": made})._repr_html_()
        text = (tmp_path / "g.html").read_text(encoding="utf-8")
        (tmp_path / "g.html").write_text(text.replace(made._repr_html_(), html), encoding="utf-8")
    page.goto((tmp_path / "g.html").as_uri())
    for name, view in VIEWS.items():
        look(page, **view)
        assert (name, findings(page, axe), page.evaluate(OVER)) == (name, [], 0)
    look(page, **VIEWS["phone"])
    tops = page.eval_on_selector_all("td", "cells => cells.map(cell => cell.offsetTop)")
    assert tops.count(tops[0]) >= 3
