"""Sessions, marks, uploads and results of the search widget, without a browser."""

import csv
import io
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image

from image_retrieval import index
from image_retrieval.app import SearchApp, Session, open_shelf, read_upload, rocchio
from image_retrieval.app import shelf as shelf_module
from image_retrieval.app.results import as_csv, as_gallery, as_page, heat_maps
from image_retrieval.app.shelf import PIXELS, available_engines
from image_retrieval.app.uploads import MAX_BYTES, MAX_PIXELS
from image_retrieval.errors import InputError
from image_retrieval.features import Extraction, as_extraction, extract, extracting
from tests import test_features_words
from tests.test_features_words import nothing_known, pair  # noqa: F401  fixtures

EXTRACTION = Extraction("pixels", size=8, pooling="avg")
LABELS = ["cat", "cat", "dog", "dog", "=HYPERLINK(1)"]


class Table(dict):
    """A dict of columns that knows how its features were made."""

    extractions = {"deep_features": EXTRACTION}


def pictures():
    random = np.random.RandomState(0)
    return [random.randint(0, 256, (12, 10 + n, 3)).astype(np.uint8) for n in range(len(LABELS))]


@pytest.fixture
def table():
    features = extract(pictures(), EXTRACTION, progress=False)
    columns = {"id": [10, 11, 12, 13, 14], "image": pictures(), "label": LABELS}
    return Table({**columns, "deep_features": features})


@pytest.fixture
def session(table):
    return Session(open_shelf(table, "five"))


