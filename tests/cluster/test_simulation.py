"""The discrete-event model, against what can be worked out by hand."""

import pytest

pytest.importorskip("simpy")
pytestmark = pytest.mark.cluster

from tools.simulation import check, report  # noqa: E402
from tools.simulation.assumptions import Assumptions  # noqa: E402
from tools.simulation.model import extraction, insertion, machines, searches  # noqa: E402

HOW = Assumptions(
    extracted=10.0,
    part=100,
    lifetime=1e12,
    inserted=1000.0,
    batch=1000,
    message=1.0,
    scanned=1000.0,
    merged=0.5,
)


def test_extraction_takes_its_pictures_by_the_rate_of_all_workers():
    assert extraction(36_000, 1, HOW) == (1.0, 0)
    assert extraction(36_000, 2, HOW) == (0.5, 0)
    # Three parts, two workers: one of them has to take two.
    assert extraction(300, 2, HOW)[0] * 3600 == pytest.approx(20)


def test_workers_that_die_cost_their_part_and_the_restart():
    frail = HOW.changed(lifetime=50.0, restart=7.0)
    hours, deaths = extraction(36_000, 4, frail)
    assert deaths > 0 and hours > 0.25 + deaths * 7 / 4 / 3600
    assert extraction(36_000, 4, frail) == (hours, deaths)
    assert extraction(36_000, 4, frail, seed=1) != (hours, deaths)


def test_insertion_is_bound_by_writers_or_by_shards():
    # A message takes its writer a second, and then the shard another.
    assert insertion(10_000, 1, 1, HOW) * 3600 == pytest.approx(20)
    assert insertion(10_000, 5, 1, HOW) * 3600 == pytest.approx(11)
    assert insertion(10_000, 10, 2, HOW) * 3600 == pytest.approx(6)


def test_a_query_alone_takes_the_time_of_one_shard_and_the_merging():
    found = searches(4000, 2, 1, 0.001, HOW, queries=200)
    assert found.median == pytest.approx(4000 / 2 / 1000 + 2 * 0.5)


def test_queries_wait_for_one_another_and_replicas_help():
    one, two = (searches(1000, 1, copies, 0.9, HOW, queries=500) for copies in (1, 2))
    assert one.median > 1.5 + 0.5 and two.slow < one.slow
    flooded = searches(1000, 1, 1, 10, HOW, queries=500)
    assert flooded.rate == pytest.approx(1.0, rel=0.05) and flooded.median > 100


def test_machines_hold_what_they_have_memory_for():
    assert [machines(n, 5120, HOW) for n in (10**6, 10**7, 10**9)] == [1, 2, 107]


def test_the_tables_are_the_same_every_time():
    small = Assumptions()
    assert report.walk(small) == report.walk(small)
    assert "| 10,000,000 | 1.0 TB | 51.2 GB | 64 |" in report.walk(small)
    assert "| extracted | 97 | pictures a second and core |" in small.table()


def test_the_check_compares_the_model_with_real_searches():
    found = check.measure(1, sizes=(1200,), calibrated=600)
    real, model = found[1200]
    assert real > 0 and model > 0
    assert f"| {model / real:.2f} |" in check.markdown(found)
