"""What a page is made of, and how it becomes one HTML file.

A page is a verdict, a headline, and sections. Templates, style sheets and scripts lie beside this module.
"""

from __future__ import annotations

import csv
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from shadowshare.reports.space_time import CELL_NAMES, DIAGRAM_CSS, REGION_NAMES, diagram, lanes_of, role_of
from shadowshare.reports.style import SIGNS, VERDICT_ROLES, css_variables
from shadowshare.reports.tables import Table, conflict_lines
from shadowshare.verify.result import Verdict
from shadowshare.verify.story.storyboard import Storyboard

if TYPE_CHECKING:
    from jinja2 import Environment

PACKAGE = "shadowshare.reports.page"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair a line."""

    title: str
    pairs: Mapping[str, str]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Words:
    """Paragraphs; and a command or a text as it is, if there is one."""

    title: str
    paragraphs: Sequence[str] = ()
    code: str = ""
    kind: str = field(default="words", init=False)


@dataclass(frozen=True, slots=True)
class TableSection:
    """A table, whose data can be downloaded.

    Attributes:
        title: heading.
        table: columns and rows; verdicts in it are drawn as such.
        file_name: of the download, without ending.
    """

    title: str
    table: Table
    file_name: str
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, with the data that it shows.

    Attributes:
        title: heading.
        svg: the figure.
        caption: what is to be seen.
        data: columns and rows, to be downloaded.
        file_name: of the downloads, without ending.
        is_wide: whether it needs the whole width of a page.
    """

    title: str
    svg: str
    caption: str
    data: Table
    file_name: str
    is_wide: bool = False
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True, slots=True)
class Story:
    """A schedule that can be stepped through."""

    title: str
    board: Storyboard
    kind: str = field(default="story", init=False)


Section = Facts | Words | TableSection | Figure | Story


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        title: what it is about: ``explore reader-before-volume-read``.
        verdict: what was found; None where nothing is judged.
        headline: that in one sentence.
        sections: the story.
    """

    title: str
    verdict: Verdict | None
    headline: str
    sections: Sequence[Section]


def render(page: Page) -> str:
    """The page as the text of one HTML file; the same page gives the same text."""
    has_story = any(section.kind == "story" for section in page.sections)
    style = css_variables() + asset("page.css") + (DIAGRAM_CSS + asset("story.css") if has_story else "")
    names = ["download.js", *(["stepper.js"] if has_story else []), "page.js"]
    scripts = "\n".join(map(asset, names))
    return _environment().get_template("page.html").render(page=page, style=style, scripts=scripts)


def story_fragment(board: Storyboard) -> str:
    """One story as HTML without a page around it, for notebooks.

    `story_style`, ``download.js`` and ``stepper.js`` belong to it.
    """
    macros: Any = _environment().get_template("story.html").module
    return str(macros.story(Story("", board)))


def story_style() -> str:
    """The style sheet of a story that is not in a page of ours."""
    return css_variables(".story") + DIAGRAM_CSS + asset("story.css") + ".story { padding: .8rem; }"


@cache
def asset(name: str) -> str:
    """The text of a file that lies beside this module."""
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - only a page needs it

    environment = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(signs=SIGNS, verdict_roles=VERDICT_ROLES, cell_names=CELL_NAMES)
    environment.filters.update(
        csv=_csv,
        steps=link_steps,
        diagram=_diagram,
        story_json=story_json,
        letters=_letters,
        lane_count=lambda board: len(lanes_of(board).names),
    )
    return environment


# -- what templates ask for --------------------------------------------------------------------------------------


def story_data(board: Storyboard) -> dict[str, Any]:
    """A storyboard as plain data, for the stepper and for programs."""
    return {
        "schedule": board.replay.schedule,
        "command": board.command,
        "explanation": board.explanation.sentences,
        "violation": None if board.replay.violation is None else board.replay.violation._asdict(),
        "conflicts": conflict_lines(board.replay),
        "violated_at": board.replay.violated_at,
        "told": board.explanation.told,
        "way": board.explanation.way,
        "hosts": board.hosts,
        "regions": [
            {
                "name": region,
                "title": REGION_NAMES.get(region, region),
                "cell": CELL_NAMES.get(region, "cell"),
                "role": role_of(region),
                "is_single": region not in CELL_NAMES and f"{region}/1" not in board.frames[0],
            }
            for region in board.regions
        ],
        "signs": dict(SIGNS),
        "steps": [
            {**step._asdict(), "accesses": [access._asdict() for access in step.accesses]}
            for step in board.steps
        ],
        "frames": board.frames,
        "edges": [edge._asdict() for edge in board.edges],
        "wrong_byte": None if board.wrong_byte is None else board.wrong_byte._asdict(),
    }


def story_json(board: Storyboard) -> Markup:
    """The same, as it can stand within a script element."""
    text = json.dumps(story_data(board), separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def link_steps(text: str) -> Markup:
    """A sentence, in which each "step 3" leads to that step."""
    linked = re.sub(
        r"\bstep (\d+)\b",
        r'<button type="button" class="to-step" data-step="\1">step \1</button>',
        str(escape(text)),
    )
    return Markup(linked)


def _letters(hexadecimal: str) -> str:
    """Bytes as letters, with a dot for each that is none."""
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in bytes.fromhex(hexadecimal))


def _diagram(board: Storyboard) -> Markup:
    return Markup(diagram(board))


def _csv(table: Table) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table[0])
    writer.writerows(table[1])
    return _data_address("text/csv", text.getvalue())


def _data_address(kind: str, text: str) -> str:
    return f"data:{kind};charset=utf-8;base64,{b64encode(text.encode()).decode()}"
