"""A storyboard as a space-time diagram in SVG: time downwards, a line for each host and each region of the disk.

Actives stand on the left, the disk in the middle, passives on the right; so what an active writes and a passive reads
goes from left to right. An arrow to a region is a write, one away from it a read; the number at its end is that of the
slot, block or extent. The way of wrong bytes is drawn in their colour.

Colours are variables of a style sheet (`shadowshare.reports.style`), so the same diagram suits light and dark pages;
`standalone_svg` has them in itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from shadowshare.reports.style import SIGNS, css_variables
from shadowshare.verify.story.storyboard import Access, Storyboard, StoryStep

ROW = 34
"""Height of a step in units of the drawing, which are pixels at full size."""
HEAD = 52
FOOT = 14
NUMBER_COLUMN = 34
LANE = 82
NODE_RADIUS = 9
CHARACTER = 6.3
"""Width of a character of a label, about."""
TEXT_COLUMN = 560

REGION_NAMES = {"slots": "differential area", "journal": "journal", "volume": "volume"}
TASK = "task"
CELL_NAMES = {"slots": "slot", "journal": "block", "volume": "extent"}


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lines of a diagram, from left to right.

    Attributes:
        names: of hosts and regions.
        roles: of each: ``active``, ``passive``, or the region.
    """

    names: tuple[str, ...]
    roles: tuple[str, ...]

    def at(self, name: str) -> float:
        """Where the line of a name is."""
        return NUMBER_COLUMN + LANE * (self.names.index(name) + 0.5)

    @property
    def width(self) -> int:
        """Of all lines together."""
        return NUMBER_COLUMN + LANE * len(self.names)


def lanes_of(board: Storyboard) -> Lanes:
    """Actives, then the regions that are touched, then passives; of tasks, one half on each side."""
    touched = {access.region for step in board.steps for access in step.accesses}
    tasks = [name for name, role in board.hosts if role == TASK]
    actives = [name for name, role in board.hosts if role == "active"] + tasks[: (len(tasks) + 1) // 2]
    others = [name for name, _ in board.hosts if name not in actives]
    regions = [region for region in board.regions if region in touched]
    roles = ["active"] * len(actives) + [role_of(region) for region in regions]
    roles += ["active" if name in tasks else "passive" for name in others]
    return Lanes((*actives, *regions, *others), tuple(roles))


def role_of(region: str) -> str:
    """In whose colour a region is drawn: cells of tasks as the volume is."""
    return region if region in REGION_NAMES else "volume"


def diagram(board: Storyboard) -> str:
    """The diagram as an element for a page, without words beside the steps."""
    lanes = lanes_of(board)
    height = HEAD + ROW * len(board.steps) + FOOT
    return _svg(lanes.width, height, _content(board, lanes), f"Space-time diagram of {board.replay.schedule}")


def standalone_svg(board: Storyboard) -> str:
    """The diagram as a file of its own, with the steps in words beside it."""
    lanes = lanes_of(board)
    height = HEAD + ROW * len(board.steps) + FOOT
    words = (
        f'<text class="words" x="{lanes.width + 14}" y="{_y(step.number) + 4:g}">{escape(_short(step))}</text>'
        for step in board.steps
    )
    content = [
        f"<style>{css_variables()}{DIAGRAM_CSS}</style>",
        f'<rect class="ground" width="{lanes.width + TEXT_COLUMN}" height="{height}"/>',
        *_content(board, lanes),
        *words,
    ]
    return _svg(lanes.width + TEXT_COLUMN, height, content, board.replay.schedule) + "\n"


def sentence(step: StoryStep) -> str:
    """A step in words: who did what, and what came of it. A crash names its host already."""
    who = "" if step.action.startswith(f"{step.host} ") else f"{step.host} "
    return f"{who}{step.action}".strip() + (f": {step.result}" if step.result else "")


def _short(step: StoryStep) -> str:
    text = sentence(step)
    limit = int(TEXT_COLUMN / CHARACTER)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _svg(width: float, height: float, content: Iterable[str], label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="space-time" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(label)}">{"".join(content)}</svg>'
    )


def _y(number: int) -> float:
    return HEAD + ROW * (number - 0.5)


# -- lines -------------------------------------------------------------------------------------------------------


