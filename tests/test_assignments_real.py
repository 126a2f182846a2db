"""The assignments on real photographs: their solutions pass the same checks there."""

import pytest

from image_retrieval.cli import main as build
from tools.classroom.course import assignment_names
from tools.classroom.release import solution


@pytest.fixture(scope="module")
def real_data(shared_data, tmp_path_factory):
    """Folders of real CIFAR-10 and real Caltech-101 data."""
    folder = tmp_path_factory.mktemp("real")
    cifar10 = ["--archive", str(shared_data / "cifar-10-binary-subset.tar.gz"), "--train", "600"]
    assert build(["cifar10", *cifar10, "--test", "200", "--output", str(folder / "cifar10")]) == 0
    caltech101 = ["--archive", str(shared_data / "101_ObjectCategories-subset.tar.gz")]
    assert build(["caltech101", *caltech101, "--output", str(folder / "caltech101")]) == 0
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", assignment_names())
def test_solution_passes_its_checks_on_real_photographs(real_data, name, monkeypatch):
    monkeypatch.setenv("IMAGE_RETRIEVAL_DATA", str(real_data / "cifar10"))
    monkeypatch.setenv("IMAGE_RETRIEVAL_CALTECH101", str(real_data / "caltech101"))
    notebook, problem = solution(name)
    assert problem == ""
    printed = str([cell.get("outputs") for cell in notebook.cells])
    assert "bundled" not in printed
