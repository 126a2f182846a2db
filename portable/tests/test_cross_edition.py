"""What one edition writes the other opens, equal in every value."""

import hashlib
import json
import sys

import fuzz
import pytest
from edition import ROOT, portable_only, real_python, run_real
from frames import frames, printed_tables, values

pytestmark = portable_only

_PRELUDE = """
import hashlib, json, sys
import turicreate
from frames import frames, values
"""
_WRITE = (
    _PRELUDE
    + """
digests = {}
for name, columns in frames(turicreate):
    sframe = turicreate.SFrame(columns)
    sframe.save(sys.argv[1] + "/" + name)
    digests[name] = hashlib.sha256(repr(values(sframe)).encode()).hexdigest()
print(json.dumps(digests))
"""
)
_READ = (
    _PRELUDE
    + """
digests = {}
for name, _ in frames(turicreate):
    sframe = turicreate.SFrame(sys.argv[1] + "/" + name)
    digests[name] = hashlib.sha256(repr(values(sframe)).encode()).hexdigest()
print(json.dumps(digests))
"""
)


def digest(sframe):
    return hashlib.sha256(repr(values(sframe)).encode()).hexdigest()


@pytest.fixture(scope="module")
def written_by_the_real_one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    return folder, json.loads(run_real(_WRITE, folder).splitlines()[-1])


def test_reads_what_turi_create_writes(written_by_the_real_one):
    import turicreate

    folder, digests = written_by_the_real_one
    found = {name: digest(turicreate.SFrame(str(folder / name))) for name in digests}
    assert found == digests
    assert len(found) == 8


def test_turi_create_reads_what_this_edition_writes(tmp_path):
    import turicreate

    digests = {}
    for name, columns in frames(turicreate):
        sframe = turicreate.SFrame(columns)
        sframe.save(str(tmp_path / name))
        digests[name] = digest(sframe)
    assert json.loads(run_real(_READ, tmp_path).splitlines()[-1]) == digests


def test_both_hold_the_same_values(written_by_the_real_one):
    import turicreate

    _, digests = written_by_the_real_one
    assert {name: digest(turicreate.SFrame(c)) for name, c in frames(turicreate)} == digests


def test_turi_create_reads_a_single_column(tmp_path):
    import turicreate

    turicreate.SArray(["a", None, "é"]).save(str(tmp_path / "column"))
    script = "import sys, turicreate; print(list(turicreate.SArray(sys.argv[1])))"
    assert run_real(script, tmp_path / "column").splitlines()[-1] == "['a', None, 'é']"


def test_reads_the_bundled_sample_like_turi_create():
    import turicreate

    script = (
        _PRELUDE
        + """
print(json.dumps([
    hashlib.sha256(repr(values(turicreate.SFrame(path))).encode()).hexdigest()
    for path in sys.argv[1:]
]))
"""
    )
    paths = [str(ROOT / name) for name in ("image_train_data", "image_test_data")]
    recorded = json.loads(run_real(script, *paths).splitlines()[-1])
    assert [digest(turicreate.SFrame(path)) for path in paths] == recorded


def test_generated_calls_are_answered_alike():
    expressions = fuzz.calls(400, seed=2)
    assert len({expression.split("(")[0] for expression in expressions}) > 1
    real = fuzz.answers(expressions, real_python())
    portable = fuzz.answers(expressions, sys.executable)
    assert fuzz.differences(expressions, real, portable) == []
    assert sum("error" in str(answer) for answer in real.values()) < len(expressions) / 2


def test_the_comparison_of_generated_calls_sees_a_difference():
    gone = {"error": ["NotInPortableEdition", "Exception"], "message": ""}
    error, other = (
        {"error": [name, "Exception"], "message": ""} for name in ("KeyError", "OSError")
    )
    real = {"a": 1, "b": error, "c": error, "d": 2}
    portable = {"a": 2, "b": error, "c": other, "d": gone}
    assert [found[0] for found in fuzz.differences("abcd", real, portable)] == ["a", "c"]


def test_tables_are_printed_alike():
    import turicreate

    script = (
        _PRELUDE
        + """
from frames import printed_tables
print(json.dumps(printed_tables(turicreate)))
"""
    )
    recorded = json.loads(run_real(script).splitlines()[-1])
    assert printed_tables(turicreate) == recorded
    assert len(set(recorded)) > 150
