"""Turi Create's progress messages: hidden, shown again, and warnings kept."""

import sys
import time
from types import ModuleType

import numpy as np
import pytest

from image_retrieval import quiet
from image_retrieval.errors import InputError
from image_retrieval.quiet import quiet_turicreate


@pytest.fixture
def printed(real_turicreate):
    from turicreate._cython import cy_server

    messages, original = [], cy_server.print_callback
    cy_server.print_callback = messages.append
    yield messages
    cy_server.print_callback = original


@pytest.fixture(scope="module")
def table():
    import turicreate as tc

    return tc.SFrame({"id": list(range(50)), "v": [[float(i), 1.0] for i in range(50)]})


def find(table):
    import turicreate as tc

    model = tc.nearest_neighbors.create(table, features=["v"], label="id")
    return model.query(table[:1], k=2)


def arrives(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_progress_is_hidden_and_shown_again(printed, table):
    quiet_turicreate()
    quiet_turicreate()  # twice is as good as once
    assert len(find(table)) == 2
    assert printed == []
    quiet_turicreate(False)
    find(table)
    # Turi Create's engine hands its messages over from another thread, at times a little later.
    assert arrives(lambda: any("Elapsed Time" in message for message in printed))


def test_warnings_and_errors_come_through(printed):
    from turicreate._cython import cy_server

    quiet_turicreate()
    for message in ("WARNING: low variance", "| 1 | Training Error |", " Error: no", "Done."):
        cy_server.print_callback(message)
    assert printed == ["WARNING: low variance", " Error: no"]


def test_an_edition_without_such_a_printer_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "turicreate", ModuleType("turicreate"))
    monkeypatch.delitem(sys.modules, "turicreate._cython", raising=False)
    quiet_turicreate()
    quiet_turicreate(False)
    assert vars(sys.modules["turicreate"]).keys() == vars(ModuleType("turicreate")).keys()


def test_a_python_without_turi_create_says_how_to_open_the_notebooks(monkeypatch):
    monkeypatch.delitem(sys.modules, "turicreate", raising=False)
    monkeypatch.setattr(quiet, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="does not have Turi Create; open .* with `make lab`"):
        quiet_turicreate()


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_tables_of_explore_have_dark_text_and_words_for_pictures(real_turicreate, shell):
    from IPython.utils.capture import capture_output
    from turicreate.visualization import _plot

    from image_retrieval.sframes import image_sframe

    quiet_turicreate()
    quiet_turicreate()
    sframe = image_sframe([7], np.zeros((1, 2, 2, 3), np.uint8), ["cat"])
    with capture_output() as captured:
        _plot.display_table_in_notebook(sframe, "T")
    (output,) = captured.outputs
    page = output.data["text/html"]
    assert page.count("color:#212121") == 1 and page.count('<img alt="picture" src="data:') == 1
    assert ">cat<" in page
