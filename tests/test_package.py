"""The package as a whole: what its names mean, and what it may import."""

import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

import image_retrieval

MODULES = [
    module
    for module in pkgutil.walk_packages(image_retrieval.__path__, "image_retrieval.")
    if not module.name.endswith("__main__")
]
PACKAGES = ["image_retrieval", *(module.name for module in MODULES if module.ispkg)]


def test_all_rooms_are_looked_at():
    assert {"image_retrieval.features", "image_retrieval.explain"} <= set(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_function_hides_a_module_of_its_name(name):
    package = import_module(name)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    hidden = [each for each in modules if not isinstance(getattr(package, each, os), ModuleType)]
    assert hidden == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_offers_nothing_but_its_own(name):
    offered = {key: each for key, each in vars(import_module(name)).items() if key[0] != "_"}
    found = [key for key, each in offered.items() if not isinstance(each, ModuleType)]
    assert [key for key in found if not offered[key].__module__.startswith(name)] == []


def imported_with(names):
    """Return the names of all packages that are imported together with some modules."""
    code = (
        "import sys, importlib\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *names], env=environment, stdout=subprocess.PIPE, check=True
    )
    return set(done.stdout.decode().split())


def test_importing_needs_neither_turi_create_nor_tensorflow():
    """Only functions that hand out SFrames import Turi Create, when they are called."""
    there = imported_with([module.name for module in MODULES])
    assert not there & {"turicreate", "tensorflow"} and "numpy" in there


def test_measuring_is_imported_without_what_takes_seconds_to_import():
    there = imported_with(["image_retrieval.evaluate", "image_retrieval.explain"])
    assert not there & {"pandas", "sklearn", "scipy", "matplotlib", "onnxruntime"}
