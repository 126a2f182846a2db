"""Files of weights made to hang, to crash or to spoil the features."""

import os
import pickle
import struct

import numpy as np
import pytest
from fault_tools import python

HEADER = b"".join(
    pickle.dumps(part, protocol=2)
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
)
READ = """
import sys
from image_retrieval.errors import InputError
from image_retrieval.features.checkpoint import read_checkpoint
for path in sys.argv[1:]:
    try:
        print(read_checkpoint(path))
    except InputError as error:
        print(error)
"""
NESTED = b")" + b"\x85" * 1_900_000
DOUBLED = b")" + b"q\x00h\x00\x86" * 60
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
FLOATS = b"ctorch\nFloatStorage\n"


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


NAME, SIZE = text("weight"), b"K\x01\x85"


def tensor(kind=FLOATS, size=SIZE, name=NAME):
    """Return the pickle of a checkpoint with one tensor of one number."""
    storage = b"(" + text("storage") + kind + text("0") + text("cpu") + b"K\x01N" + b"tQ"
    arguments = b"(" + storage + b"K\x00" + size + b"K\x01\x85" + b"\x89}t"
    return b"\x80\x02}" + name + REBUILD + arguments + b"Rs."


def checkpoint(pickled, value=1.0):
    keys = pickle.dumps(["0"], protocol=2)
    return HEADER + pickled + keys + struct.pack("<qf", 1, value)


def read(folder, *contents):
    """Return the line that each of these files comes to, in a process of its own."""
    paths = [folder / f"{number}.pth" for number in range(len(contents))]
    for path, content in zip(paths, contents):
        path.write_bytes(content)
    done = python(READ, *paths)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(contents)
    return lines


def test_the_plain_one_is_read(tmp_path):
    (line,) = read(tmp_path, checkpoint(tensor()))
    assert line.startswith("{'weight': array([1.]")


def test_tuples_that_cannot_be_hashed_or_printed_are_refused_at_once(tmp_path):
    places = [
        b"\x80\x02}" + DOUBLED + b"Ns." + checkpoint(tensor()),
        checkpoint(tensor(name=DOUBLED)),
        checkpoint(tensor(name=NESTED)),
        checkpoint(tensor(kind=DOUBLED)),
        checkpoint(tensor(size=DOUBLED + b"\x85")),
        checkpoint(b"\x80\x02}" + NAME + DOUBLED + b"s."),
    ]
    for line in read(tmp_path, *places):
        assert line.endswith("; get the file again from its publisher")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    (line,) = read(tmp_path, checkpoint(tensor(), value))
    assert "not finite" in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_never_ends_is_no_file_of_weights(tmp_path, kind):
    path = tmp_path / "weights.pth"
    os.mkfifo(str(path)) if kind == "pipe" else path.symlink_to("/dev/zero")
    code = (
        "import sys, resource; resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))\n"
        "from image_retrieval.features import extract; import numpy as np\n"
        "extract(np.zeros((1, 32, 32, 3), 'uint8'), weights=sys.argv[1])"
    )
    for program in (READ, code):
        done = python(program, path)
        line = (done.stdout + done.stderr).splitlines()[-1]
        assert line.endswith("weights.pth is a pipe or a device, not a file; give a file")
