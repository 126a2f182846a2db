"""The tool that measures post-processing compares what it says it compares."""

import numpy as np
import pytest

from tools import measure_recipe


@pytest.fixture(scope="module")
def results():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 320)
    deep = (random.normal(size=(320, 260)) + np.eye(3, 260)[y] * 9 + 1).clip(0)
    features = {
        "pixels": random.normal(size=(320, 8)),
        "deep": deep,
        "flip": deep,
        "joined": np.tile(deep, 3),
    }
    labels = np.asarray(["bird", "cat", "dog"])[y]
    return measure_recipe.measure(features, labels, seeds=2, n_reference=270, n_query=50)


def test_every_variant_is_measured_on_every_split(results):
    assert list(results) == [name for name, _, _ in measure_recipe.variants()]
    assert all(values.shape == (2, 2) for values in results.values())
    # The same features and steps must give the same figures on the same splits.
    np.testing.assert_array_equal(results["nothing"], results["flip: nothing"])
    # Three times the same side by side ranks as one of them does.
    np.testing.assert_allclose(
        results["joined: default"], results["default: root, l2, center, l2"], atol=1e-3
    )
    assert abs(results["raw pixels"][:, 0].mean() - 1 / 3) < 0.1
    assert results["default: root, l2, center, l2"][:, 0].min() > 0.6


def test_differences_are_taken_split_by_split(results):
    table = measure_recipe.compare(results)
    difference = results["nothing"][:, 0] - results[measure_recipe.BASE][:, 0]
    error = difference.std(ddof=1) / np.sqrt(2)
    shown = table["precision@5"].loc["nothing", ["difference", "se"]].tolist()
    assert shown == pytest.approx([difference.mean(), error], abs=0.00051)
    assert table["mAP"].loc[measure_recipe.BASE, ["difference", "se"]].tolist() == [0.0, 0.0]
    assert table["mAP"]["mean"].tolist() == pytest.approx(
        [values[:, 1].mean() for values in results.values()], abs=0.00051
    )


def test_one_seed_has_no_standard_error(capsys):
    assert measure_recipe.main(["--seeds", "1"]) == 2
    error = capsys.readouterr().err
    assert "2 seeds or more, got 1" in error and error.count("\n") == 1
