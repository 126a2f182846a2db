"""What the search page's server lets through, without a browser."""

import asyncio

import nbformat
import pytest
from tornado.web import HTTPError

from tools.search_page.__main__ import _parser
from tools.search_page.server import NOTEBOOK, Kernels, page_notebook, settings


def test_page_runs_the_tagged_cells_and_no_others():
    notebook = nbformat.read(str(NOTEBOOK), as_version=4)
    page = page_notebook(notebook)
    sources = [cell.source for cell in page.cells]
    assert 1 <= len(sources) < len(notebook.cells) / 4 and "app = SearchApp()" in sources[-2]
    assert all(cell.outputs == [] for cell in page.cells)
    assert any(cell.get("outputs") for cell in notebook.cells)


def test_page_listens_on_this_machine_only_unless_told_otherwise():
    config = settings(**vars(_parser().parse_args([])))
    assert config.SearchPage.ip == "127.0.0.1"


def test_visitors_beyond_the_number_are_refused_with_a_word():
    kernels = Kernels(most=2)
    kernels._kernels = dict.fromkeys("ab")
    with pytest.raises(HTTPError, match="Too many visitors") as refused:
        asyncio.run(kernels.start_kernel())
    assert refused.value.status_code == 503


def test_visitors_who_come_at_once_are_counted_one_after_the_other(monkeypatch):
    kernels = Kernels(most=1)

    async def slow(self, **options):
        await asyncio.sleep(0.01)
        self._kernels["a"] = None
        return "a"

    async def two():
        starts = [kernels.start_kernel(), kernels.start_kernel()]
        return await asyncio.gather(*starts, return_exceptions=True)

    monkeypatch.setattr(Kernels.__bases__[0], "start_kernel", slow)
    first, second = asyncio.run(two())
    assert first == "a" and second.status_code == 503
