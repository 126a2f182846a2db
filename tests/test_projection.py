import base64
import html
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.palette import COLORS
from image_retrieval.projection import (
    interactive_map,
    label_accuracy,
    neighbors_kept,
    place_on_grid,
    scatter,
    thumbnails,
    tsne,
)
from image_retrieval.projection.figures import draw_canvas
from image_retrieval.projection.styles import styles

LABELS = ["brain"] * 20 + ["butterfly"] * 20 + ["car_side"] * 20


@pytest.fixture(scope="module")
def clusters():
    """Three clusters in 100 dimensions, which no plane separates as they are shuffled."""
    random = np.random.default_rng(0)
    centers = random.normal(size=(3, 100)) * 3
    return np.repeat(centers, 20, axis=0) + random.normal(size=(60, 100))


@pytest.fixture(scope="module")
def points(clusters):
    return tsne(clusters, perplexity=10)


def pictures(n=60):
    return [np.full((20, 30, 3), value, np.uint8) for value in range(n)]


def test_tsne_keeps_clusters_and_makes_none_of_noise(clusters, points):
    assert points.shape == (60, 2) and points.dtype == np.float64
    assert label_accuracy(points, LABELS) == 1.0
    noise = np.random.default_rng(1).normal(size=(60, 100))
    assert label_accuracy(tsne(noise, perplexity=10), LABELS) < 0.7


def test_tsne_repeats_and_follows_its_input(clusters, points):
    assert np.array_equal(tsne(clusters, perplexity=10), points)
    assert not np.array_equal(tsne(clusters, perplexity=5), points)


def test_tsne_separates_real_photographs(shared_reference):
    """The reference features show four photographs; copies with noise must stay together."""
    with np.load(str(shared_reference / "efficientnet_lite0_features.npz")) as arrays:
        features = arrays["photo_features"]
    noise = np.random.default_rng(0).normal(size=(40, features.shape[1])) * features.std()
    X, labels = np.repeat(features, 10, axis=0) + noise, np.repeat(list("abcd"), 10)
    assert label_accuracy(tsne(X, perplexity=5), labels) > 0.9


@pytest.mark.parametrize(("n", "d"), [(8, 2), (5, 40)])
def test_tsne_takes_few_vectors_and_few_dimensions(n, d):
    X = np.random.default_rng(0).normal(size=(n, d))
    assert np.isfinite(tsne(X, perplexity=2)).all()


def test_label_accuracy_is_what_one_counts_by_hand():
    line = [[0.0], [1.0], [2.1], [10.0], [11.0], [12.1]]
    # The third point's two nearest are "a"; it is a "b".
    assert label_accuracy(line, list("aabccc"), k=2) == 5 / 6
    # A copy of a point is not the point itself.
    assert label_accuracy([[0], [0], [5], [5]], list("aabb"), k=1) == 1.0


def test_neighbors_kept_is_what_one_counts_by_hand():
    X = [[0.0], [1.0], [3.0], [10.0], [11.5]]
    # On the line the nearest of each are 1, 0, 1, 4 and 3; on the map the third has the fourth.
    points = [[0.0, 0.0], [0.0, 1.0], [0.0, 9.5], [0.0, 10.0], [0.0, 9.0]]
    assert neighbors_kept(points, X, k=1) == 2 / 5
    assert neighbors_kept(X, X, k=3) == 1.0


def test_neighbors_kept_of_random_points_is_chance():
    random = np.random.default_rng(0)
    X, points = random.normal(size=(200, 20)), random.normal(size=(200, 2))
    assert abs(neighbors_kept(points, X, k=20) - 20 / 199) < 0.02


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tsne(np.zeros(5)), "4 vectors or more, got 1"),
        (lambda: tsne([["a", "b"]] * 5), "must hold real numbers"),
        (lambda: tsne(np.full((5, 2), np.nan), perplexity=2), "row 0 holds a NaN"),
        (lambda: tsne(np.eye(20), perplexity=20), "less than 20"),
        (lambda: tsne(np.zeros((9, 1)), perplexity=2), "2 dimensions or more"),
        (lambda: label_accuracy(np.eye(6), list("abc")), "6 reference rows need as many labels"),
        (lambda: label_accuracy(np.eye(5), list("aabbc"), k=5), "k=5 is not possible"),
        (lambda: neighbors_kept(np.eye(5), np.eye(5), k=5), "k=5 is not possible"),
        (lambda: neighbors_kept(np.eye(5), np.eye(6), k=2), "neighbors of the same queries"),
        (lambda: place_on_grid(np.zeros((7, 2)), 3, 2), "7 points do not fit"),
        (lambda: place_on_grid(np.zeros((7, 3))), "shape"),
        (lambda: scatter({"A": np.zeros((3, 2))}, list("ab")), r"shape \(2, 2\)"),
        (lambda: styles([str(i) for i in range(82)]), "at most 81"),
        (lambda: interactive_map(np.zeros((3, 2)), pictures(2), list("aab")), "2 pictures"),
    ],
)
def test_bad_input_is_told_in_one_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_no_two_points_share_a_cell(points):
    for columns, rows in ((10, 6), (12, 12)):
        cells = place_on_grid(points, columns, rows)
        assert len({tuple(cell) for cell in cells.tolist()}) == 60
        assert cells.min() >= 0
        assert cells[:, 0].max() < columns and cells[:, 1].max() < rows


