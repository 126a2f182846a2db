"""A notebook of the old course prints in both editions what it printed with Turi Create."""

import old_notebook
import pytest

pytest.importorskip("turicreate")


def test_the_image_week_prints_what_it_printed_then():
    recorded = old_notebook.RECORDED.read_text(encoding="utf-8")
    assert recorded.count("\n") > 100
    assert old_notebook.printed() == recorded
