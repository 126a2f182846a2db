"""Labels that are HTML, scripts or formulas: pages and figures show them as they are."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from image_retrieval import explore, projection
from image_retrieval.sframes import sframe_vectors

EVIL = ["<!--<script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>"]
FORMULAS = [r"$$\frac{1}{2}$$", r"$\evil$", "$", "_hidden", "a_b^c"]
POINTS = np.arange(20.0).reshape(10, 2)
PICTURES = [Image.new("RGB", (4, 4))] * 10


@pytest.mark.parametrize("evil", EVIL)
def test_a_label_or_title_ends_no_script_of_the_map(evil):
    page = projection.interactive_map(POINTS, PICTURES, [evil] * 10, title=evil).page
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    # A script element ends at the first end tag only where no comment was opened in it.
    assert not any("<!--" in script and "<script" in script for script in scripts[-1:])
    assert evil not in page
    assert len(scripts) == page.count("</script>")


def test_numbers_as_labels_and_texts_as_ids_are_shown():
    labels, ids = [number % 2 for number in range(10)], [f"p{number}" for number in range(10)]
    page = projection.interactive_map(POINTS, PICTURES, labels, ids=ids).page
    assert '"p7"' in page


def test_texts_as_ids_are_kept():
    table = {"id": ["a", "b"], "pixels": [[0, 1], [2, 3]]}
    assert sframe_vectors(table, "pixels")[0] == ["a", "b"]


@pytest.mark.parametrize("label", FORMULAS)
def test_formulas_are_no_formulas_in_figures(label):
    figure = projection.scatter({"Map": POINTS}, [label, "dog"] * 5)
    FigureCanvasAgg(figure).draw()
    names = {text.get_text().strip() for text in figure.legends[0].get_texts()}
    assert len(names) == 2


@pytest.mark.parametrize("evil", EVIL)
def test_labels_are_plain_text_in_galleries(evil):
    table = {"id": [0, 1], "image": PICTURES[:2], "label": [evil, "dog"]}
    found = {name: [1] for name in ("query_label", "reference_label", "distance", "rank")}
    assert evil not in explore.gallery(found, {**table, "id": [1, 2]})._repr_html_()