def _content(board: Storyboard, lanes: Lanes) -> Iterator[str]:
    yield from _lines(board, lanes)
    yield '<g class="edges">'
    yield from _edges(board, lanes)
    yield "</g>"
    for step in board.steps:
        yield from _row(board, lanes, step)


def _lines(board: Storyboard, lanes: Lanes) -> Iterator[str]:
    end = HEAD + ROW * len(board.steps) + FOOT / 2
    crashes = {name: _y(step.number) for step in reversed(board.steps) for name in step.stopped}
    for name, role in zip(lanes.names, lanes.roles, strict=True):
        x = lanes.at(name)
        kind = "host" if role in ("active", "passive") else "region"
        title, _, below = REGION_NAMES.get(name, name).partition(" ")
        yield f'<g class="lane {kind}" style="--lane: var(--{role})">'
        yield f'<text class="sign" x="{x:g}" y="17">{SIGNS[role]}</text>'
        yield f'<text class="name" x="{x:g}" y="32">{escape(title)}</text>'
        is_task = kind == "host" and dict(board.hosts)[name] == TASK
        under, style = (TASK if is_task else role, "role") if kind == "host" else (below, "name")
        yield f'<text class="{style}" x="{x:g}" y="44">{under}</text>'
        yield f'<line x1="{x:g}" x2="{x:g}" y1="{HEAD - 2}" y2="{crashes.get(name, end):g}"/></g>'


def _edges(board: Storyboard, lanes: Lanes) -> Iterator[str]:
    """What happened directly before what, where it leads from one host to another."""
    hosts = {step.number: step.host for step in board.steps}
    for edge in board.edges:
        one, other = hosts[edge.earlier], hosts[edge.later]
        if not one or not other or one == other:
            continue
        (x1, y1), (x2, y2) = (lanes.at(one), _y(edge.earlier)), (lanes.at(other), _y(edge.later))
        middle = (y1 + y2) / 2
        yield (
            f'<path data-earlier="{edge.earlier}" data-later="{edge.later}" '
            f'd="M{x1:g} {y1:g} C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}">'
            f"<title>{edge.earlier} before {edge.later}: {escape(', '.join(edge.reasons))}</title></path>"
        )


# -- steps -------------------------------------------------------------------------------------------------------


def _row(board: Storyboard, lanes: Lanes, step: StoryStep) -> Iterator[str]:
    """One step: what the pointer hits, its number, and what it did."""
    y = _y(step.number)
    is_wrong = step.number == board.replay.violated_at
    classes = ["row", step.kind]
    classes += ["way"] if step.number in board.explanation.way else []
    classes += ["recheck"] if step.is_recheck else []
    classes += ["wrong"] if is_wrong else []
    classes += ["told"] if step.number == board.explanation.told else []
    words = sentence(step)
    yield f'<g class="{" ".join(classes)}" data-step="{step.number}"><title>{escape(words)}</title>'
    yield f'<rect class="hit" x="0" y="{y - ROW / 2:g}" width="{lanes.width}" height="{ROW}"/>'
    yield f'<text class="number" x="{NUMBER_COLUMN - 12}" y="{y + 4:g}">{step.number}</text>'
    yield from _marks(lanes, step, y, is_wrong)
    yield "</g>"


def _marks(lanes: Lanes, step: StoryStep, y: float, is_wrong: bool) -> Iterator[str]:
    if step.kind == "power":
        for line_y in (y - 2, y + 2):
            yield f'<path class="power-line" d="M{NUMBER_COLUMN} {line_y:g}H{lanes.width}"/>'
        yield _pill((NUMBER_COLUMN + lanes.width) / 2, y, "power loss", "fault")
    elif step.host in lanes.names and step.accesses:
        for region, accesses in groupby(step.accesses, key=lambda access: access.region):
            yield from _arrow(lanes, step, region, list(accesses), y)
        yield f'<circle class="end" cx="{lanes.at(step.host):g}" cy="{y:g}" r="4"/>'
        if step.is_recheck and not is_wrong:
            yield _pill(lanes.at(step.host), y, "re-check", "recheck")
    elif step.host in lanes.names:
        label = {"crash": f"{SIGNS['wrong']} crash", "decision": "decided", "wait": "waits"}.get(step.kind)
        fault = "fault" if step.kind == "crash" else "plain"
        yield _pill(lanes.at(step.host), y, label or step.kind, fault)
    else:
        yield _pill((NUMBER_COLUMN + lanes.width) / 2, y, "what survived is decided", "plain")
    if is_wrong and step.host in lanes.names:
        yield _pill(lanes.at(step.host), y, f"{SIGNS['wrong']} wrong", "wrong")


