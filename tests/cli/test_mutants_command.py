"""The command ``mutants``: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.verify import detection
from shadowshare.verify.mutants.catalogue import MUTANTS, Mutant, mutant
from tests.cli.running import refuse, run, run_process, succeed, succeed_with_json
from tests.docs.documents import read, tables

NAMES = ("no-recheck", "id-used-again")


def test_mutants_that_are_killed() -> None:
    shown = succeed("mutants", *NAMES).stdout.splitlines()
    assert shown[0].split()[:2] == ["mutant", "killed"]
    assert shown[1].split() == [
        "no-recheck",
        "yes",
        "reader-before-volume-read",
        "image",
        "29",
        "9",
        shown[1].split()[-1],
    ]
    assert shown[2].split()[:4] == ["id-used-again", "yes", "slot-reuse-during-read", "identity"]
    assert shown[-1] == "2 of 2 mutants killed"


def test_json() -> None:
    found = succeed_with_json(
        "mutants", *NAMES, "--strategy", "random", "--strategy", "urw", "--seeds", 3, "--max-executions", 400
    )["mutants"]
    assert [one["name"] for one in found] == list(NAMES)
    assert [one["caught_by"] for one in found] == ["image", "identity"]
    for one in found:
        assert one["killed"] is True
        assert set(one["executions"]) == {"random", "urw"}
        for executions in one["executions"].values():
            assert executions["runs"] == executions["found"] == 3
            assert 1 <= executions["low"] <= executions["median"] <= executions["high"] <= 400
            seconds = executions["seconds_to_detection"]
            assert 0 < seconds["low"] <= seconds["median"] <= seconds["high"] < executions["seconds"]


def test_all_mutants_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def note(names: list[str], plan: object, jobs: int) -> list[detection.Detection]:
        asked.extend(names)
        return [detection.Detection(name, "race", "violated", "") for name in names]

    monkeypatch.setattr("shadowshare.cli.mutants.detect_all", note)
    assert succeed("mutants").stdout.splitlines()[-1] == f"{len(MUTANTS)} of {len(MUTANTS)} mutants killed"
    assert asked == [bug.name for bug in MUTANTS]


def test_several_processes_say_the_same() -> None:
    options = ("--strategy", "random", "--seeds", 3, "--max-executions", 50)
    alone, together = (
        succeed_with_json("mutants", *NAMES, *options, "--jobs", jobs)["mutants"] for jobs in (1, 2)
    )
    for one in (*alone, *together):
        del one["seconds"]
        for measured in ("seconds", "run_seconds", "seconds_to_detection"):
            del one["executions"]["random"][measured]
    assert alone == together


# -- how it ends -------------------------------------------------------------------------------------------------


def test_a_survivor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = Mutant("no-fence", "Nothing is wrong.", "reader-before-volume-read", Implementation())
    monkeypatch.setattr(detection, "mutant", lambda name: harmless if name == "no-fence" else mutant(name))
    result = run("mutants", *NAMES, "no-fence")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[3].split()[:3] == ["no-fence", "NO", "reader-before-volume-read"]
    assert result.stdout.endswith("\n2 of 3 mutants killed\n")
    assert result.stderr == "shadowshare: no-fence survives every interleaving of reader-before-volume-read\n"


def test_what_could_not_be_told_is_said() -> None:
    result = run("mutants", "no-fence", "no-recheck", "--max-states", 100)
    assert result.exit_code == 2
    assert "1 of 2 mutants killed" in result.stdout
    assert result.stderr.startswith("shadowshare: cannot tell whether these mutants survive: no-fence (")
    assert "no-recheck" not in result.stderr


def test_the_page_has_the_exit_codes() -> None:
    codes = next(
        rows for rows in tables(read("mutants.md")) if "exit code of `shadowshare mutants`" in rows[0]
    )
    assert [row["exit code of `shadowshare mutants`"] for row in codes] == ["0", "1", "2"]


# -- figures -----------------------------------------------------------------------------------------------------


def test_a_figure(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    succeed("mutants", *NAMES, "--strategy", "random", "--seeds", 3, "--figure", path)
    shown = path.read_text(encoding="utf-8")
    assert "id-used-again" in shown
    assert "seconds until it is found" in shown


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such"], "there is no mutant 'no-such'; there are: no-recheck, "),
        (["--seeds", "3"], "--seeds is about drawn schedules: name a strategy with --strategy"),
        (["--max-executions", "3"], "--max-executions is about drawn schedules"),
        (["--figure", "a.svg"], "--figure is about drawn schedules"),
        (["--strategy", "random", "--figure", "a.png"], "must end in .svg, not 'a.png'"),
        (["--strategy", "random", "--figure", "no-such-folder/a.svg"], "there is no folder 'no-such-folder'"),
        (["--strategy", "luck"], "there is no strategy 'luck'"),
        (["--strategy", "exhaustive"], "strategy 'exhaustive' draws no schedules from a seed"),
        (["--strategy", "no_such_module:Class"], "module 'no_such_module' cannot be imported"),
        (["--jobs", "0"], "--jobs"),
        (["--seeds", "many"], "--seeds"),
    ],
)
def test_refused(arguments: list[str], message: str) -> None:
    assert message in refuse("mutants", *arguments)


def test_a_figure_that_cannot_be_written_is_said_before_anything_is_run(tmp_path: Path) -> None:
    message = refuse("mutants", "no-recheck", "--strategy", "random", "--figure", tmp_path)
    assert "is a directory" in message


def test_help_names_strategies_and_exit_codes() -> None:
    shown = succeed("mutants", "--help").stdout
    assert "random, pct, pos, urw" in shown
    assert "Exit code: 0" in shown


def test_it_runs_in_a_process_of_its_own_and_is_silent_about_progress() -> None:
    done = run_process("mutants", "cached-recheck", "--jobs", 2)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"1 of 1 mutants killed" in done.stdout
