"""The search page as visitors meet it: a real server, driven in a real browser."""

import io
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT, findings
from image_retrieval import datasets, index
from image_retrieval.images import as_rgb

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.long

PATIENCE = 120_000  # ms; a busy machine is no reason to fail
PHONE = {"width": 375, "height": 740}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def serving(folder, *options):
    """Yield what a server prints before its address, and the address."""
    log = folder / "errors.txt"
    command = [sys.executable, "-m", "tools.search_page", "--no-browser"]
    command += options if "--port" in options else ["--port", str(free_port()), *options]
    with log.open("w") as errors:
        server = subprocess.Popen(
            command,
            cwd=str(ROOT),
            env={**os.environ, "XDG_CACHE_HOME": str(folder)},
            stdout=subprocess.PIPE,
            stderr=errors,
            universal_newlines=True,
        )
    try:
        lines = []
        while not lines or "http://" not in lines[-1]:
            lines.append(server.stdout.readline())
            assert lines[-1], log.read_text()
        yield lines[:-1], lines[-1].split()[5]
    finally:
        server.terminate()
        server.wait(60)
    assert "not trusted" not in log.read_text()


@pytest.fixture(scope="module")
def address(browser, tmp_path_factory):
    """The address of a server, as it prints it."""
    with serving(tmp_path_factory.mktemp("page")) as (before, address):
        assert "2,005 training" in before[0] and address.startswith("http://127.0.0.1:")
        yield address


@pytest.fixture(scope="module")
def requested():
    """All addresses that any page of these tests asked for."""
    return set()


@contextmanager
def visiting(browser, address, requested, **options):
    context = browser.new_context(**{"viewport": {"width": 1240, "height": 900}, **options})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.faults = []
    page.on("request", lambda request: requested.add(request.url))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(address)
    page.wait_for_selector(".ir-hit")
    yield page
    context.close()


@pytest.fixture(scope="module")
def one_page(browser, address, requested):
    with visiting(browser, address, requested) as page:
        yield page
        assert page.faults == []


@pytest.fixture
def page(one_page):
    """A page that shows the first picture to try, unmarked and unfiltered."""
    do(one_page, lambda: one_page.select_option(field("Data set"), "0"))
    return one_page


def field(text):
    return f"label:has-text('{text}') select, label:has-text('{text}') input"


def do(page, action):
    """Do something that changes the results, and wait until it has."""
    page.evaluate("document.querySelector('.ir-app').setAttribute('aria-busy', 'true')")
    action()
    page.wait_for_selector(".ir-app:not([aria-busy])")


def hits(page, column=0):
    """Return (id, label) of each neighbor shown, nearest first."""
    names = page.eval_on_selector_all(
        f".ir-column >> nth={column} >> .ir-hit .ir-acts button:last-child",
        "buttons => buttons.map(button => button.getAttribute('aria-label'))",
    )
    parts = [name.split(": ", 1)[1].rsplit(", id ", 1) for name in names]
    return [(number, label) for label, number in parts]


def heading(page):
    return page.inner_text(".ir-head h2")


def upload(page, data, name="picture.png", kind="image/png"):
    file = {"name": name, "mimeType": kind, "buffer": data}
    do(page, lambda: page.set_input_files("input[type=file]", file))