def _arrow(lanes: Lanes, step: StoryStep, region: str, accesses: Sequence[Access], y: float) -> Iterator[str]:
    """An arrow between the host and a region, and the numbers of the cells at the region."""
    host_x, region_x = lanes.at(step.host), lanes.at(region)
    is_single = len(accesses) == 1 and accesses[0].value
    numbers = accesses[0].value if is_single else _numbers([access.number for access in accesses])
    half = max(NODE_RADIUS, len(numbers) * CHARACTER / 2 + 4)
    side = 1 if region_x > host_x else -1
    near, edge = host_x + side * 5, region_x - side * half
    is_change = accesses[0].is_change
    start, stop = (near, edge) if is_change else (edge, near)
    forward = 1 if stop > start else -1
    yield f'<g class="arrow" style="--lane: var(--{role_of(region)})">'
    yield f'<line x1="{start:g}" x2="{stop - forward * 6:g}" y1="{y:g}" y2="{y:g}"/>'
    yield (
        f'<path class="head" d="M{stop:g} {y:g}l{-9 * forward} -4.5v9z"/>'
        f'<rect class="node" x="{region_x - half:g}" y="{y - NODE_RADIUS:g}" width="{2 * half:g}" '
        f'height="{2 * NODE_RADIUS}" rx="{NODE_RADIUS}"/>'
        f'<text class="cell" x="{region_x:g}" y="{y + 3.6:g}">{escape(numbers)}</text></g>'
    )


def _numbers(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low}-{high}"


def _pill(x: float, y: float, text: str, kind: str) -> str:
    half = len(text) * CHARACTER / 2 + 7
    return (
        f'<g class="pill {kind}"><rect x="{x - half:g}" y="{y - 9:g}" width="{2 * half:g}" height="18" rx="9"/>'
        f'<text x="{x:g}" y="{y + 3.8:g}">{escape(text)}</text></g>'
    )


DIAGRAM_CSS = """
.space-time { font: 11px system-ui, sans-serif; }
.space-time text { fill: var(--text); text-anchor: middle; }
.space-time .ground { fill: var(--card); }
.space-time .lane line { stroke: var(--lane); stroke-width: 1.5; }
.space-time .lane.region line { stroke-width: 7; opacity: .22; }
.space-time .lane .sign { fill: var(--lane); font-size: 13px; }
.space-time .lane .name { font-weight: 650; font-size: 12px; }
.space-time .lane .role, .space-time .number { fill: var(--muted); font-size: 10px; }
.space-time .number { text-anchor: end; font-variant-numeric: tabular-nums; }
.space-time .words { text-anchor: start; }
.space-time .hit { fill: transparent; }
.space-time .arrow line { stroke: var(--lane); stroke-width: 1.8; }
.space-time .arrow .head, .space-time .arrow .node { fill: var(--lane); }
.space-time .arrow .cell { fill: var(--card); font-weight: 650; font-size: 10.5px; }
.space-time .error .arrow line, .space-time .late .arrow line, .space-time .wait .arrow line { stroke-dasharray: 4 3; }
.space-time .end { fill: var(--text); }
.space-time .pill rect { fill: var(--card); stroke: var(--muted); }
.space-time .pill text { font-size: 10.5px; }
.space-time .pill.recheck rect { stroke: var(--journal); stroke-width: 1.8; }
.space-time .pill.fault rect { stroke: var(--wrong); }
.space-time .pill.wrong rect { fill: var(--wrong); stroke: var(--wrong); }
.space-time .pill.wrong text { fill: var(--card); font-weight: 700; }
.space-time .power-line { stroke: var(--wrong); stroke-width: 1.5; fill: none; }
.space-time .way .arrow line { stroke: var(--wrong); stroke-width: 3.2; }
.space-time .way .arrow .head { fill: var(--wrong); }
.space-time .way .number, .space-time .wrong .number { fill: var(--wrong); font-weight: 700; }
.space-time .told .arrow .node { stroke: var(--text); stroke-width: 2; }
.space-time .edges { display: none; }
.space-time .edges path { fill: none; stroke: var(--muted); stroke-width: 1.3; stroke-dasharray: 5 3; }
"""
