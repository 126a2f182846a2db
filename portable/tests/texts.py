"""Small text files that the contract's calls read, and what they write."""

import tempfile
from pathlib import Path

_FOLDER = tempfile.TemporaryDirectory()
_TEXTS = {
    "1.csv": 'a,b,c\n1,2.5,x\n2,3,"y, z"\n3,,\n4,NA,w\n',
    "bad.csv": "a,b\n1,2\n3\n4,5,6\n7,8\n",
    "nest.csv": 'v,d,l\n"[1,2]","{a:1}","[x,y]"\n[3 4],{b:2 c:3},[1,"q"]\n',
    "nohead.csv": "1,2\n3,4\n",
    "space.ssv": "a b\n1 2\n\n3 4\n",
    "t.tsv": "a\tb\n1\t2\n3\tx y\n",
    "dup.csv": "a,a,,b\n1,2,3,4\n",
    "com.csv": "# c\na,b\n#x\n1,2 # y\n3,4\n",
    "crlf.csv": "a,b\r\n1,2\r\n3,4\r\n",
    "mixed.csv": "a,b\n1,2\nx,3\n",
    "q.csv": 'a,b\n"x ""y"" z","line\\nbreak"\n"two\nlines",2\n  sp  , t \n',
    "e.csv": "",
    "h.csv": "a,b\n",
    "u.csv": "é,b\nü,2\n",
    "n.csv": "a,b\n1,0.1\n2,1e-7\n3,123456.789\n4,0.3333333333333333\n5,-2.5E3\n6,1e22\n7,4.35\n",
    "na.csv": "a,b\nNA,x\n1,NA\n-,\n,y\n",
    "tf.csv": "a,b\ntrue,x\nfalse,y\n",
    "late.csv": "a,b\n" + "".join(f"{row},1\n" for row in range(150)) + "x,2\n7,3\n",
    "late2.csv": "a,b\n"
    + "".join(f"{row},1\n" for row in range(150))
    + "1.5,2.5\n12abc,3\n7,3 x\n",
    "records.json": '[{"a": 1, "c": "x"}, {"a": 2, "c": null}]',
    "lines.json": '{"a": 1, "c": "x"}\n{"a": 2.5}\n',
}


def text(name):
    """Return the path of a file of that name."""
    path = Path(_FOLDER.name) / name
    if name in _TEXTS and not path.is_file():
        path.write_bytes(_TEXTS[name].encode("utf-8"))
    return str(path)


def written(call, name="out.csv"):
    """Return the text of the file that a call writes to the path it is given."""
    path = Path(_FOLDER.name) / name
    call(str(path))
    return path.read_bytes().decode("utf-8")


def hidden(answer):
    """Return a message without the name of the folder."""
    return answer.replace(_FOLDER.name, "")
