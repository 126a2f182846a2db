"""Record what Turi Create answers to the calls of the contract tests.

    .venv/bin/python -m tools.record_contract [--new]

Run it in the environment of the real edition: with `--new` after a change to the calls in
`tests/portable/calls`, without it after one to the bundled sample or to what the calls use.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "portable"))


def main():
    """Write the answers to contract.json and the public names to public_names.json."""
    import contract
    import public_names
    import turicreate

    from image_retrieval.quiet import quiet_turicreate

    if "portable" in turicreate.__version__:
        print("The contract is recorded from the real Turi Create: use .venv/bin/python")
        return 2
    quiet_turicreate()
    known = contract.names()
    old = json.loads(contract.RECORDED.read_text("utf-8")) if "--new" in sys.argv[1:] else {}
    answers = {
        call: old[call] if call in old else contract.answer(call, known)
        for call in contract.calls()
    }
    text = json.dumps(answers, indent=0, ensure_ascii=True) + "\n"
    contract.RECORDED.write_text(text, encoding="utf-8")
    names = json.dumps(public_names.public_names(turicreate), indent=0) + "\n"
    (contract.HERE / "public_names.json").write_text(names, encoding="utf-8")
    print(f"{len(answers)} answers in {contract.RECORDED.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
