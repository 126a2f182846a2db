"""Both editions answer the course's calls as Turi Create 6.4.1 did when they were recorded."""

import json

import contract
import pytest

turicreate = pytest.importorskip("turicreate")

RECORDED = json.loads(contract.RECORDED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def known():
    contract.hush(turicreate)
    return contract.names()


def test_every_call_has_been_recorded():
    assert list(RECORDED) == contract.calls()


@pytest.mark.parametrize("call", list(RECORDED))
def test_the_answer_is_the_recorded_one(known, call):
    found = json.loads(json.dumps(contract.answer(call, known)))
    assert contract.same(RECORDED[call], found), f"recorded {RECORDED[call]}\nfound {found}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"float": "1.0"}, {"float": "1.0000001"}),
        ([1, 2], [1]),
        (1, True),
        ({"error": ["KeyError"], "message": "x"}, {"error": ["ValueError"], "message": "x"}),
    ],
)
def test_the_comparison_sees_a_difference(one, other):
    assert contract.same(one, one)
    assert not contract.same(one, other)
