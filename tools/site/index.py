"""The site's first page, whose table and hours are those that the notebooks state."""

import re
from typing import NamedTuple

import nbformat

from tools.site.address import launchers, repository
from tools.site.folders import HERE, ROOT
from tools.site.lite import runs_in_a_tab


class Lesson(NamedTuple):
    """What a notebook says of itself in its first cell."""

    path: str
    title: str
    minutes: int
    exercises: int
    needs: str


def read_lesson(path):
    """Return what the notebook at `path` says of itself.

    Raises
    ------
    ValueError
        Its first cell has no title, no row "Time", or no row "You need".
    """
    text = nbformat.read(str(path), as_version=4).cells[0].source
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    time = re.search(r"\*\*Time\*\* \| (\d+) minutes, plus (\d+)", text)
    needs = re.search(r"\*\*You need\*\* \| (.+?) *\|$", text, re.MULTILINE)
    if not (title and time and needs):
        raise ValueError(f"the first cell of {path.name} lacks its title, time or needs")
    name = path.relative_to(ROOT).as_posix()
    return Lesson(name, title.group(1), int(time.group(1)), int(time.group(2)), needs.group(1))


def write_index(source):
    """Write index.md into the folder `source`."""
    lessons = [read_lesson(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    values = {
        "notebooks": _table(lessons),
        "hours": _hours(lessons),
        "tab": _tab(lessons),
        "elsewhere": _elsewhere(),
    }
    text = (HERE / "index.md").read_text("utf-8")
    page = re.sub(r"\{\{ (\w+) \}\}", lambda found: values[found.group(1)], text)
    (source / "index.md").write_text(page, encoding="utf-8")


def _table(lessons):
    head = "| notebook | minutes | exercises | you need |\n| --- | ---: | ---: | --- |\n"
    return head + "\n".join(
        f"| [{each.title}]({each.path}) | {each.minutes} | {each.exercises} | {each.needs} |"
        for each in lessons
    )


def _hours(lessons):
    reading, exercises = (sum(each[part] for each in lessons) for part in (2, 3))
    return (
        f"{len(lessons)} notebooks take about {reading / 60:.0f} hours, "
        f"and their exercises {exercises / 60:.0f} more"
    )


def _tab(lessons):
    links = [
        f'<a href="lite/lab/index.html?path={each.path}">{each.title}</a>'
        for each in lessons
        if runs_in_a_tab(each.path)
    ]
    return f"{', '.join(links[:-1])} and {links[-1]} run in this browser."


def _elsewhere():
    places = launchers(repository(), "notebooks/01_load_the_data.ipynb")
    links = " or ".join(f"[{name}]({url})" for name, url in places)
    return f"- **On somebody else's.** {links}." if places else ""
