"""A schedule as a space-time diagram in plain text: a line for each host and each region of the disk, time downwards.

An arrow from a host to a region is a write, one from a region to a host is a read. A cross on a host's line is its
crash, a double line through all of them a power loss. Lines that an arrow only passes are crossed by it::

    step      W      R    volume  slots
       1      ◀──────┼───────●      │      reads extent 0 of the volume: got initial of sector 0
       2      ●──────┼───────┼──────▶      writes slot 0
       3      ●──────┼───────▶      │      writes extent 0 of the volume: write acknowledged
       4      │      ◀───────●      │      reads extent 0 of the volume: got W 'write 0' (W2.1) of s…  ← violated

Where a terminal cannot show these characters, `draw` takes others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shadowshare.verify.counterexamples.counterexample import Replay, Row

WIDTH_COLUMNS = 100
LANE_COLUMNS_MINIMUM = 7
TEXT_COLUMNS_MINIMUM = 30
OTHERS = "others"
_GAP = 2


class Characters(NamedTuple):
    """What a diagram is drawn with."""

    line: str
    dead: str
    arrow: str
    late_arrow: str
    crossing: str
    left_head: str
    right_head: str
    source: str
    step: str
    crash: str
    power: str
    mark: str
    ellipsis: str


BOXES = Characters("│", " ", "─", "╌", "┼", "◀", "▶", "●", "○", "✗", "═", "←", "…")
ASCII = Characters("|", " ", "-", ".", "+", "<", ">", "*", "o", "X", "=", "<--", "...")


def characters_for(encoding: str | None) -> Characters:
    """What can be drawn with in an encoding: box characters if it has them, else ASCII."""
    try:
        "".join(BOXES).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BOXES


def draw(replay: Replay, characters: Characters = BOXES, width_columns: int = WIDTH_COLUMNS) -> str:
    """A replay as a diagram, with a newline behind each line.

    The regions that fit beside the hosts have a line each, and the rest shares one; those of the last step and of the
    latest conflicts come first. Text that does not fit is cut off: `shadowshare.reports.tables.replay_table` has all of
    it. Where there are more hosts than fit, the diagram is wider.
    """
    lanes = _lanes(replay, width_columns)
    picture = _Picture(lanes, characters, width_columns)
    lines = [picture.heading()]
    lines += [picture.row(row, row.number == replay.violated_at) for row in replay.rows]
    if replay.violation is not None and replay.violated_at is None:
        lines.append(picture.remark(f"{characters.mark} violated at the end"))
    return "".join(f"{line.rstrip()}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class _Lanes:
    """The lines of a diagram from left to right: the hosts, then regions, then perhaps one for all other regions."""

    hosts: tuple[str, ...]
    regions: tuple[str, ...]
    has_others: bool

    @property
    def names(self) -> list[str]:
        return [*self.hosts, *self.regions, *([OTHERS] if self.has_others else [])]

    def region(self, name: str) -> int:
        """Which line a region has."""
        at = self.regions.index(name) if name in self.regions else len(self.regions)
        return len(self.hosts) + at


def _lanes(replay: Replay, width_columns: int) -> _Lanes:
    """Which regions have a line of their own."""
    touched = list(dict.fromkeys(touch.place.region for row in replay.rows for touch in row.touches))
    last = {touch.place.region: None for row in replay.rows[-1:] for touch in row.touches}
    latest = (conflict.place.region for conflict in reversed(replay.conflicts))
    wanted = list(dict.fromkeys([*last, *latest, *touched]))
    room_columns = width_columns - TEXT_COLUMNS_MINIMUM - _GAP
    room_columns -= sum(map(_lane_columns, ["step", *replay.hosts]))
    fitting: list[str] = []
    for region in wanted:
        others_columns = _lane_columns(OTHERS) if len(fitting) + 1 < len(wanted) else 0
        if sum(map(_lane_columns, [*fitting, region])) + others_columns > room_columns:
            break
        fitting.append(region)
    left = [region for region in touched if region not in fitting]
    if len(left) == 1 and _lane_columns(left[0]) <= _lane_columns(OTHERS):
        fitting = touched
    regions = tuple(region for region in touched if region in fitting)
    return _Lanes(replay.hosts, regions, len(regions) < len(touched))


def _lane_columns(name: str) -> int:
    return max(LANE_COLUMNS_MINIMUM, len(name) + _GAP)


class _Picture:
    """Draws one line after the other, and remembers which hosts are dead."""

    def __init__(self, lanes: _Lanes, characters: Characters, width_columns: int) -> None:
        self._lanes = lanes
        self._characters = characters
        self._width_columns = width_columns
        self._dead: set[int] = set()
        self._centres: list[int] = []
        at = _lane_columns("step")
        for name in lanes.names:
            columns = _lane_columns(name)
            self._centres.append(at + columns // 2)
            at += columns
        self._text_at = at + _GAP

    def heading(self) -> str:
        """The names, each above its line."""
        cells = [" "] * self._text_at
        for name, centre in zip(self._lanes.names, self._centres, strict=True):
            first = centre - len(name) // 2
            cells[first : first + len(name)] = name
        cells[0:4] = "step"
        return "".join(cells)

    def row(self, row: Row, is_violated: bool) -> str:
        """One step."""
        mark = f"  {self._characters.mark} violated" if is_violated else ""
        text = f"{row.action}: {row.result}" if row.result else row.action
        line = self._text(self._cells(row), f"{row.number:>4}", text, mark)
        self._dead.update(self._lanes.hosts.index(host) for host in row.stopped if host in self._lanes.hosts)
        return line

    def remark(self, text: str) -> str:
        """A line of text beside the lines."""
        return self._text(self._plain(), "", text, "")

    def _text(self, cells: Sequence[str], number: str, text: str, mark: str) -> str:
        room_columns = max(TEXT_COLUMNS_MINIMUM, self._width_columns - self._text_at) - len(mark)
        if len(text) > room_columns:
            ellipsis = self._characters.ellipsis
            text = text[: room_columns - len(ellipsis)] + ellipsis
        return f"{number:<4}{''.join(cells[4:])}{text}{mark}"

    def _plain(self) -> list[str]:
        """The lines, with nothing on them."""
        cells = [" "] * self._text_at
        for lane, centre in enumerate(self._centres):
            cells[centre] = self._characters.dead if lane in self._dead else self._characters.line
        return cells

    def _cells(self, row: Row) -> list[str]:
        cells, characters = self._plain(), self._characters
        host = self._lanes.hosts.index(row.host) if row.host in self._lanes.hosts else None
        if row.label == "power":
            first, last = self._centres[0], self._centres[-1]
            cells[first : last + 1] = characters.power * (last + 1 - first)
        elif host is not None and row.touches:
            for touch in row.touches:
                self._arrow(
                    cells, host, self._lanes.region(touch.place.region), touch.is_change, host in self._dead
                )
        elif host is not None:
            cells[self._centres[host]] = characters.crash if row.stopped else characters.step
        return cells

    def _arrow(self, cells: list[str], host: int, region: int, is_change: bool, is_late: bool) -> None:
        """Draw an arrow between a host and a region, which is right of it."""
        characters = self._characters
        arrow = characters.late_arrow if is_late else characters.arrow
        left, right = self._centres[host], self._centres[region]
        for at in range(left + 1, right):
            cells[at] = arrow if cells[at] in (" ", characters.dead, arrow) else characters.crossing
        cells[left] = characters.source if is_change else characters.left_head
        cells[right] = characters.right_head if is_change else characters.source
