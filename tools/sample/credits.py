"""The page that names the artwork's authors and licenses, made from the packages' own data."""

import json
from collections import Counter

from tools.sample.drawings import CALTECH101, CIFAR, OWN, listed

_SAMPLES = (
    ("`image_train_data/` and `image_test_data/`", CIFAR),
    ("`caltech101_data/`", CALTECH101),
)
_OWN_NOTE = """
Drawings of the set `own` were made for this project and are under its MIT license.
"""

_HEAD = """# Artwork of the bundled samples

The pictures in `image_train_data/`, `image_test_data/` and `caltech101_data/` are made by this
project from the drawings listed below. **Changes were made to every drawing**: it was turned,
mirrored, scaled, tinted and blurred, laid on a generated background, and shrunk with it.
The drawings stay under their authors' licenses; what this project adds is under the MIT
license of `LICENSE`. The texts of the licenses: [Apache-2.0](licenses/Apache-2.0.txt),
[MIT of Fluent Emoji](licenses/MIT-fluent-emoji.txt),
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/legalcode).

This page is written by `make sample`.

| set | author | license | package | drawings |
| --- | --- | --- | --- | --- |
"""


def artwork_page(installed):
    """Return the page as Markdown; `installed` is the folder that holds `node_modules`."""
    lists = [(title, listed(path)) for title, path in _SAMPLES]
    used = {drawing for _, labels in lists for drawings in labels.values() for drawing in drawings}
    count = Counter(name_of_set for name_of_set, _ in used if name_of_set != OWN)
    rows = [_row(installed, name_of_set, count[name_of_set]) for name_of_set in sorted(count)]
    return _HEAD + "\n".join(rows) + "\n" + _OWN_NOTE + "".join(map(_sample, lists))


def _row(installed, name_of_set, count):
    package = installed / "node_modules" / "@iconify-json" / name_of_set
    info = json.loads((package / "info.json").read_text(encoding="utf-8"))
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    author, license_ = info["author"], info["license"]
    return (
        f"| {info['name']} | [{author['name']}]({author['url']}) "
        f"| [{license_['title']}]({license_['url']}) "
        f"| `@iconify-json/{name_of_set}` {version} | {count} |"
    )


def _sample(titled):
    title, labels = titled
    return f"\n## {title}\n" + "".join(map(_section, labels.items()))


def _section(entry):
    label, drawings = entry
    by_set = {}
    for name_of_set, name in drawings:
        by_set.setdefault(name_of_set, []).append(name)
    lines = [f"- {name_of_set}: {', '.join(names)}" for name_of_set, names in by_set.items()]
    return f"\n### {label} ({len(drawings)} drawings)\n\n" + "\n".join(lines) + "\n"
