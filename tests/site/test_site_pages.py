"""Every page of the built site: its links, its pictures, and what it asks other hosts for."""

import posixpath
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from site_server import browsing, built_site, serving

from conftest import ROOT

pytestmark = pytest.mark.site
PATIENCE = 120_000  # ms
DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BROKEN_PICTURES = """() => Array.from(document.images)
    .filter(each => { each.loading = "eager"; return each.complete && each.naturalWidth === 0; })
    .map(each => each.src.slice(0, 200))"""


class Page(HTMLParser):
    """The anchors of a page, and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors.update(named[key] for key in ("id", "name") if named.get(key))
        if tag == "a" and named.get("href"):
            self.links.append(named["href"])


@pytest.fixture(scope="module")
def pages():
    """The pages by their path in the site, but for JupyterLite's own."""
    site = built_site()
    names = (path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html")))
    return {
        name: Page((site / name).read_text("utf-8"))
        for name in names
        if not name.startswith(("lite/", "_static/"))
    }


def test_no_link_and_no_anchor_is_broken(pages):
    site, broken = built_site(), []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            folder = posixpath.dirname(name)
            path = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
            target = path if parts.path else name
            anchor = unquote(parts.fragment)
            there = (site / target).is_file()
            if there and (not anchor or target not in pages or anchor in pages[target].anchors):
                continue
            broken.append(f"{name}: {link}")
    assert broken == []


def test_every_notebook_and_document_has_a_page(pages):
    sources = [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("docs/*.md"), *ROOT.glob("*.md")]
    wanted = {path.relative_to(ROOT).with_suffix(".html").as_posix() for path in sources}
    assert wanted <= set(pages)


def test_the_first_page_tells_the_time_that_the_notebooks_tell():
    text = (built_site() / "index.html").read_text("utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        title = nbformat.read(str(path), as_version=4).cells[0].source.splitlines()[0]
        assert title.lstrip("# ") in text


def test_formulas_are_drawn_by_the_browser_itself(pages):
    text = (built_site() / "notebooks" / "12_better_features.html").read_text("utf-8")
    assert "<math" in text
    assert not re.search("<script[^>]*mathjax", text, re.IGNORECASE)


def watch(page):
    """Return a list that fills with what goes wrong on the page."""
    troubles = []
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    # The browser itself drops what is still on its way when the next page is opened.
    page.on(
        "requestfailed",
        lambda request: (
            "ERR_ABORTED" in (request.failure or "") or troubles.append(f"failed: {request.url}")
        ),
    )
    page.on("request", lambda request: ours(request.url) or troubles.append(request.url[:200]))
    page.on(
        "response",
        lambda response: response.status >= 400 and troubles.append(f"404: {response.url}"),
    )
    return troubles


def ours(url):
    return urlsplit(url).hostname in ("127.0.0.1", None) or url.startswith(("data:", "blob:"))


def test_every_page_opens_whole_fits_a_phone_and_asks_nobody_else(pages):
    found = {}
    with serving(built_site()) as address, browsing() as browser:
        page = browser.new_page(viewport=DESK)
        page.set_default_timeout(PATIENCE)
        troubles = watch(page)
        for name in pages:
            page.goto(f"{address}/{name}")  # and wait until its pictures are there
            found[name] = troubles + page.evaluate(BROKEN_PICTURES)
            page.set_viewport_size(PHONE)
            found[name] += [f"{over} px too wide"] if (over := page.evaluate(OVER)) else []
            page.set_viewport_size(DESK)
            troubles.clear()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_search_finds_a_word(pages):
    with serving(built_site()) as address, browsing() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}/search.html?q=whitening")
        page.wait_for_selector("#search-results li a")


def test_the_map_shows_pictures_and_the_pages_open_from_disk(pages):
    with browsing() as browser:
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(PATIENCE)
        troubles = watch(page)
        page.goto((built_site() / "notebooks" / "06b_maps_of_a_feature_space.html").as_uri())
        frame = page.wait_for_selector(".ir-map > iframe")  # until it is visible
        frame.content_frame().wait_for_selector("canvas")
        page.goto((built_site() / "index.html").as_uri())
        assert [trouble for trouble in troubles if "http" in trouble] == []
