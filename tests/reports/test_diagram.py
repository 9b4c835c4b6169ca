from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.reports.diagram import ASCII, BOXES, characters_for, draw
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.counterexample import (
    Conflict,
    Place,
    Replay,
    Row,
    Touch,
    explain,
    replay_tasks,
)
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import MUTANTS, Mutant
from shadowshare.verify.result import Violation
from shadowshare.verify.tasks import Setup

VOLUME, SLOT, JOURNAL = Place("volume", "extent 0"), Place("slots", "slot 0"), Place("journal", "block 3")
REPLAY = Replay(
    "wild",
    "s1/wild/W*3,crash.W,R*2,power,late.0",
    ("W", "R"),
    (
        Row(1, "W", "W", "reads extent 0", "got it", (Touch(VOLUME, False),)),
        Row(2, "W", "W", "writes slot 0", "", (Touch(SLOT, True),)),
        Row(3, "W", "W", "flushes the disk", ""),
        Row(4, "crash.W", "W", "W crashes", "", (), ("W",)),
        Row(5, "R", "R", "writes extent 0", "", (Touch(VOLUME, True),)),
        Row(6, "R", "R", "reads slot 0", "", (Touch(SLOT, False),)),
        Row(7, "power", "", "the power is lost", "", (), ("R",)),
        Row(8, "late.0", "W", "late: writes extent 0", "", (Touch(VOLUME, True),)),
    ),
    Violation("image", "a wrong byte", "R", 0),
    is_over=True,
    violated_at=6,
)
DRAWN = """\
step      W      R    volume  slots
   1      ◀──────┼───────●      │     reads extent 0: got it
   2      ●──────┼───────┼──────▶     writes slot 0
   3      ○      │       │      │     flushes the disk
   4      ✗      │       │      │     W crashes
   5             ●───────▶      │     writes extent 0
   6             ◀───────┼──────●     reads slot 0  ← violated
   7      ═══════════════════════     the power is lost
   8      ●╌╌╌╌╌╌╌╌╌╌╌╌╌╌▶      │     late: writes extent 0
"""


def test_arrows_crashes_power_losses_and_late_writes() -> None:
    assert draw(REPLAY) == DRAWN


def test_the_same_in_ascii() -> None:
    drawn = DRAWN
    for box, plain in zip("│─╌┼◀▶●○✗═←", "|-.+<>*oX=<", strict=True):
        drawn = drawn.replace(box, plain)
    drawn = drawn.replace("  < violated", "  <-- violated")
    assert draw(REPLAY, ASCII) == drawn
    assert drawn.isascii()


@pytest.mark.parametrize(
    ("encoding", "characters"),
    [("utf-8", BOXES), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII), ("no such encoding", ASCII)],
)
def test_what_an_encoding_cannot_show_is_drawn_in_ascii(encoding: str | None, characters: object) -> None:
    assert characters_for(encoding) == characters


def test_an_end_that_is_wrong_is_marked_below() -> None:
    *_, last = draw(replace(REPLAY, violated_at=None)).splitlines()
    assert last == " " * 25 + "│      │     ← violated at the end"
    assert "violated" not in draw(replace(REPLAY, violated_at=None, violation=None))


def test_text_that_does_not_fit_is_cut_off_and_the_mark_is_not() -> None:
    rows = [row._replace(action="a" * 100) for row in REPLAY.rows]
    lines = draw(replace(REPLAY, rows=tuple(rows))).splitlines()
    assert {len(line) for line in lines[1:]} == {100}
    assert lines[6].endswith("a…  ← violated")
    assert lines[1].endswith("a…")


# -- lines -----------------------------------------------------------------------------------------------------------


def crowd(region_count: int, at: int) -> Replay:
    """One host that writes into each of some cells, and another one that reads one of them, and then the first."""
    places = [Place(f"cell{number}", f"cell{number}") for number in range(region_count)]
    rows = [
        Row(number, "W", "W", "writes", "", (Touch(place, True),)) for number, place in enumerate(places, 1)
    ]
    rows.append(Row(region_count + 1, "R", "R", "reads", "", (Touch(places[at], False),)))
    rows.append(Row(region_count + 2, "R", "R", "reads", "", (Touch(places[0], False),)))
    conflict = Conflict(at + 1, region_count + 1, places[at], True, False, True)
    return Replay("crowd", "", ("W", "R"), tuple(rows), None, True, None, (conflict,))


def test_every_region_that_fits_has_a_line() -> None:
    heading = draw(crowd(6, 3)).splitlines()[0].split()
    assert heading == ["step", "W", "R", *(f"cell{number}" for number in range(6))]


def test_regions_that_do_not_fit_share_a_line() -> None:
    lines = draw(crowd(9, 7)).splitlines()
    heading = lines[0].split()
    assert heading[:3] == ["step", "W", "R"]
    assert heading[-1] == "others"
    assert {"cell0", "cell7"} <= set(heading), (
        "what the last step and a conflict are about has a line of its own"
    )
    assert len(heading) == 3 + 5 + 1
    assert {line.index("▶") for line in lines[1:] if "▶" in line} == {
        lines[0].index(name) + len(name) // 2 for name in heading[3:]
    }
    assert max(map(len, lines)) <= 100


def test_a_diagram_of_many_hosts_is_wider() -> None:
    hosts = tuple(f"Host{number}" for number in range(20))
    rows = tuple(
        Row(number, host, host, "writes", "", (Touch(VOLUME, True),))
        for number, host in enumerate(hosts, start=1)
    )
    lines = draw(Replay("many", "", hosts, rows, None, True)).splitlines()
    assert lines[0].split() == ["step", *hosts, "volume"]
    assert all("▶" in line and line.endswith("writes") for line in lines[1:])


def test_nothing_happened() -> None:
    assert draw(Replay("none", "", ("W", "R"), (), None, False)) == "step      W      R\n"


# -- of what is really replayed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bug", [bug for bug in MUTANTS if bug.name != "creation-without-drain"], ids=lambda bug: str(bug.name)
)
def test_the_counterexample_of_every_mutant_fits_into_a_hundred_columns(bug: Mutant) -> None:
    scenario = built_in(bug.scenario)
    explained = explain(scenario, explore(scenario, bug.implementation), bug.implementation)
    lines = draw(explained.replay).splitlines()
    assert max(map(len, lines)) <= 100
    assert sum("← violated" in line for line in lines) == 1
    assert all(line == line.rstrip() for line in lines)
    steps = lines[1 : 1 + len(explained.replay.rows)]
    for row, line in zip(explained.replay.rows, steps, strict=True):
        assert line.startswith(f"{row.number:>4} ")
        assert ("▶" in line) == any(touch.is_change for touch in row.touches)
        assert ("◀" in line) == any(not touch.is_change for touch in row.touches)


def test_tasks_and_cells() -> None:
    setup = Setup()
    counter = setup.cell("counter", 0)

    async def count() -> None:
        await counter.write(await counter.read() + 1)

    setup.task("A", count)
    setup.task("B", count)
    assert draw(replay_tasks(setup, ["A", "B", "B", "A"], lambda end: end["counter"] == 2)) == (
        "step      A      B    counter\n"
        "   1      ◀──────┼───────●      reads counter: got 0\n"
        "   2      │      ◀───────●      reads counter: got 0\n"
        "   3      │      ●───────▶      writes 1 into counter\n"
        "   4      ●──────┼───────▶      writes 1 into counter\n"
        "          │      │       │      ← violated at the end\n"
    )
