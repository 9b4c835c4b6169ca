"""The peers' rows are what their output says, and a peer that is not there is reported; times are not looked at."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.explore import HEADER, merge, show, size
from bench.explore_peers import Peer, Row, peers
from bench.explore_peers.peer_hypothesis import run_schedule
from bench.explore_peers.peer_minicheck import field_names, successors_of
from bench.explore_peers.peer_spin import read_output
from bench.explore_peers.promela import promela
from bench.explore_peers.row import CUT, new_row, settle
from bench.explore_peers.toy import longest, rechecks

SPIN_RIGHT = """
(Spin Version 6.5.2 -- 6 December 2019)

Full statespace search for:
	never claim         	- (none specified)
	assertion violations	+
	cycle checks       	- (disabled by -DSAFETY)
	invalid end states	+

State-vector 52 byte, depth reached 48, errors: 0
   366819 states, stored
  1292081 states, matched
  1658900 transitions (= stored+matched)
        0 atomic steps
hash conflicts:    250110 (resolved)

pan: elapsed time 0.27 seconds
"""
SPIN_WRONG = """
pan:1: assertion violated  !(value) (at depth 12)
pan: wrote toy.pml.trail

(Spin Version 6.5.2 -- 6 December 2019)
Warning: Search not completed

State-vector 36 byte, depth reached 17, errors: 1
       96 states, stored
       58 states, matched
"""
SPIN_INTERRUPTED = """
pan: ended by sigint

(Spin Version 6.5.2 -- 6 December 2019)
Warning: Search not completed

State-vector 68 byte, depth reached 66, errors: 0
1.234568e+08 states, stored
"""


def peer(name: str) -> Peer:
    return next(peer for peer in peers() if peer.name == name)


class Schedule:
    """A schedule that begins as given, goes on with the first process each time, and knows what else it could do."""

    def __init__(self, choices: list[int]) -> None:
        self.choices = choices
        self.step = 0
        self.others: list[list[int]] = []

    def choose(self, alternatives: int) -> int:
        if self.step == len(self.choices):
            self.others += [[*self.choices, other] for other in range(1, alternatives)]
            self.choices = [*self.choices, 0]
        self.step += 1
        return self.choices[self.step - 1]


def schedules(n: int, r: int, mutant: str) -> tuple[int, int]:
    """Run every schedule of the model: how many there are, and how many of them go wrong."""
    waiting = [Schedule([])]
    count = wrong = 0
    while waiting:
        schedule = waiting.pop()
        count += 1
        try:
            run_schedule(n, r, mutant, schedule.choose)
        except AssertionError:
            wrong += 1
        assert schedule.step <= longest(n, r)
        waiting += map(Schedule, schedule.others)
    return count, wrong


def reachable(n: int, r: int, mutant: str) -> tuple[int, int]:
    """How many states minicheck's model has, and how many of them are wrong."""
    successors = successors_of(n, r, mutant)
    initial = (0,) * len(field_names(n, r))
    seen, waiting = {initial}, deque([initial])
    while waiting:
        fresh = {state for _, state in successors(waiting.popleft())} - seen
        seen |= fresh
        waiting.extend(fresh)
    return len(seen), sum(state[-1] for state in seen)


def test_the_steps_of_the_toy_are_those_that_are_known() -> None:
    assert schedules(1, 1, "") == (43, 0)
    assert schedules(2, 1, "") == (4853, 0)


@pytest.mark.parametrize(("n", "r", "states"), [(1, 1, 23), (2, 2, 675), (3, 2, 2091)])
def test_the_state_model_has_the_known_number_of_states(n: int, r: int, states: int) -> None:
    assert reachable(n, r, "") == (states, 0)


@pytest.mark.parametrize("mutant", ["norecheck", "late"])
def test_a_mutant_is_wrong_in_every_form_of_the_model(mutant: str) -> None:
    assert schedules(1, 1, mutant)[1] > 0
    assert reachable(2, 2, mutant)[1] > 0
    assert promela(2, 2, mutant) != promela(2, 2, "")


def test_late_skips_one_recheck_only() -> None:
    assert promela(2, 2, "").count("!table") - promela(2, 2, "late").count("!table") == 1
    places = [(reader, extent) for reader in range(2) for extent in range(2)]
    assert [place for place in places if not rechecks(2, 2, "late", *place)] == [(1, 1)]


def test_output_of_spin_over_the_whole_space() -> None:
    row = read_output(SPIN_RIGHT, new_row(3, 4, "", "spin"))
    assert (row["states"], row["found"], row["exhausted"], row["note"]) == (366_819, None, True, "")


