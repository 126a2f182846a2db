"""The gallery and the grid: what they mark, what they refuse, and the HTML they make."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from image_retrieval.errors import InputError
from image_retrieval.explore import gallery, grid
from image_retrieval.explore.thumbnails import fit, image_tag, png_bytes

IDS = [10, 11, 12, 13, 14]
LABELS = ["cat", "dog", "cat", "bird", "cat"]


def pictures(n=5, height=4, width=4):
    return np.random.RandomState(0).randint(0, 256, (n, height, width, 3)).astype(np.uint8)


def reference():
    return {"id": IDS, "image": pictures(), "label": LABELS}


def rows(table, *places):
    return {name: [column[place] for place in places] for name, column in table.items()}


def neighbors(query_label=0):
    return {
        "query_label": [query_label] * 4,
        "reference_label": [12, 10, 11, 14],
        "distance": [1.25, 0.0, 30.5, 40.004],
        "rank": [2, 1, 3, 4],
    }


class Tags(HTMLParser):
    """Collects the `<img>` tags, the text and the tags that were never closed."""

    def __init__(self, html):
        super().__init__()
        self.images, self.text, self.open = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def shown(image):
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_text_is_in_rank_order_and_marks_hits():
    lines = repr(gallery(neighbors(), reference(), rows(reference(), 0))).splitlines()
    assert lines == [
        "query        rank  id  label  distance  same label",
        "cat (id 10)     1  10  cat        0.00  itself",
        "                2  12  cat        1.25  yes",
        "                3  11  dog       30.50  no",
        "                4  14  cat       40.00  yes",
        "2 of 3 neighbors of cat (id 10) have its label, the query itself not counted",
    ]


def test_html_shows_the_right_pictures_in_rank_order_with_words():
    html = gallery(neighbors(), reference(), rows(reference(), 0))._repr_html_()
    tags = Tags(html)
    assert tags.open == []
    order = [0, 0, 2, 1, 4]  # the query, then ranks 1 to 4
    for image, place in zip(tags.images, order):
        np.testing.assert_array_equal(shown(image), pictures()[place])
    assert [image["alt"] for image in tags.images] == [
        "query: cat (id 10)",
        "rank 1: cat, id 10, distance 0.00, the query itself",
        "rank 2: cat, id 12, distance 1.25, same label",
        "rank 3: dog, id 11, distance 30.50, other label",
        "rank 4: cat, id 14, distance 40.00, same label",
    ]
    assert "#2 cat✔ same labeldistance 1.25id 12" in tags.text
    assert "#3 dog✕ other labeldistance 30.50id 11" in tags.text


def test_html_is_the_same_every_time_and_loads_nothing():
    def one():
        return gallery(neighbors(), reference(), rows(reference(), 0))._repr_html_()

    assert one() == one()
    assert not re.search(r"https?:|url\(|@import|<script|<link", one())


@pytest.mark.parametrize("kind", ["dict", "pandas", "turicreate"])
def test_every_kind_of_table_gives_the_same_gallery(kind):
    def convert(table):
        if kind == "pandas":
            return pd.DataFrame({name: list(column) for name, column in table.items()})
        if kind == "turicreate":
            return to_sframe(table)
        return table

    expected = gallery(neighbors(), reference(), rows(reference(), 0))
    found = gallery(*map(convert, (neighbors(), reference(), rows(reference(), 0))))
    assert repr(found) == repr(expected)
    assert found._repr_html_() == expected._repr_html_()


def to_sframe(table):
    import turicreate as tc

    from image_retrieval.sframes import image_sframe

    if "image" in table:
        return image_sframe(table["id"], table["image"], table["label"])
    return tc.SFrame(table)


def test_turi_creates_own_result_row_numbers_and_ids_mean_the_same():
    import turicreate as tc

    from image_retrieval.sframes import image_sframe

    data = image_sframe(IDS, pictures(), LABELS, v=np.arange(10.0).reshape(5, 2))
    model = tc.nearest_neighbors.create(data, features=["v"], label="id", verbose=False)
    query = data[3:5]
    by_row = gallery(model.query(query, k=2, verbose=False), data, query)
    by_id = gallery(model.query(query, label="id", k=2, verbose=False), data, query)
    assert repr(by_row) == repr(by_id)
    assert (
        repr(by_row).splitlines()[1].startswith("bird (id 13)     1  13  bird      0.000  itself")
    )


def test_query_labels_that_can_be_rows_and_ids_need_query_by():
    asked = {"id": [1, 0], "image": pictures(2), "label": ["dog", "cat"]}
    found = {"query_label": [0], "reference_label": [10], "distance": [1.0], "rank": [1]}
    with pytest.raises(InputError, match="query_by='row'"):
        gallery(found, reference(), asked)
    assert "dog (id 1)" in repr(gallery(found, reference(), asked, query_by="row"))
    assert "cat (id 0)" in repr(gallery(found, reference(), asked, query_by="id"))


def test_the_same_id_in_another_table_is_not_the_query_itself():
    asked = {"id": [10], "image": pictures(6)[5:], "label": ["cat"]}
    text = repr(gallery(neighbors(), reference(), asked))
    assert "itself" not in text
    assert "3 of 4 neighbors of cat (id 10) have its label" in text


def test_a_picture_without_a_label_and_no_query_at_all():
    picture = gallery(neighbors(), reference(), pictures(6)[5])
    assert len(Tags(picture._repr_html_()).images) == 5
    alone = gallery(neighbors(), reference())
    assert len(Tags(alone._repr_html_()).images) == 4
    for made in (picture, alone):
        assert "?" in repr(made) and "have its label" not in repr(made)
        assert "same label<" not in made._repr_html_()


def test_several_queries_stand_in_the_order_of_the_neighbors():
    found = {
        "query_label": [1, 1, 0, 0],
        "reference_label": [13, 11, 12, 10],
        "distance": [0.2, 0.1, 0.4, 0.3],
        "rank": [2, 1, 2, 1],
    }
    lines = repr(gallery(found, reference(), rows(reference(), 0, 1))).splitlines()
    assert [line.split()[-4] for line in lines[1:5]] == ["11", "13", "10", "12"]
    assert lines[1].startswith("dog (id 11)") and lines[3].startswith("cat (id 10)")
    assert lines[5:] == [
        "0 of 1 neighbors of dog (id 11) have its label, the query itself not counted",
        "1 of 1 neighbors of cat (id 10) has its label, the query itself not counted",
    ]


def test_k_keeps_the_first_ranks():
    text = repr(gallery(neighbors(), reference(), rows(reference(), 0), k=2))
    assert " 12 " in text and " 11 " not in text
    assert "1 of 1" in text


def test_details_stand_below_their_own_neighbor():
    heat = np.full((4, 4), 200, np.uint8)
    details = {(0, 12): [(heat, "why <this> one")]}
    html = gallery(neighbors(), reference(), rows(reference(), 0), details=details)._repr_html_()
    images = Tags(html).images
    assert [image["alt"] for image in images][3] == "why <this> one"
    assert len(images) == 6 and (shown(images[3]) == 200).all()


def test_labels_are_escaped():
    table = {**reference(), "label": ['<b onclick="x">&'] * 5}
    html = gallery(neighbors(), table, rows(table, 0))._repr_html_()
    assert "<b onclick" not in html and "&lt;b onclick=&quot;x&quot;&gt;&amp;" in html
    assert Tags(html).images[1]["alt"].startswith('rank 1: <b onclick="x">&, id 10')


def test_save_writes_one_whole_page(tmp_path):
    path = tmp_path / "new" / "found.html"
    made = gallery(neighbors(), reference(), rows(reference(), 0), title="A & B")
    made.save(path)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and "<title>A &amp; B</title>" in text
    assert made._repr_html_() in text
    assert [file.name for file in path.parent.iterdir()] == ["found.html"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rank": None}, "no column 'rank' in neighbors; there are query_label"),
        ({"reference_label": [12, 99, 98, 14]}, "2 of the neighbors, the first 98, are not among"),
        ({"query_label": [7] * 4}, "the first 7, are not row numbers or ids of the 1 query rows"),
        ({name: [] for name in neighbors()}, "neighbors has no rows"),
    ],
)
def test_neighbors_that_do_not_fit_are_refused_in_one_line(change, message):
    found = {
        name: values for name, values in {**neighbors(), **change}.items() if values is not None
    }
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        gallery(found, reference(), rows(reference(), 0))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reference": {"id": IDS, "image": pictures()}}, "no column 'label' in reference"),
        ({"reference": {**reference(), "id": [10] * 5}}, "reference has an id twice"),
        ({"query": {"id": [10]}}, "no column 'image' in query; there are id"),
        ({"k": 0}, "k must be a whole number from 1, got 0"),
        ({"k": 2.5}, "got 2.5"),
        ({"query_by": "name"}, "query_by must be 'row', 'id' or None, got 'name'"),
        (
            {"neighbors": [1, 2]},
            "neighbors must be a table as a model's query returns it, got list",
        ),
        ({"thumbnail": 0}, "thumbnail must be a whole number from 8 to 1024, got 0"),
    ],
)
def test_other_bad_arguments_are_refused_in_one_line(arguments, message):
    given = {"neighbors": neighbors(), "reference": reference(), "query": rows(reference(), 0)}
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        gallery(**{**given, **arguments})
    assert "\n" not in str(caught.value)


def test_grid_shows_every_row_with_the_wanted_columns():
    made = grid({**reference(), "row": [0, 1, 2, 3, 4]}, columns=["row", "label"])
    assert repr(made).splitlines()[:2] == ["row  label", "  0  cat"]
    images = Tags(made._repr_html_()).images
    assert [image["alt"] for image in images][:2] == ["row 0, cat", "row 1, dog"]
    np.testing.assert_array_equal(shown(images[3]), pictures()[3])


def test_grid_refuses_what_it_cannot_show():
    with pytest.raises(InputError, match="no column 'name' in images"):
        grid(reference(), columns=["name"])
    with pytest.raises(InputError, match="images has no rows"):
        grid({"image": [], "label": []})
    with pytest.raises(InputError, match="images must be a table with a column 'image', got list"):
        grid([1, 2])


@pytest.mark.parametrize("shape", [(32, 32), (1, 1), (5, 9), (300, 200), (90, 700), (2, 4000)])
def test_pictures_of_any_size_keep_their_aspect(shape):
    pixels = pictures(1, *shape)[0]
    image = Tags(image_tag(pixels, "a", 96)).images[0]
    height, width = int(image["height"]), int(image["width"])
    assert max(height, width) == 96
    assert abs(height - 96 * shape[0] / max(shape)) <= max(0.5, 1 - 96 * shape[0] / max(shape))
    small = max(shape) <= 96
    assert shown(image).shape[:2] == (shape if small else (height, width))
    assert ("class" in image) == small


def test_png_has_the_exact_pixels_and_fixed_bytes():
    for shape in [(1, 1), (7, 3), (300, 90)]:  # the last needs two stored blocks
        pixels = pictures(1, *shape)[0]
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png_bytes(pixels)))), pixels)
    assert png_bytes(np.zeros((1, 1, 3), np.uint8)).hex() == (
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000f494441547801010400fbff00000000000400016549c3600000000049454e44ae426082"
    )


def test_fit_never_gives_an_empty_side():
    assert fit(4000, 2, 96) == (96, 1)
