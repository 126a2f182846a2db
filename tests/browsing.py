"""A Chromium to look at pages with, and axe-core, which finds what keeps people out of them."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium itself asks its maker's servers for news, unless it is told not to.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
AXE = "4.10.3"


def find_browser():
    """Return the path of a Chromium, None where Playwright has to have its own."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        try:
            launched = driver.chromium.launch(executable_path=find_browser(), args=FLAGS)
        except playwright.Error:
            pytest.skip("there is no Chromium to open pages with")
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core."""
    folder = ROOT / "build" / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if not shutil.which("npm"):
            pytest.skip("axe-core needs npm, not installed here")
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        done = subprocess.run([shutil.which("npm"), *command[1:], f"axe-core@{AXE}"], check=False)
        if done.returncode:
            pytest.skip("npm could not install axe-core")
    return script.read_text(encoding="utf-8")


def findings(page, axe):
    """Return (rule, HTML) of what axe calls serious or critical on a page."""
    page.evaluate(axe)
    options = "{resultTypes: ['violations'], iframes: false}"
    found = page.evaluate(f"axe.run(document, {options})")["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