def file_of(pixels, kind="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def rows(session, **options):
    return [found.row for found in session.find(**options)[0]]


# Marks


def test_rocchio_by_hand():
    moved = rocchio([1.0, 0.0], [[0.0, 2.0], [0.0, 4.0]], [[1.0, 1.0]], alpha=1, beta=1, gamma=0.5)
    assert moved.tolist() == pytest.approx([(1 - 0.5) / 1.5, (3 - 0.5) / 1.5])


def test_a_term_without_vectors_counts_nothing():
    assert rocchio([1.0, 3.0]).tolist() == [1.0, 3.0]
    assert rocchio([2.0], more=[[2.0]]).tolist() == rocchio([2.0], less=[[2.0]]).tolist() == [2.0]


def test_division_changes_nothing_for_the_cosine():
    random = np.random.RandomState(0)
    X, query = random.rand(30, 6), random.rand(6)
    undivided = query + 0.75 * X[:3].mean(axis=0) - 0.15 * X[3:5].mean(axis=0)
    found = [
        index.build(X, metric="cosine").search(Q, k=30)[0].tolist()
        for Q in (undivided, rocchio(query, X[:3], X[3:5]))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("weights", [{"alpha": 0.1}, {"gamma": -1.0}, {"beta": -0.5}])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(InputError, match="gamma"):
        rocchio([1.0], [[2.0]], [[3.0]], **weights)


# Uploads


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_formats_are_told_by_content(kind):
    assert read_upload(file_of(pictures()[0], kind)).shape == (12, 10, 3)


def test_first_frame_of_an_animation_counts():
    frames = [Image.new("RGB", (5, 4), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert read_upload(file.getvalue())[0, 0].tolist() == [255, 0, 0]


def test_orientation_is_applied_and_nothing_else_of_the_file_kept():
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret place"
    pixels = read_upload(file_of(pictures()[0], "JPEG", exif=exif.tobytes()))
    assert type(pixels) is np.ndarray and pixels.shape == (10, 12, 3)


def test_limits_hold_before_anything_is_decoded(monkeypatch):
    side = int(MAX_PIXELS**0.5) + 1
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)  # decoding would call it
    for data in (file.getvalue(), bytes(MAX_BYTES + 1), file_of(pictures()[0], "BMP")):
        with pytest.raises(
            InputError, match="^Your picture.*(choose|give a PNG, JPEG, GIF or WebP)"
        ):
            read_upload(data)


def test_picture_of_the_largest_size_is_taken():
    file = io.BytesIO()
    Image.new("1", (MAX_PIXELS // 4096, 4096)).save(file, "PNG")
    assert read_upload(file.getvalue()).shape == (4096, MAX_PIXELS // 4096, 3)


# Sessions


def test_upload_finds_what_the_package_finds(session, table):
    pixels = pictures()[2]
    session.upload(file_of(pixels))
    found, seconds = session.find()
    expected = index.create(table).query([pixels], k=5)
    assert [session.shelf.ids[one.row] for one in found] == list(expected["reference_label"])
    assert found[0].distance == 0 and [one.rank for one in found] == [1, 2, 3, 4, 5]
    assert seconds > 0 and session.query.seconds > 0


def test_warm_network_is_not_loaded_again(session, monkeypatch):
    loaded = []
    load = extracting._loaded.__wrapped__
    monkeypatch.setattr(extracting, "_loaded", lru_cache()(lambda *a: loaded.append(a) or load(*a)))
    session.warm_up()
    assert len(loaded) == 1
    session.shelf.vector(pictures()[0])
    assert len(loaded) == 1


def test_reference_is_not_its_own_neighbor(session):
    session.row(3)
    assert 3 not in rows(session) and len(rows(session)) == 4


def test_trail_leads_back_and_forgets_what_was_ahead(session):
    for row in (0, 1, 2):
        session.row(row)
    session.back(0)
    assert session.query.row == 0 and len(session.trail) == 3
    session.row(4)
    assert [query.row for query in session.trail] == [0, 4]


def test_trail_has_an_end(session):
    for step in range(40):
        session.row(step % 5)
    assert len(session.trail) == 30 and session.query.row == 39 % 5


def test_marks_move_the_query_hide_what_was_refused_and_belong_to_it(session):
    session.row(0)
    first = rows(session)
    session.mark(first[0], "less")
    session.mark(first[-1], "more")
    X = session.shelf.X
    moved = rocchio(X[0], more=X[first[-1:]], less=X[first[:1]])
    order = index.build(X).search(moved, k=5)[0][0].tolist()
    assert rows(session) == [row for row in order if row not in (0, first[0])]
    session.row(1)
    assert session.query.less == ()
    session.back(0)
    session.mark(first[0], "more")
    assert session.query.less == () and first[0] in rows(session)
    session.clear_marks()
    assert rows(session) == first


def test_only_a_label_is_searched(session):
    session.row(0)
    session.set(where="dog")
    assert sorted(rows(session)) == [2, 3]


def test_pixels_are_another_search(session):
    session.row(0)
    expected = index.build(extract(pictures(), PIXELS, progress=False))
    query = extract(pictures()[:1], PIXELS, progress=False)
    assert rows(session, features=PIXELS) == expected.search(query, k=5)[0][0].tolist()[1:]


@pytest.mark.parametrize("engine", available_engines())
def test_every_engine_that_is_here_answers(session, engine):
    session.row(0)
    exact = rows(session)
    session.set(engine=engine)
    assert rows(session) == exact


@pytest.mark.parametrize(
    "changes",
    [{"k": 0}, {"k": 61}, {"k": True}, {"k": "5"}, {"metric": "x"}, {"where": "bird"}]
    + [{"engine": "os"}, {"compare": 1}, {"k": 3, "engine": None}],
)
def test_setting_that_is_not_allowed_changes_nothing(session, changes):
    before = session.settings
    with pytest.raises(InputError):
        session.set(**changes)
    assert session.settings == before


@pytest.mark.parametrize("row", [-1, 5, True, "0", None, 1.0])
@pytest.mark.parametrize("action", ["row", "back", "example", "mark"])
def test_place_that_is_none_is_refused(session, action, row):
    with pytest.raises(InputError):
        getattr(session, action)(*([row, "more"] if action == "mark" else [row]))
    assert session.query is None


def test_all_pictures_come_in_turn_to_try(session):
    shown = {query.row for query in session.examples}
    session.show_examples()
    assert shown | {query.row for query in session.examples} == set(range(5))


def test_features_of_unknown_making_are_searched_by_their_own_pictures_only(table):
    session = Session(open_shelf(dict(table)))
    session.row(1)
    assert len(rows(session)) == 4 and not session.takes_words
    with pytest.raises(InputError, match="not known how"):
        session.upload(file_of(pictures()[0]))
    with pytest.raises(InputError, match="takes no words"):
        session.words("a cat")


def test_words_are_a_query_where_the_backbone_takes_them(pair):  # noqa: F811
    images = list(test_features_words.pictures())
    names = list(test_features_words.COLORS)
    made = Table({"id": names, "image": images, "label": names})
    made.extractions = {"deep_features": as_extraction(pair)}
    made["deep_features"] = extract(images, pair, progress=False)
    session = Session(open_shelf(made))
    assert session.takes_words
    session.words("a  blue photo")
    assert session.query.name == "“a blue photo”" and names[rows(session)[0]] == "blue"
    with pytest.raises(InputError, match="words have no places"):
        heat_maps(session.shelf, session.query, 0)


# Results


def test_heat_maps_color_both_pictures(session):
    session.row(0)
    for features in ("deep features", PIXELS):
        for pixels in heat_maps(session.shelf, session.query, 1, features):
            assert np.ptp(pixels, axis=2).max() > 40  # shares are colors on gray


def test_csv_has_a_line_a_neighbor_and_no_formulas(session):
    session.row(0)
    found = session.find()[0]
    lines = list(csv.DictReader(io.StringIO(as_csv(session.shelf, found))))
    assert [int(line["id"]) for line in lines] == [session.shelf.ids[one.row] for one in found]
    assert "'=HYPERLINK(1)" in [line["label"] for line in lines]


def test_page_of_results_needs_nothing_else(session):
    session.upload(file_of(pictures()[0]))
    page = as_page(as_gallery(session.shelf, session.query, session.find()[0]))
    assert page.count("<img") == 6 and "http" not in page


def test_map_places_what_is_on_it_where_it_is(table, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf_module.pooch, "os_cache", lambda name: tmp_path / name)
    many = {name: list(values) * 4 for name, values in table.items()}
    many["id"] = list(range(20))
    many["deep_features"] = np.random.RandomState(0).rand(20, 3)
    shelf = open_shelf(many)
    on_map, points = shelf.points()
    assert points.min() == 0 and points.max() == 1 and len(on_map) == 20
    assert np.array_equal(shelf.places(shelf.X[on_map]), points)
    middle = shelf.places(shelf.X[:1] + 1e-4)[0]
    assert middle.tolist() in points.tolist()
    (kept,) = (tmp_path / "image-retrieval").glob("map-*.npy")
    monkeypatch.setattr(shelf_module, "_map", lambda X: 1 / 0)
    assert np.array_equal(open_shelf(many).points()[1], points)
    kept.write_bytes(kept.read_bytes()[:50])
    with pytest.raises(ZeroDivisionError):  # it is damaged, so it is made again
        open_shelf(many).points()


# The widget


class Front:
    """What a browser would be: it sends messages, and keeps the answers."""

    def __init__(self, app, monkeypatch):
        self.app, self.answers = app, []
        monkeypatch.setattr(app, "send", lambda content, buffers=None: self.answers.append(content))

    def __call__(self, do, value=None, buffers=()):
        self.app._receive(self.app, {"do": do, "with": value}, list(buffers))
        return self.answers[-1]


@pytest.fixture
def front(table, monkeypatch):
    return Front(SearchApp(table, k=3), monkeypatch)


def test_widget_opens_on_results(front):
    state = front("hello")
    assert state["kind"] == "state" and len(state["columns"][0]["hits"]) == 3
    assert state["query"]["picture"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    "do,value",
    [
        ("rm", None),
        ("__init__", None),
        ("find", None),
        ("open", "/etc"),
        ("upload", None),
        ("data", 7),
        ("set", {"shelf": 1}),
        ("set", {"k": [1]}),
        ("row", {"row": -1}),
        ("why", {"row": 99, "features": "pixels"}),
        ("why", None),
        ("mark", {"row": 0, "how": "all"}),
        ("peek", "0"),
        (None, None),
    ],
)
def test_widget_answers_nonsense_with_one_line_and_lives_on(front, do, value):
    before = front("hello")
    answer = front(do, value)
    assert answer["kind"] == "error" and "\n" not in answer["text"] and len(answer["text"]) < 200
    assert front("hello")["query"] == before["query"]


def test_what_nobody_foresaw_is_not_told_to_visitors(front, monkeypatch):
    monkeypatch.setattr(front.app.session, "upload", lambda data: 1 / 0)
    answer = front("upload", buffers=[memoryview(b"x")])
    assert answer["kind"] == "error" and "zero" not in answer["text"]


def test_widgets_share_nothing_of_a_visit(table, monkeypatch):
    one, two = (Front(SearchApp(table), monkeypatch) for _ in range(2))
    two("hello")
    one("upload", buffers=[memoryview(file_of(pictures()[4]))])
    assert "your picture" in str(one("hello")) and "your picture" not in str(two("hello"))


def test_no_picture_is_kept_where_a_notebook_saves_it(front):
    front("upload", buffers=[memoryview(file_of(pictures()[4]))])
    assert "base64" not in str({k: v for k, v in front.app.get_state().items() if k[0] != "_"})


def test_notebook_without_a_kernel_still_shows_the_first_results(front):
    bundle = front.app._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"].count("<img") == 4 and "distance" in bundle["text/plain"]
