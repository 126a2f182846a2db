"""Record what Turi Create answers to the calls of the contract tests.

    .venv/bin/python portable/tests/record_contract.py [--new]

Run it in the environment of the real edition: with `--new` after a change to the files in
`calls`, without it after one to the bundled sample or to what the calls use.
"""

import json
import sys

import contract
import public_names


def main():
    """Write the answers to contract.json and the public names to public_names.json."""
    import turicreate

    if "portable" in turicreate.__version__:
        print("The contract is recorded from the real Turi Create: use .venv/bin/python")
        return 2
    contract.hush(turicreate)
    known = contract.names()
    old = json.loads(contract.RECORDED.read_text("utf-8")) if "--new" in sys.argv[1:] else {}
    answers = {
        call: old[call] if call in old else contract.answer(call, known)
        for call in contract.calls()
    }
    _write(contract.RECORDED, answers)
    _write(contract.HERE / "public_names.json", public_names.public_names(turicreate))
    print(f"{len(answers)} answers in {contract.RECORDED.name}")
    return 0


def _write(path, data):
    path.write_text(json.dumps(data, indent=0, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