def png(pixels, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def sample():
    return datasets.load("sample")


@pytest.fixture(scope="module")
def cat(sample):
    """A picture file of a cat that is not searched, and the ten neighbors it should have."""
    train, test = sample
    images = index.create(train, metric="cosine")
    for row in test.filter_by("cat", "label"):
        file = png(as_rgb(row["image"]))
        found = [int(number) for number in images.query(file, k=10)["reference_label"]]
        labels = dict(zip(train["id"], train["label"]))
        if [labels[number] for number in found].count("cat") >= 8:
            return file, [(str(number), labels[number]) for number in found]
    raise AssertionError("no cat of the sample has cats as neighbors")


def test_page_opens_on_neighbors_and_says_how_long_they_took(page):
    assert len(hits(page)) == 10
    assert "found in" in page.inner_text(".ir-status") and "ms" in page.inner_text(".ir-status")


def test_a_cat_finds_cats_and_the_same_ones_as_the_package(page, cat):
    upload(page, cat[0])
    assert heading(page) == "10 neighbors of your picture"
    assert hits(page) == cat[1]
    assert [label for _, label in hits(page)].count("cat") >= 8
    (ROOT / "build").mkdir(exist_ok=True)
    page.screenshot(path=str(ROOT / "build" / "search_page.png"))


def test_a_neighbor_is_searched_with_and_the_trail_leads_back(page):
    before, (number, label) = hits(page), hits(page)[2]
    do(page, lambda: page.click(".ir-hit >> nth=2 >> .ir-open"))
    assert heading(page) == f"10 neighbors of {label}, id {number}"
    assert (number, label) not in hits(page)
    do(page, lambda: page.click(".ir-trail button >> nth=0"))
    assert hits(page) == before


def test_only_one_label_is_searched_when_asked_for(page):
    do(page, lambda: page.select_option(field("Only the label"), '"automobile"'))
    assert {label for _, label in hits(page)} == {"automobile"}
    do(page, lambda: page.select_option(field("Only the label"), "null"))
    assert len({label for _, label in hits(page)} | {"automobile"}) > 1


def test_number_of_neighbors_metric_and_engine_can_be_chosen(page):
    exact = hits(page)
    do(page, lambda: page.select_option(field("Engine"), '"turicreate"'))
    assert hits(page) == exact
    do(page, lambda: page.select_option(field("Engine"), '"exact"'))
    do(page, lambda: page.select_option(field("Distance"), '"euclidean"'))
    assert float(page.inner_text(".ir-distance >> nth=0").split()[1]) > 1
    do(page, lambda: (page.fill(field("Neighbors"), "4"), page.press(field("Neighbors"), "Tab")))
    assert len(hits(page)) == 4
    do(page, lambda: (page.fill(field("Neighbors"), "4000"), page.press(field("Neighbors"), "Tab")))
    assert "from 1 to 60" in page.inner_text(".ir-error")
    do(page, lambda: (page.fill(field("Neighbors"), "10"), page.press(field("Neighbors"), "Tab")))
    do(page, lambda: page.select_option(field("Distance"), '"cosine"'))


def test_marks_move_the_query_and_can_be_cleared(page):
    before = hits(page)
    do(page, lambda: page.click(".ir-hit >> nth=0 >> [title='Not this one']"))
    assert before[0] not in hits(page) and "1 mark" in page.inner_text(".ir-status")
    last = hits(page)[9]
    do(page, lambda: page.click(".ir-hit >> nth=9 >> [title='More like this']"))
    assert hits(page).index(last) < 9
    assert (
        page.get_attribute(
            f".ir-hit >> nth={hits(page).index(last)} >> [title='More like this']", "aria-pressed"
        )
        == "true"
    )
    do(page, lambda: page.click("text=Clear the marks"))
    assert hits(page) == before


def bomb():
    """Return a small file that claims to hold, and would decode to, 900 million pixels."""
    side = 30_000
    rows = zlib.compressobj(9)
    line = bytes(1 + side // 8)
    body = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", body),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


BAD = {
    "broken": lambda: png(np.random.RandomState(0).randint(0, 255, (64, 64, 3)).astype(np.uint8))[
        :900
    ],
    "bomb": bomb,
    "no picture": lambda: (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    ),
    "program by the name of a picture": lambda: b"MZ" + bytes(500),
    "other format": lambda: b"BM" + bytes(500),
    "empty": lambda: b"",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_gets_one_line_and_the_page_goes_on(page, cat, name):
    before = hits(page)
    upload(page, BAD[name]())
    line = page.inner_text(".ir-error")
    assert line.startswith("Your picture") and "\n" not in line and len(line) < 250
    assert hits(page) == before
    upload(page, cat[0])
    assert hits(page) == cat[1] and page.inner_text(".ir-error") == ""


def test_large_photograph_is_shrunk_before_it_is_sent_and_turned_upright(page, cat):
    """A camera's file: 12 megapixels, more than the server takes, lying on its side."""
    upright = Image.open(io.BytesIO(cat[0])).resize((3000, 4000), Image.BICUBIC)
    noise = np.random.RandomState(0).randint(-8, 9, (4000, 3000, 1))
    lying = Image.fromarray(np.clip(np.asarray(upright) + noise, 0, 255).astype(np.uint8)).rotate(
        90, expand=True
    )
    exif, file = lying.getexif(), io.BytesIO()
    exif[0x0112] = 6  # turn it to the right
    lying.save(file, "JPEG", quality=95, exif=exif.tobytes())
    assert len(file.getvalue()) > 2 << 20
    upload(page, file.getvalue(), "photo.jpg", "image/jpeg")
    assert page.inner_text(".ir-error") == ""
    size = page.eval_on_selector(
        ".ir-query img", "image => [image.naturalWidth, image.naturalHeight]"
    )
    assert size == [240, 320]
    assert [label for _, label in hits(page)].count("cat") >= 5


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_picture_can_be_dropped_and_pasted(page, cat, how):
    script = """([bytes, how]) => {
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(bytes)], "cat.png", {type: "image/png"}));
        const event = how === "drop"
            ? new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true})
            : new ClipboardEvent("paste", {clipboardData: files, bubbles: true});
        (how === "drop" ? document.querySelector(".ir-drop") : document.body).dispatchEvent(event);
    }"""
    do(page, lambda: page.evaluate(script, [list(cat[0]), how]))
    assert hits(page) == cat[1]


def test_pixels_find_others_beside_the_deep_features(page):
    deep = hits(page)
    do(page, lambda: page.check(field("Compare with pixels")))
    assert hits(page) == deep and len(hits(page, 1)) == 10 and hits(page, 1) != deep
    page.click(".ir-column >> nth=1 >> .ir-hit >> nth=0 >> text=Why?")
    page.wait_for_selector(".ir-column >> nth=1 >> .ir-why img")
    do(page, lambda: page.uncheck(field("Compare with pixels")))
    assert page.locator(".ir-column").count() == 1


def test_heat_map_of_a_neighbor_comes_on_demand(page):
    assert page.locator(".ir-why img").count() == 0
    do(page, lambda: page.click(".ir-hit >> nth=1 >> text=Why?"))
    page.wait_for_selector(".ir-hit >> nth=1 >> .ir-why img")
    colors = page.eval_on_selector(
        ".ir-why img",
        """async image => {
            await image.decode();
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 64;
            const pen = canvas.getContext("2d");
            pen.drawImage(image, 0, 0, 64, 64);
            const data = pen.getImageData(0, 0, 64, 64).data;
            let colored = 0;
            for (let i = 0; i < data.length; i += 4)
                colored += Math.abs(data[i] - data[i + 2]) > 40;
            return colored;
        }""",
    )
    assert colors > 40


def saved(page, text):
    with page.expect_download() as waiting:
        page.click(f"text={text}")
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_results_are_saved_as_csv_and_as_one_page(page):
    lines = saved(page, "Save as CSV").splitlines()
    assert lines[0] == "rank,id,label,distance"
    assert [tuple(line.split(",")[1:3]) for line in lines[1:]] == hits(page)
    html = saved(page, "Save as a page")
    assert html.startswith("<!DOCTYPE html>") and html.count("<img") == 11 and "http://" not in html


def test_map_shows_the_data_set_and_is_searched_from(page):
    page.click("summary")
    page.wait_for_selector(".ir-legend li")
    assert page.locator(".ir-legend li").count() == 4
    page.focus(".ir-canvas canvas")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".ir-tip img")
    name = page.inner_text(".ir-tip span")
    do(page, lambda: page.keyboard.press("Enter"))
    assert heading(page) == f"10 neighbors of {name}"
    page.click("summary")


def test_other_data_set_is_opened(page):
    do(page, lambda: page.select_option(field("Data set"), "1"))
    assert not {"cat", "dog"} & {label for _, label in hits(page)} and len(hits(page)) == 10


def test_visitors_do_not_see_each_other(browser, address, requested, page, cat):
    with visiting(browser, address, requested) as other:
        first = hits(other)
        upload(page, cat[0])
        do(other, lambda: other.click(".ir-hit >> nth=0 >> .ir-open"))
        do(other, lambda: other.click(".ir-trail button >> nth=0"))
        assert hits(other) == first and "your picture" not in other.content()
        assert kernel(other) != kernel(page)


def kernel(page):
    return json.loads(page.inner_text("#jupyter-config-data"))["kernelId"]


def tab_to(page, key):
    """Press Tab until the element of that key has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if (
            page.evaluate("document.activeElement.dataset.key || document.activeElement.tagName")
            == key
        ):
            return
    raise AssertionError(f"the keyboard does not reach {key}")


def test_keyboard_alone_suffices(page):
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "example 3")
    do(page, lambda: page.keyboard.press("Enter"))
    assert heading(page).startswith("10 neighbors of a test image")
    first = page.get_attribute(".ir-hit >> nth=0 >> [title='Not this one']", "data-key")
    tab_to(page, first)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    before = hits(page)
    do(page, lambda: page.keyboard.press("Space"))
    assert before[0] not in hits(page)
    tab_to(page, page.get_attribute(".ir-hit >> nth=1 >> .ir-open", "data-key"))
    do(page, lambda: page.keyboard.press("Enter"))
    # The results are what comes next, so the keyboard starts from there.
    assert page.evaluate("document.activeElement.tagName") == "H2"


def test_page_keeps_nobody_out(page, axe):
    do(page, lambda: page.check(field("Compare with pixels")))
    do(page, lambda: page.click(".ir-hit >> nth=0 >> text=Why?"))
    do(page, lambda: page.click(".ir-hit >> nth=2 >> [title='More like this']"))
    upload(page, b"no picture")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f".ir-app[data-theme={scheme}]")
        assert findings(page, axe) == []
    page.emulate_media(color_scheme="light")
    do(page, lambda: page.uncheck(field("Compare with pixels")))


def test_axe_would_find_something(page, axe):
    page.evaluate("document.querySelector('.ir-main').append(document.createElement('button'))")
    assert [name for name, _ in findings(page, axe)] == ["button-name"]
    page.evaluate("document.querySelector('.ir-main > button').remove()")


def test_page_fits_a_phone(browser, address, requested, page, axe):
    page.set_viewport_size(PHONE)
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    side, main, how = (
        page.locator(part).bounding_box()["y"] for part in (".ir-drop", ".ir-main", ".ir-settings")
    )
    assert side < main < how
    assert findings(page, axe) == []
    page.set_viewport_size({"width": 1240, "height": 900})


def answered(address, path, **options):
    """Return the status with which the server answers."""
    try:
        request = urllib.request.Request(address.rstrip("/") + path, **options)
        return urllib.request.urlopen(request, timeout=120).status
    except urllib.error.HTTPError as error:
        return error.code


DOORS = [
    ("/api/contents", {}),
    ("/api/kernels", {}),
    ("/api/kernels", {"method": "POST", "data": b"{}"}),
    ("/api/terminals", {}),
    ("/voila/files/search.ipynb", {}),
    ("/voila/files/../../etc/passwd", {}),
    ("/voila/tree", {}),
    ("/voila/render/search.ipynb", {}),
]


@pytest.mark.parametrize("path,options", DOORS, ids=[f"{door[0]} {len(door[1])}" for door in DOORS])
def test_server_has_no_other_doors(address, path, options):
    assert answered(address, path, **options) in (403, 404, 405)


def test_visitor_cannot_run_code(page, tmp_path):
    """Messages that run code are dropped on their way, in the visitor's own kernel too."""
    mark = tmp_path / "mark"
    script = """([kernel, code]) => new Promise(done => {
        const address = `ws://${location.host}/api/kernels/${kernel}/channels?session_id=s`;
        const socket = new WebSocket(address), kinds = [];
        const message = (type, content) => JSON.stringify({channel: "shell", buffers: [],
            header: {msg_id: type, msg_type: type, session: "s", username: "", date: "",
                version: "5.2"}, parent_header: {}, metadata: {}, content});
        socket.onmessage = event => {
            const header = typeof event.data === "string" ? JSON.parse(event.data).header : {};
            kinds.push(header.msg_type);
            if (header.msg_type === "kernel_info_reply") { socket.close(); done(kinds); }
        };
        socket.onopen = () => {
            socket.send(message("execute_request", {code, silent: false, store_history: false,
                user_expressions: {}, allow_stdin: false}));
            socket.send(message("kernel_info_request", {}));
        };
    })"""
    kinds = page.evaluate(script, [kernel(page), f"open({str(mark)!r}, 'w').close()"])
    assert "kernel_info_reply" in kinds and "execute_reply" not in kinds
    assert not mark.exists()


def test_no_code_is_on_the_page(page):
    assert "quiet_turicreate" not in page.content()


def test_nothing_is_fetched_from_elsewhere(page, requested):
    there = [url for url in requested if urlsplit(url).scheme in ("http", "https", "ws", "wss")]
    assert len(there) > 10
    assert {urlsplit(url).hostname for url in there} == {"127.0.0.1"}


@pytest.fixture(scope="module")
def second(address, tmp_path_factory):
    """What a second server on the same port prints, and its address; it takes one visitor."""
    port = str(urlsplit(address).port)
    folder = tmp_path_factory.mktemp("second")
    with serving(folder, "--port", port, "--visitors", "1") as (before, other):
        yield before, other


def test_taken_port_is_said_and_another_one_found(address, second):
    before, other = second
    port = urlsplit(address).port
    assert before[1] == f"Port {port} is taken.\n" and urlsplit(other).port != port


def test_visitor_without_room_reads_why_and_can_try_again(browser, second, requested):
    with visiting(browser, second[1], requested), pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(second[1], timeout=120)
    assert refused.value.code == 503
    page = refused.value.read().decode()
    assert "<h1>Too many visitors at the moment; try again in a minute</h1>" in page
    assert '<a href="">Try again</a>' in page


def test_pooled_kernel_is_ready_for_the_next_visitor(browser, address, requested):
    began = time.perf_counter()
    with visiting(browser, address, requested) as page:
        print(f"first results after {time.perf_counter() - began:.1f} s")
        assert len(hits(page)) == 10
