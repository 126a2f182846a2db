"""The reader of Keras's files: what it reads, and that it reads nothing else."""

import numpy as np
import pytest

from image_retrieval.errors import InputError
from image_retrieval.features.keras_weights import read_keras_weights
from tests.keras_files import names, write_keras_file

h5py = pytest.importorskip("h5py")
KERNEL = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
LAYERS = [("input_1", []), ("conv2d", [("conv2d/kernel:0", KERNEL)])]


@pytest.fixture(params=["S", "O"], ids=["fixed", "any length"])
def path(request, tmp_path):
    return write_keras_file(tmp_path / "weights.h5", LAYERS, text=request.param)


def test_weights_come_by_layer_and_by_the_last_part_of_their_names(path):
    layers = read_keras_weights(path, "get it again")
    assert list(layers) == ["conv2d"] and list(layers["conv2d"]) == ["kernel"]
    np.testing.assert_array_equal(layers["conv2d"]["kernel"], KERNEL)


def test_the_files_own_order_counts(tmp_path):
    layers = [(name, [("a/b:0", np.ones(1))]) for name in ("z", "a", "m")]
    assert list(read_keras_weights(write_keras_file(tmp_path / "w.h5", layers), "")) == [*"zam"]


def outside(tmp_path):
    with h5py.File(str(tmp_path / "outside.h5"), "w") as file:
        file["secret"] = KERNEL
    return str(tmp_path / "outside.h5")


def replaced(link):
    def change(file, tmp_path):
        del file["conv2d/conv2d/kernel:0"]
        file["conv2d/conv2d/kernel:0"] = link(tmp_path)

    return change


def virtual(file, tmp_path):
    layout = h5py.VirtualLayout(KERNEL.shape, np.float32)
    layout[...] = h5py.VirtualSource(outside(tmp_path), "secret", KERNEL.shape)
    del file["conv2d/conv2d/kernel:0"]
    file.create_virtual_dataset("conv2d/conv2d/kernel:0", layout)


def external_data(file, tmp_path):
    (tmp_path / "raw").write_bytes(KERNEL.tobytes())
    del file["conv2d/conv2d/kernel:0"]
    stored = [(str(tmp_path / "raw"), 0, KERNEL.nbytes)]
    file.create_dataset("conv2d/conv2d/kernel:0", KERNEL.shape, np.float32, external=stored)


def created(**options):
    def change(file, tmp_path):
        del file["conv2d/conv2d/kernel:0"]
        file.create_dataset("conv2d/conv2d/kernel:0", **options)

    return change


def attribute(name, value, where="/"):
    def change(file, tmp_path):
        file[where].attrs[name] = value

    return change


def without(file, tmp_path):
    del file.attrs["layer_names"]


def references(file, tmp_path):
    file.attrs["layer_names"] = np.array([file.ref], dtype=h5py.ref_dtype)


HUGE = {"shape": (1 << 20, 1 << 20), "dtype": np.float32}
HOSTILE = {
    "external link": (replaced(lambda p: h5py.ExternalLink(outside(p), "secret")), "hard link"),
    "soft link": (replaced(lambda p: h5py.SoftLink("/other")), "hard link"),
    "virtual": (virtual, "does not lie in the file"),
    "external data": (external_data, "does not lie in the file"),
    "huge": (created(**HUGE), "larger than the file"),
    "huge chunked": (created(chunks=(1, 1024), **HUGE), "larger than the file"),
    "compressed": (created(data=KERNEL, compression="gzip"), "does not lie in the file"),
    "texts": (created(data=np.array([b"a"])), "not an array of numbers"),
    "whole numbers": (created(data=np.arange(3)), "not an array of numbers"),
    "nothing": (created(data=h5py.Empty("f4")), "not an array of numbers"),
    "not finite": (created(data=np.array([1, np.nan], np.float32)), "not finite"),
    "no names": (without, "no layer_names"),
    "wrong layer": (attribute("layer_names", names(["conv2d_9"])), "no 'conv2d_9'"),
    "wrong weight": (attribute("weight_names", names(["x"]), "conv2d"), "no 'x' in /conv2d"),
    "weight is a group": (attribute("weight_names", names(["conv2d"]), "conv2d"), "not an array"),
    "layer is an array": (
        attribute("layer_names", names(["conv2d/conv2d/kernel:0"])),
        "no weight_names",
    ),
    "empty name": (attribute("layer_names", names([""])), "weights as Keras writes"),
    "up and out": (attribute("weight_names", names(["../input_1"]), "conv2d"), "no '..'"),
    "number": (attribute("layer_names", 5), "not a list of names"),
    "object references": (references, "not a list of names"),
    "many names": (attribute("layer_names", names(["x"] * 1001)), "not a list of names"),
    "long names": (attribute("layer_names", np.array([b"x" * 201])), "not a list of names"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line(path, tmp_path, kind):
    change, words = HOSTILE[kind]
    with h5py.File(str(path), "a") as file:
        change(file, tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        read_keras_weights(path, "get it again")
    message = str(caught.value)
    assert message.startswith(str(path)) and message.endswith("get it again")
    assert "\n" not in message and len(message) < 500 + len(str(path))


def test_one_long_text_cannot_be_asked_for_a_thousand_times(tmp_path):
    path = write_keras_file(tmp_path / "weights.h5", [("x" * 60_000, [])], text="O")
    assert read_keras_weights(path, "") == {}
    with h5py.File(str(path), "a") as file:
        file.attrs["layer_names"] = np.array([b"x" * 300_000] * 200, "O")
    with pytest.raises(InputError, match="its names are too long"):
        read_keras_weights(path, "")


@pytest.mark.parametrize("size", [0, 10, 600, 2000])
def test_a_file_that_was_cut_short_is_refused(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="no weights as Keras writes them"):
        read_keras_weights(path, "")


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "junk.h5").write_bytes(b"junk" * 100)
    for other in (tmp_path / "junk.h5", tmp_path, tmp_path / "gone.h5"):
        with pytest.raises(InputError, match="no weights as Keras writes them") as caught:
            read_keras_weights(other, "get it again")
        assert "\n" not in str(caught.value)
