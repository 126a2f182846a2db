"""Building the site from its parts."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from image_retrieval.files import atomic_folder
from tools.site.api import write_api
from tools.site.folders import HERE, ROOT, SITE, SOURCE
from tools.site.index import write_index
from tools.site.lite import build_lite
from tools.site.pages import stage


def build():
    """Build the site; return the exit code."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    stage(SOURCE)
    write_index(SOURCE)
    write_api(SOURCE)
    _configure()
    if _book():
        return 1
    with tempfile.TemporaryDirectory() as work, atomic_folder(SITE) as folder:
        shutil.copytree(SOURCE / "_build" / "html", folder, dirs_exist_ok=True)
        if build_lite(Path(work), folder / "lite"):
            raise SystemExit(1)
    print(f"The site is built. Open {os.path.relpath(SITE / 'index.html')}.")
    return 0


def _configure():
    """Write the configuration, with the folder that the API pages are read from."""
    config = yaml.safe_load((HERE / "_config.yml").read_text("utf-8"))
    config["sphinx"]["config"]["autoapi_dirs"] = [str(ROOT / "image_retrieval")]
    (SOURCE / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    shutil.copyfile(HERE / "_toc.yml", SOURCE / "_toc.yml")


def _book():
    command = [
        Path(sys.executable).with_name("jupyter-book"),
        "build",
        str(SOURCE),
        "--quiet",
        "-W",
        "--keep-going",
    ]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode
