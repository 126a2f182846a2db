"""The benchmark's own arithmetic."""

import numpy as np
import pytest
from index_reference import features

from tools.bench import __main__ as command
from tools.bench import features as bench_features
from tools.bench import report, search, timing
from tools.bench.features import Pool

LABELS = np.array(["cat", "dog"] * 60)


def test_real_rows_where_there_are_enough():
    X, Q, name = Pool("pictures", features(120), LABELS).sample(80, queries=40)
    assert name == "real: pictures"
    assert len({tuple(row) for row in np.concatenate([X, Q]).tolist()}) == 120


def test_resampled_rows_where_there_are_not():
    old = features(120)
    X, Q, name = Pool("pictures", old, LABELS).sample(300, queries=40)
    assert name == "synthetic: resampled from 120 pictures"
    assert X.shape == (300, 24)
    assert Q.shape == (40, 24)
    assert (X >= 0).all()
    assert not (X[:, None] == old[None]).all(axis=2).any(axis=1).all()
    np.testing.assert_allclose(X.mean(axis=0), old.mean(axis=0), atol=0.4)


def test_the_best_round_counts(monkeypatch):
    times = iter([5.0, 1.0, 3.0, 2.0])
    monkeypatch.setattr(timing, "_seconds", lambda way: next(times))
    assert timing.best_seconds({"a": None, "b": None}, rounds=2) == {"a": 3.0, "b": 1.0}


def test_a_slow_way_takes_fewer_rounds():
    calls = []
    timing.best_seconds({"slow": lambda: calls.append(1)}, rounds=5, patience=0.0)
    assert len(calls) == 1


def test_figures_to_reach():
    exact = {20_000: dict.fromkeys((search.BARE, search.SKLEARN, search.TURI), (1.0, 1.0))}
    exact[20_000][search.EXACT] = (1.2, 0.4)
    text = report.wanted_table(exact, {}, {})
    assert "| exact / bare product, n = 20,000 | 1.2 | <= 1.35 | yes |" in text
    assert "| one query, exact / bare product, n = 20,000 | 0.4 | <= 0.5 | yes |" in text
    assert "| scikit-learn / exact, n = 20,000 | 0.833 | >= 2 | **no** |" in text


@pytest.mark.long
def test_the_whole_of_it(monkeypatch, tmp_path, capsys):
    for name in ("turicreate", "milvus_lite", "faiss", "hnswlib"):
        pytest.importorskip(name)
    monkeypatch.setattr(command, "BUILD", tmp_path)
    monkeypatch.setattr(command, "_APPROXIMATE_AT", 400)
    monkeypatch.setattr(command, "QUERIES", 30)
    pool = Pool("pictures", features(120), LABELS)
    monkeypatch.setattr(command, "pool", lambda: pool)
    monkeypatch.setattr(search, "TARGETS", (0.99,))
    command.main(["--sizes", "200", "400", "--rounds", "1", "--skip-extraction"])
    page = next(tmp_path.glob("bench-*.md")).read_text(encoding="utf-8")
    assert "Exact search, n = 200 (synthetic: resampled from 120 pictures)" in page
    assert "Recall against speed, n = 400" in page
    assert next(tmp_path.glob("bench-*.png")).stat().st_size > 10_000
    assert "written: build/bench-" in capsys.readouterr().out


def test_the_pool_is_the_data_of_the_notebooks(monkeypatch, tmp_path):
    monkeypatch.setattr(bench_features, "_REAL", tmp_path / "none")
    pool = bench_features.pool()
    assert pool.name == "images of the bundled sample"
    assert pool.X.shape == (len(pool.y), 1280)


def test_the_pool_is_real_where_there_are_real_features(monkeypatch, tmp_path):
    parts = {"train_features": features(50), "test_features": features(10, seed=1)}
    labels = {"train_labels": np.array(["cat"] * 50), "test_labels": np.array(["dog"] * 10)}
    np.savez(str(tmp_path / "real.npz"), **parts, **labels)
    monkeypatch.setattr(bench_features, "_REAL", tmp_path / "real.npz")
    X, Q, name = bench_features.pool().sample(50, queries=10)
    assert name == "real: CIFAR-10 images at 224 px"
    assert (X.shape, Q.shape) == ((50, 24), (10, 24))
