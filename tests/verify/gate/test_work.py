"""Each check of the gate goes red when it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.layout import Record
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.superblock import read_geometry
from shadowshare.scenarios import staging
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import edit, parse_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import replay
from shadowshare.verify.counterexamples.failures import FailureError
from shadowshare.verify.gate.generator import races_of
from shadowshare.verify.gate.regressions import regressions_in
from shadowshare.verify.gate.seed import seed_of_commit
from shadowshare.verify.gate.work import check_determinism, check_generated, check_mutant, check_scope
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.rules import oracle
from tests.repository.tree import ROOT

RIGHT = Implementation()
RACE = built_in("reader-before-volume-read")


def test_a_right_scope_is_verified() -> None:
    check = check_scope(RACE, RIGHT)
    assert (check.verdict, check.stage, check.name) == ("verified", "scopes", RACE.name)
    assert check.figures["states"] == 37
    assert "COPIED_DURING_READ" in check.marks


def test_a_scope_with_a_bug_is_violated_and_can_be_replayed() -> None:
    bug = mutant("no-recheck").implementation
    check = check_scope(RACE, bug)
    assert check.verdict == "violated"
    assert check.schedule is not None
    assert replay(RACE, parse_schedule(check.schedule).labels, bug).violation is not None


class _NeverOpen(Passive):
    """Looks at the journal again and again."""

    @classmethod
    async def open(cls, location: Location, window_block_count: int = 2) -> Passive:
        while True:
            await read_geometry(location)


def test_a_step_before_the_race_that_never_ends_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "BEFORE_OPERATION_COUNT_MAXIMUM", 1000)
    check = check_scope(RACE, Implementation(passive=_NeverOpen))
    assert check.verdict == "violated"
    assert "takes more than 1,000 operations" in check.reason


def test_a_check_that_breaks_down_is_unknown_and_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(geometry: Geometry, operation: Operation) -> tuple[Record, ...]:
        raise IndexError("no such record")

    monkeypatch.setattr(oracle, "records_written", broken)
    check = check_scope(RACE, RIGHT)
    assert check.verdict == "unknown"
    assert check.reason.startswith(
        "the check itself ended with IndexError: no such record (test_work.py, line "
    )


def test_a_negative_scope_that_is_not_violated_is() -> None:
    check = check_scope(edit(RACE, expected="violated"), RIGHT)
    assert check.verdict == "violated"
    assert "was not noticed" in check.reason


def test_a_negative_scope_that_is_violated_is_as_it_must_be() -> None:
    assert check_scope(built_in("assumed-fence-holds"), RIGHT).verdict == "verified"


def test_a_mutant_dies() -> None:
    check = check_mutant("no-recheck")
    assert check.verdict == "verified"
    assert check.figures["rule"] == "image"


def test_a_mutant_that_is_none_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = mutant("no-recheck")._replace(implementation=RIGHT)
    monkeypatch.setattr("shadowshare.verify.gate.work.mutant", lambda name: harmless)
    check = check_mutant("no-recheck")
    assert check.verdict == "violated"
    assert "survives" in check.reason


def test_schedules_run_twice() -> None:
    check = check_determinism(RACE, RIGHT, 7)
    assert check.verdict == "verified"
    assert check.figures["executions"] > 0


def test_generated_races_are_those_of_their_seed() -> None:
    assert races_of(5, 6) == races_of(5, 6)
    assert races_of(5, 6) != races_of(6, 6)
    assert len({race.name for race in races_of(5, 6)}) == len(races_of(5, 6)) >= 4


def test_generated_races_are_verified_and_counted() -> None:
    check = check_generated(3, 3, RIGHT)
    assert check.verdict == "verified", check.reason
    assert check.figures["races"] == sum(check.shown.values()) > 0


def test_a_bug_is_found_in_generated_races_and_can_be_replayed() -> None:
    bug = mutant("volume-before-entry").implementation
    found = next(
        check for seed in range(20) if (check := check_generated(seed, 4, bug)).verdict == "violated"
    )
    assert found.scenario_text is not None
    assert found.schedule is not None
    scenario = parse_scenario(found.scenario_text)
    assert replay(scenario, parse_schedule(found.schedule).labels, bug).violation is not None


def test_failures_of_the_past_are_checked() -> None:
    work = regressions_in(ROOT / "tests" / "regressions", RIGHT)
    assert work
    assert [one().verdict for one in work] == ["verified"] * len(work)


def test_a_failure_that_came_back_is_violated() -> None:
    bug = mutant("cached-recheck").implementation
    verdicts = {one().verdict for one in regressions_in(ROOT / "tests" / "regressions", bug)}
    assert "violated" in verdicts


def test_a_folder_of_failures_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="nowhere"):
        regressions_in(tmp_path / "nowhere", RIGHT)


def test_a_failure_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "failure.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FailureError):
        regressions_in(tmp_path, RIGHT)


def test_without_a_folder_there_are_no_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert regressions_in(None, RIGHT) == []


def test_the_seed_is_that_of_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", "00ff00ff" + "0" * 32)
    assert seed_of_commit() == 0x00FF00FF
    monkeypatch.delenv("GITHUB_SHA")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert seed_of_commit() is None
