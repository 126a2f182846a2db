import numpy as np
import pytest

from image_retrieval import intervals
from image_retrieval.errors import InputError

RANDOM = np.random.RandomState(3)


def test_the_error_of_independent_values_is_the_textbooks():
    values = RANDOM.normal(0.7, 0.3, 900)
    found = intervals.of_mean(values)
    expected = values.std(ddof=1) / 30
    assert found.mean == pytest.approx(values.mean())
    assert found.error == pytest.approx(expected, rel=0.06)
    assert found.low == pytest.approx(values.mean() - 1.96 * expected, abs=0.15 * expected)
    assert found.high == pytest.approx(values.mean() + 1.96 * expected, abs=0.15 * expected)


def test_values_that_repeat_within_a_group_count_once():
    once = RANDOM.normal(0.5, 0.2, 80)
    groups = np.repeat(np.arange(80), 10)
    found = intervals.of_mean(np.repeat(once, 10), groups)
    assert found.error == pytest.approx(intervals.of_mean(once).error, rel=1e-9)
    assert found.error > 2.5 * intervals.of_mean(np.repeat(once, 10)).error


def test_groups_of_several_sizes_weigh_by_their_queries():
    found = intervals.of_mean([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"])
    assert found.mean == 0.75
    assert (found.low, found.high) == (0.0, 1.0)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    truth, covered = 0.6, 0
    for _ in range(200):
        drawings = np.repeat(RANDOM.normal(truth, 0.2, 60), 5) + RANDOM.normal(0, 0.2, 300)
        found = intervals.of_mean(drawings, np.repeat(np.arange(60), 5), confidence=0.9)
        covered += found.low <= truth <= found.high
    assert 0.83 <= covered / 200 <= 0.96


def test_a_paired_difference_is_surer_than_its_two_means():
    hard = RANDOM.normal(0.6, 0.3, 400)
    better, worse = hard + 0.02 + RANDOM.normal(0, 0.05, 400), hard
    difference = intervals.of_difference(better, worse)
    assert difference.excludes_zero
    assert difference.error < intervals.of_mean(better).error / 4
    assert not intervals.of_difference(worse + RANDOM.normal(0, 0.05, 400), worse).excludes_zero


def test_what_is_undefined_is_left_out():
    with_gap = intervals.of_mean([0.2, np.nan, 0.6, 1.0], ["a", "b", "c", "d"])
    assert with_gap == intervals.of_mean([0.2, 0.6, 1.0], ["a", "c", "d"])


def test_the_same_values_give_the_same_interval_and_a_wider_one_for_more_confidence():
    values = RANDOM.normal(size=50)
    assert intervals.of_mean(values) == intervals.of_mean(values)
    narrow, wide = (intervals.of_mean(values, confidence=c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    # Frozen, because notebooks print it: the same digits with every NumPy.
    assert str(intervals.of_mean(np.arange(20) % 3)) == "0.950 ± 0.182"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0], ["a"]), "1 groups for values of shape"),
        (([[1.0, 2.0]],), "one of each per query"),
        (([1.0],), "two groups at least"),
        (([1.0, 2.0], ["a", "a"]), "two groups at least"),
        (([],), "two groups at least"),
        (([1.0, 2.0], None, 95), "confidence must be between 0 and 1"),
    ],
)
def test_what_gives_no_interval_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        intervals.of_mean(*arguments)


def test_values_of_other_queries_cannot_be_paired():
    with pytest.raises(InputError, match="cannot be paired"):
        intervals.of_difference([1.0, 2.0], [1.0])