def test_output_of_spin_at_a_bug() -> None:
    row = read_output(SPIN_WRONG, new_row(2, 2, "late", "spin"))
    assert (row["model"], row["states"], row["found"], row["exhausted"]) == ("toy-late", 96, True, False)


def test_output_of_spin_cut_short() -> None:
    row = read_output(SPIN_INTERRUPTED, new_row(3, 5, "", "spin"))
    assert (row["states"], row["found"], row["exhausted"], row["note"]) == (123_456_800, None, False, CUT)
    row = read_output(SPIN_INTERRUPTED, new_row(3, 5, "late", "spin"))
    assert row["found"] is False


def test_output_of_spin_that_broke() -> None:
    row = read_output("pan: out of memory\n", new_row(3, 5, "", "spin"))
    assert not row["exhausted"]
    assert "out of memory" in row["note"]


def test_a_false_alarm_is_not_hidden() -> None:
    assert settle(new_row(2, 2, "", "x"), violated=True, exhausted=False, why_not=CUT)["found"] is True


@pytest.fixture(autouse=True, scope="module")
def _peers_run_in_this_interpreter() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("SHADOWSHARE_PEERS_PYTHON", raising=False)
        yield


def pretend_python(path: Path, line: str) -> str:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_peer_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = pretend_python(tmp_path / "python", f'exec "{sys.executable}" -S "$@"')
    monkeypatch.setenv("SHADOWSHARE_PEERS_PYTHON", bare)
    absent = peer("minicheck")
    assert "minicheck is not installed" in absent.availability()
    (row,) = absent.run(2, 2, None, 1)
    assert not row["exhausted"]
    assert row["seconds"] is None
    assert "pip install minicheck" in row["note"]


def test_a_peer_without_its_programs_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (row,) = peer("spin").run(2, 2, None, 1)
    assert row["note"] == "spin and gcc not found; to install it: apt-get install spin gcc"


def test_an_interpreter_that_is_not_there_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHADOWSHARE_PEERS_PYTHON", "/no/such/python")
    assert "can not be started" in peer("hypothesis").availability()


def test_a_peer_that_breaks_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "ended with exit code 1" in Peer("nobody", "").run(2, 2, None, 1)[0]["note"]
    monkeypatch.setenv("SHADOWSHARE_PEERS_PYTHON", pretend_python(tmp_path / "python", "echo no JSON"))
    assert "printed no JSON" in peer("hypothesis").run(2, 2, None, 1)[0]["note"]


@pytest.fixture(scope="module")
def of_hypothesis() -> dict[str, list[Row]]:
    limits = {"": 1, "norecheck": 60}  # the right version runs to the limit, or to the end of its examples
    return {mutant: peer("hypothesis").run(2, 1, mutant, limits[mutant]) for mutant in limits}


def test_hypothesis_runs_the_right_version(of_hypothesis: dict[str, list[Row]]) -> None:
    rows = of_hypothesis[""]
    assert [row["engine"] for row in rows] == ["hypothesis, data()", "hypothesis, tape"]
    assert all(row["executions"] and row["found"] is None and not row["exhausted"] for row in rows)


def test_hypothesis_keeps_to_the_time_limit() -> None:
    rows = peer("hypothesis").run(3, 3, None, 0.01)
    assert [row["note"] for row in rows] == [CUT, CUT]


def test_hypothesis_finds_a_mutant(of_hypothesis: dict[str, list[Row]]) -> None:
    assert all(row["found"] and row["executions"] for row in of_hypothesis["norecheck"])


def test_the_table(of_hypothesis: dict[str, list[Row]]) -> None:
    row = of_hypothesis["norecheck"][0]
    line = show(row)
    assert line.startswith("toy-norecheck")
    assert line.index("hypothesis, data()") == HEADER.index("engine")
    assert line.index("stopped") == HEADER.index("note")
    assert size("3,2") == (3, 2)


def test_medians_of_rounds() -> None:
    rows = [new_row(2, 2, "late", "x") for _ in range(3)]
    for row, seconds, executions in zip(rows, (1.0, 9.0, 2.0), (30, 10, 11), strict=True):
        row["seconds"], row["executions"], row["found"] = seconds, executions, True
    merged = merge(rows)
    assert (merged["seconds"], merged["executions"], merged["found"]) == (2.0, 11, True)
    rows[0]["found"] = False
    assert merge(rows)["found"] is False