def test_points_move_as_little_as_can_be():
    assert place_on_grid([[0, 0], [1, 0], [0, 1], [1, 1]], 2, 2).tolist() == [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
    ]
    # Of three at one place two must go to the cells beside it.
    crowded = place_on_grid([[0, 0], [5, 0], [5, 0], [5, 0], [10, 0]], 11, 1)
    assert sorted(crowded[:, 0].tolist()) == [0, 4, 5, 6, 10]


def test_thumbnails_do_not_cover_one_another(points):
    """Each picture has a value of its own, and all its pixels must be on the canvas."""
    canvas = draw_canvas(points, pictures(), LABELS, columns=12, rows=10, size=26)
    assert canvas.shape == (260, 312, 3)
    gray = (canvas.max(axis=2) == canvas.min(axis=2)) & (canvas[:, :, 0] < 60)
    values, counts = np.unique(canvas[gray][:, 0], return_counts=True)
    assert values.tolist() == list(range(60))
    # 30×20 shrunk to a width of 20: 20×13.
    assert (counts == 20 * 13).all()


def test_thumbnails_lie_where_their_points_are():
    corners = [[0, 0], [9, 0], [0, 9], [9, 9]]
    canvas = draw_canvas(corners, pictures(4), list("abcd"), columns=3, rows=3, size=26)
    middles = [(65, 13), (65, 65), (13, 13), (13, 65)]
    assert [canvas[middle][0] for middle in middles] == [0, 1, 2, 3]


def test_frames_have_the_labels_colors():
    canvas = draw_canvas([[0, 0], [1, 0]], pictures(2), ["x", "y"], columns=2, rows=1, size=26)
    found = {"#{:02X}{:02X}{:02X}".format(*color) for color in canvas.reshape(-1, 3).tolist()}
    assert set(COLORS[:2]) <= found and not set(COLORS[2:6]) & found


def test_figures_have_titles_and_a_legend_of_all_labels(points):
    figure = scatter({"Left": points, "Right": -points}, LABELS, title="Both")
    assert [axes.get_title() for axes in figure.axes] == ["Left", "Right"]
    assert figure._suptitle.get_text() == "Both"
    drawn = thumbnails(points, pictures(), LABELS, "Pictures", columns=10, rows=8, size=20)
    assert drawn.axes[0].get_title() == "Pictures"
    for legend in (figure.legends[0], drawn.legends[0]):
        texts = [text.get_text() for text in legend.get_texts()]
        assert texts == ["brain", "butterfly", "car_side"]


def luminance(color):
    """Return the relative luminance of WCAG 2.1."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def as_seen(color, matrix):
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]) ** 2.2
    return np.clip(np.array(matrix) @ channels, 0, 1) ** (1 / 2.2)


# Full protanopia, deuteranopia and tritanopia: Machado, Oliveira and Fernandes 2009, table 1.
SEEN_BY = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("eye", SEEN_BY)
def test_nine_labels_can_be_told_apart_by_every_eye(eye):
    seen = np.array([as_seen(color, SEEN_BY[eye]) for color in COLORS])
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    assert distances[~np.eye(9, dtype=bool)].min() > 0.1
    nine = styles([f"label {i}" for i in range(9)]).values()
    assert len({shape for _, shape, _ in nine}) == 9


def test_more_labels_still_have_a_style_each():
    assert len(set(styles([f"{i:03}" for i in range(81)]).values())) == 81


@pytest.fixture(scope="module")
def a_map(points):
    title = 'A "map" & more'
    return interactive_map(points, pictures(), LABELS, ids=range(100, 160), title=title)


def items(page):
    """Return the columns of all points in a page."""
    item = json.loads(re.search(r"const item = (\{.*\});\n", page).group(1))
    found = {"x": [], "picture": [], "label": [], "id": []}

    def walk(node):
        if isinstance(node, dict):
            if node.get("name") == "ColumnDataSource":
                for name, values in node["attributes"]["data"]["entries"]:
                    found.get(name, []).extend(values)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(item)
    return found


def test_the_interactive_map_holds_all_pictures(a_map, points):
    found = items(a_map.page)
    assert found["id"] == list(range(100, 160))
    assert found["label"] == LABELS
    assert np.allclose(found["x"], points[:, 0])
    data = base64.b64decode(found["picture"][7].split(",")[1])
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (30, 20)
        assert abs(np.asarray(picture).mean() - 7) < 2


def test_the_interactive_map_needs_no_network(a_map, tmp_path):
    a_map.save(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "<title>A &quot;map&quot; &amp; more</title>" in page
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page)
    assert page.count("<script") == page.count("</script>") == 2
    assert "Bokeh" in page and len(page) > 500_000


def test_a_notebook_shows_the_page_in_a_frame(a_map):
    shown = a_map._repr_html_()
    source = re.search(r'srcdoc="([^"]*)"', shown).group(1)
    assert html.unescape(source) == a_map.page
    assert repr(a_map) == "InteractiveMap('A \"map\" & more')"


HOSTILE = ["<!--<script>", "</script><b>", "$\\frac$", "_cat"]


def test_labels_from_outside_neither_break_a_page_nor_a_figure():
    points, images = np.arange(8.0).reshape(4, 2), pictures(4)
    page = interactive_map(points, images, HOSTILE).page
    script = page[page.index("const item = ") :]
    assert "<!--" not in script and script.count("</script>") == 1 and "<b>" not in script
    assert sorted(items(page)["label"]) == sorted(HOSTILE)
    figures = scatter({"t": points}, HOSTILE), thumbnails(points, images, HOSTILE, "t", 3, 3, 20)
    for figure in figures:
        figure.draw_without_rendering()
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert [text.strip().replace(r"\$", "$") for text in texts] == sorted(HOSTILE)
