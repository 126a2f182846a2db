"""Random calls on both editions: values, types, names, printed text and kinds of errors.

    .venv-portable/bin/python portable/tests/fuzz.py [--calls 3000] [--seed 0]

prints the calls that the editions answer differently. What is found goes, once it is mended,
into a file of `calls` and so into the contract. Calls whose answers depend on the number of
cores are not made: the order of groups, random rows without a seed, which of equal values
`is_topk` marks.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import contract

_ROOT = Path(__file__).resolve().parent.parent.parent
_VALUES = {
    "int": ["0", "1", "-3", "7", "2", "None", "5"],
    "float": ["0.5", "-1.25", "2.0", "nan", "None", "7.75", "3.0"],
    "str": ["'a'", "'b'", "''", "None", "'abc'", "'1'", "'2.5'", "'é'"],
    "array.array": ["[1.0, 2.0]", "[3.0, -4.5]", "None", "[0.5, 0.25]"],
    "list": ["['a', 1]", "[]", "None", "['b']", "['a', 3, 2.5]"],
    "dict": ["{'a': 1}", "{}", "None", "{'b': 2.5}", "{'a': 'x', 'c': 3}"],
    "datetime.datetime": ["datetime.datetime(2020, 1, 2)", "None", "datetime.datetime(1999, 5, 6)"],
}
_CONSTANTS = ["0", "1", "-2", "2.5", "'a'", "None", "nan", "[1.0, 2.0]", "['a', 1]", "{'a': 1}"]
_SIGNS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&", "|"]
_TYPES = ["int", "float", "str", "array.array", "list", "dict"]
_PLAIN = """sum() mean() min() max() std() var() median() any() all() nnz() countna() dropna()
    cumulative_sum() cumulative_mean() cumulative_min() cumulative_max() item_length()
    dict_keys() dict_values() to_numpy() unpack() stack() sort() sort(False) head(2) tail(2)
    hash() hash(3) shape dtype dropna().summary().num_unique() sample(0.5,seed=1)
    clip(0,2) clip_lower(1) clip_upper(1) element_slice(0,1) vector_slice(0) vector_slice(0,2)
    contains('a') contains(1) is_in(['a',1]) is_in([1,2]) dict_has_any_keys('a')
    dict_has_all_keys(['a','b']) fillna(0) fillna('z') fillna([0.0,0.0]) fillna({})
    append(COLUMN) filter_by([1,'a']) [1] [-1] [9] [1:] [::2] [:-1] std(ddof=1) var(ddof=9)
    apply(str) apply(lambda_x_none) filter(bool) value_counts()['count'].sum() unique()[:0]
    to_numpy().shape astype(TYPE) astype(TYPE,undefined_on_failure=True)
    random_split(0.5,seed=2)[0]""".split()
_FRAME = """column_names() column_types() shape dropna() dropna('a') dropna_split()[1]
    sort('a') sort('b',ascending=False) sort(['a','b']) topk('a',2)['a']
    topk('b',2,reverse=True)['b'] head(2) tail(1) [1] [-1] [9] [1:] ['a'] ['a','b'] [['b','a']]
    [int] [str] add_row_number() add_row_number('b') rename({'a':'z'}) rename({'a':'b'})
    remove_column('a') remove_column('z') swap_columns('a','b') append(FRAME) fillna('a',0)
    fillna('b','z') stack('a') stack('b') unpack('a') unpack('b') pack_columns()
    pack_columns(dtype=dict) pack_columns(['a'],new_column_name='p') filter_by([1,'a'],'a')
    filter_by(1,'a') filter_by('a','b') filter_by(None,'a') to_numpy()
    drop_duplicates(['a']).sort('a')['a'] unique().num_rows()
    groupby('a',agg.COUNT()).sort('a') groupby('a',{'x':agg.SUM('b')}).sort('a')
    groupby('b',{'x':agg.MEAN('a')}).sort('b')
    groupby('a',[agg.MIN('b'),agg.MAX('b')]).sort('a')
    groupby('b',{'x':agg.COUNT_DISTINCT('a')}).sort('b')
    groupby('a',[agg.VAR('b'),agg.STD('b')]).sort('a') random_split(0.5,seed=1)[1]
    sample(0.4,seed=3) join(FRAME,on='a').sort(['a','b'])
    join(FRAME,on='a',how='outer').sort(['a','b']) print repr to_dataframe().shape
    add_column(COLUMN) add_column(5,'c') add_columns([COLUMN],['c']) apply(lambda_row)
    random_split(0.3,seed=5,exact=True)[0]""".split()


def calls(count, seed):
    """Return generated expressions, each once."""
    maker = _Maker(random.Random(seed))
    found = {}
    while len(found) < count:
        found[maker.call()] = None
    return list(found)


class _Maker:
    def __init__(self, chance):
        self.chance = chance

    def call(self):
        kind = self.chance.random()
        if kind < 0.3:
            return self.operation()
        if kind < 0.65:
            return self.filled(self.column(), self.chance.choice(_PLAIN))
        if kind < 0.7:
            return f"{self.chance.choice(['repr', 'str'])}({self.column()})"
        return self.frame_call()

    def column(self, size=None, kind=None):
        kind = kind or self.chance.choice(list(_VALUES))
        size = self.chance.randint(0, 5) if size is None else size
        items = ", ".join(self.chance.choice(_VALUES[kind]) for _ in range(size))
        return f"SArray([{items}], {kind})"

    def frame(self, size=None):
        size = self.chance.randint(1, 5) if size is None else size
        # Where NaN stands among sorted numbers is left open in Turi Create.
        columns = [self.column(size).replace("nan", "4.5") for _ in range(2)]
        return f"SFrame({{'a': {columns[0]}, 'b': {columns[1]}}})"

    def operation(self):
        size = self.chance.randint(1, 4)
        left = self.column(size)
        same = self.chance.random() < 0.5
        right = self.column(size) if same else self.chance.choice(_CONSTANTS)
        if not same and self.chance.random() < 0.3:
            left, right = right, left
        return f"{left} {self.chance.choice(_SIGNS)} {right}"

    def filled(self, owner, method):
        if method in ("any()", "all()") and "datetime" in owner:
            # Whether Turi Create comes to a missing value or to a date first is left to threads.
            owner = owner.replace("None, ", "").replace("None", "")
        if method.startswith(("median", "sort")):
            owner = owner.replace("nan", "4.5")
        method = method.replace("lambda_x_none", "lambda x: None if x == 1 else x")
        method = method.replace("TYPE", self.chance.choice(_TYPES))
        method = method.replace("COLUMN", self.column())
        return owner + (method if method.startswith("[") else f".{method}")

    def frame_call(self):
        size = self.chance.randint(1, 5)
        owner, method = self.frame(size), self.chance.choice(_FRAME)
        if method in ("print", "repr"):
            return f"{'str' if method == 'print' else method}({owner})"
        method = method.replace("FRAME", self.frame()).replace("COLUMN", self.column(size))
        method = method.replace("lambda_row", "lambda row: row['a']")
        return owner + (method if method.startswith("[") else f".{method}")


def answers(expressions, python):
    """Return what one edition, run by its interpreter, answers."""
    with tempfile.TemporaryDirectory() as folder:
        asked, found = Path(folder) / "asked.json", Path(folder) / "found.json"
        asked.write_text(json.dumps(expressions), encoding="utf-8")
        command = [str(python), "-W", "ignore", __file__, "--answer", str(asked), str(found)]
        result = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT)
        if not found.is_file():
            raise RuntimeError(result.stderr[-2000:])
        return json.loads(found.read_text(encoding="utf-8"))


def answer_file(asked, found):
    """Answer the expressions of a file with the edition that is installed."""
    import turicreate

    known = {
        **contract.basics(turicreate),
        **contract.columns(turicreate.SArray, turicreate.SFrame),
    }
    expressions = json.loads(Path(asked).read_text(encoding="utf-8"))
    given = {expression: contract.answer(expression, known) for expression in expressions}
    Path(found).write_text(json.dumps(given), encoding="utf-8")


def differences(expressions, real, portable):
    """Return [(expression, real answer, portable answer)] where they differ.

    Errors are compared by their kind; what is refused by name is no difference.
    """
    found = []
    for expression in expressions:
        one, other = real[expression], portable[expression]
        if _is_error(one) and _is_error(other):
            same = one["error"][0] in other["error"] or _is_refusal(other)
        else:
            same = contract.same(one, other) or _is_refusal(other)
        if not same:
            found.append((expression, one, other))
    return found


def _is_error(answer):
    return isinstance(answer, dict) and "error" in answer


def _is_refusal(answer):
    return _is_error(answer) and answer["error"][0] == "NotInPortableEdition"


def main():
    """Print what differs; return 1 if anything does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--answer", nargs=2, metavar=("ASKED", "FOUND"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        answer_file(*options.answer)
        return 0
    expressions = calls(options.calls, options.seed)
    environments = [_ROOT / name / "bin" / "python" for name in (".venv", ".venv-portable")]
    found = differences(expressions, *(answers(expressions, path) for path in environments))
    for expression, one, other in found:
        print(f"{expression}\n  Turi Create: {json.dumps(one)}\n  portable:    {json.dumps(other)}")
    print(f"{len(found)} of {len(expressions)} calls are answered differently.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
