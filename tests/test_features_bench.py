import pytest

from tools.bench import extraction, inception


def test_every_way_is_measured_and_gives_the_same_features():
    rates = extraction.measure(sizes=(32,), n=4, rounds=1)
    assert {extraction.NETWORK, extraction.PLAIN, extraction.EXTRACT} <= set(rates[32])
    assert all(rate > 0 for rate in rates[32].values())


def test_the_table_names_rates_and_ratios(tmp_path, capsys, monkeypatch):
    rates = dict.fromkeys([way for ratio in extraction.RATIOS for way in ratio[:2]], 200.0)
    rates[extraction.EXTRACT] = 150.0
    monkeypatch.setattr(extraction, "measure", lambda *_: {160: rates})
    extraction.main(["--output", str(tmp_path / "table.md")])
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert text == capsys.readouterr().out
    assert "| 160 px | network | 200 |" in text
    assert "| 160 px | extract, resizing included / network | 0.75 | at least 0.75 |" in text


@pytest.mark.long
def test_inception_is_measured_against_keras_where_that_is_installed(capsys):
    from importlib.util import find_spec

    inception.main(["--size", "75", "--images", "2", "--rounds", "1"])
    text = capsys.readouterr().out
    assert "| 75 px, ONNX Runtime | " in text
    assert ("ONNX Runtime / Keras: " in text) == bool(find_spec("tensorflow"))
