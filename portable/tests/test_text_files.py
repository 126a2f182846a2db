"""Text files of any size and number are read piece by piece."""

import tracemalloc

import pytest
from edition import portable_only

pytestmark = portable_only
ROWS = 20_000


def peak(call):
    tracemalloc.start()
    try:
        result = call()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("end", ["\n", "|"])
def test_what_is_not_asked_for_takes_no_memory(tmp_path, end):
    import turicreate

    path = tmp_path / "long.csv"
    lines = [f"{row},{'x' * 300}{row}{end}" for row in range(ROWS)]
    path.write_text(f"number,text{end}" + "".join(lines))
    options = {"line_terminator": end, "usecols": ["number"], "verbose": False}
    frame, used = peak(lambda: turicreate.SFrame.read_csv(str(path), **options))
    assert frame["number"].sum() == ROWS * (ROWS - 1) // 2
    assert used < 0.6 * path.stat().st_size


def test_texts_that_come_again_are_kept_once(tmp_path):
    import turicreate

    path = tmp_path / "labels.csv"
    path.write_text("label\n" + "".join(f"label {row % 3} {'x' * 200}\n" for row in range(ROWS)))
    frame = turicreate.SFrame.read_csv(str(path), verbose=False)
    assert len({id(text) for text in frame["label"].tolist()}) < 10
    assert frame["label"][ROWS - 1].startswith(f"label {(ROWS - 1) % 3} ")


def test_a_long_file_says_how_far_it_is(tmp_path, capsys, monkeypatch):
    import turicreate
    from turicreate import tabular

    monkeypatch.setattr(tabular, "_PROGRESS_ROWS", 120)
    path = tmp_path / "numbers.csv"
    path.write_text("n\n" + "1\n" * 250)
    turicreate.SFrame.read_csv(str(path))
    said = [line for line in capsys.readouterr().out.split("\n") if line.startswith("Read ")]
    assert said == ["Read 120 lines.", "Read 240 lines."]


def test_each_of_several_files_has_a_header(tmp_path):
    import turicreate

    for number in range(3):
        (tmp_path / f"{number}.csv").write_text(f"a,b\n{number},x\n")
    frame = turicreate.SFrame.read_csv(str(tmp_path / "*.csv"), verbose=False)
    assert frame["a"].tolist() == [0, 1, 2]
    assert frame["b"].tolist() == ["x", "x", "x"]
