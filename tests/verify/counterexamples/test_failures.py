"""Failures as folders: written, read back, refused if something is wrong with them, and looked at again."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shadowshare.reports.trace import trace_text
from shadowshare.scenarios.catalogue import built_in, built_in_text
from shadowshare.scenarios.definition import ScenarioError, parse_scenario
from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.counterexamples.counterexample import Counterexample
from shadowshare.verify.counterexamples.failures import (
    Failure,
    FailureError,
    failure_of,
    load_failure,
    recheck,
    save_failure,
)
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import UnknownMutant, mutant
from shadowshare.verify.result import Exploration

NAME, MUTANT = "reader-before-volume-read", "early-recheck"
OWN = """
name = "my-own"
story = "The active writes while a passive reads: Müller's race."
before = ["W: create s", "R: open"]
[race]
W = ["write 0"]
R = ["read s 0"]
"""


def found_in(text: str = OWN, bug: str | None = MUTANT) -> tuple[Failure, Counterexample]:
    implementation = None if bug is None else mutant(bug).implementation
    return failure_of(text, explore(parse_scenario(text), implementation), bug)


@pytest.fixture(scope="module")
def failure() -> Failure:
    return found_in()[0]


@pytest.fixture
def folder(failure: Failure, tmp_path: Path) -> Path:
    return save_failure(tmp_path, failure, "the trace\n")


# -- written and read ------------------------------------------------------------------------------------------------


def test_what_was_written_is_read(failure: Failure, folder: Path) -> None:
    assert load_failure(folder) == failure
    assert folder.name == failure.name
    assert folder.name.startswith("my-own-image-")
    assert load_failure(folder).scenario == parse_scenario(OWN)
    assert load_failure(folder).implementation == mutant(MUTANT).implementation


def test_a_failure_of_somebodys_own_code_names_it_and_is_looked_for_in_the_code_that_is_given(
    tmp_path: Path,
) -> None:
    code = mutant(MUTANT).implementation
    found = failure_of(OWN, explore(parse_scenario(OWN), code), own=("my_reader:mine", code))[0]
    folder = save_failure(tmp_path, found, "the trace\n")
    assert load_failure(folder) == found
    assert found.command.endswith(" --file scenario.toml --implementation my_reader:mine")
    assert found.command in (folder / "README.txt").read_text(encoding="utf-8")
    assert (recheck(found, code).state, recheck(found).state) == ("violated", "gone")
    with pytest.raises(FailureError, match="my_reader:mine"):
        _ = found.implementation


def test_a_folder_has_these_files(failure: Failure, folder: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert sorted(texts) == ["README.txt", "failure.json", "scenario.toml", "schedule.txt", "trace.txt"]
    assert (texts["scenario.toml"], texts["trace.txt"]) == (OWN, "the trace\n")
    assert texts["schedule.txt"] == "s1/my-own/R,W*6,R\n"
    told = json.loads(texts["failure.json"])
    versions = told.pop("versions")
    assert set(versions) == {"shadowshare", "python"}
    assert told == {
        "format": 1,
        "scenario": "my-own",
        "mutant": MUTANT,
        "rule": "image",
        "message": failure.description.message,
        "host": "R",
        "extent": 0,
        "schedule": "s1/my-own/W*3,R,W*3,R",
        "shrunk": "s1/my-own/R,W*6,R",
    }
    assert failure.description.message in texts["README.txt"]
    assert all(line == line.rstrip() and len(line) <= 120 for line in texts["README.txt"].splitlines())


def test_the_same_failure_is_the_same_folder(failure: Failure, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert save_failure(folder.parent, found_in()[0], "the trace\n") == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    other = found_in(bug="no-recheck")[0]
    assert other.name != failure.name


def test_the_trace_of_a_failure() -> None:
    text = trace_text(found_in()[1].replay)
    assert text.startswith("s1/my-own/R,W*6,R\nimage is violated: shadow copy 1.1, extent 0, ")
    assert (
        "\n8                                                            reads extent 0 of the volume  got W"
        in text
    )
    assert (
        "  step 7 (W) writes extent 0 of the volume, which step 8 (R) reads: nothing else orders the two\n"
        in text
    )
    assert "\n   1      │      ◀───────●        │      │     reads journal blocks 2 to 3: #3" in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_command_in_the_readme_replays_it_in_its_folder(failure: Failure, folder: Path) -> None:
    (command,) = [
        line.strip() for line in (folder / "README.txt").read_text().splitlines() if line.startswith("    ")
    ]
    assert command == "shadowshare replay 's1/my-own/R,W*6,R' --file scenario.toml --mutant early-recheck"
    arguments = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert failure.description.message in done.stdout


def test_a_built_in_scenario_needs_no_file() -> None:
    built = found_in(built_in_text(NAME))[0]
    assert built.command == f"shadowshare replay 's1/{NAME}/R,W*6,R' --mutant {MUTANT}"


def test_without_a_mutant() -> None:
    text = built_in_text("assumed-fence-holds")
    failure = found_in(text, None)[0]
    assert failure.description.mutant is None
    assert "--mutant" not in failure.command
    assert recheck(failure).state == "violated"


# -- what cannot be made a failure -----------------------------------------------------------------------------------


def test_another_scenario_with_a_built_in_name() -> None:
    text = OWN.replace("my-own", NAME)
    with pytest.raises(
        FailureError, match="is the name of a built-in scenario, which is another one: choose"
    ):
        found_in(text)


def test_what_violates_nothing() -> None:
    with pytest.raises(ScheduleError, match="nothing is violated in this schedule"):
        failure_of(OWN, explore(parse_scenario(OWN)))


def test_an_unknown_mutant_or_no_scenario() -> None:
    with pytest.raises(UnknownMutant, match="there is no mutant 'no-such'"):
        failure_of(OWN, Exploration(), "no-such")
    with pytest.raises(ScenarioError, match="this is not TOML"):
        failure_of("[", Exploration())


def test_a_folder_that_cannot_be_written(failure: Failure, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        FailureError, match=r"file/my-own-image-\w+: the failure cannot be written: Not a directory"
    ):
        save_failure(tmp_path / "file", failure, "")


# -- what is refused -------------------------------------------------------------------------------------------------


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "failure.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda told: told.update(format=2),
            r"failure\.json: this is of format 2; this program reads format 1$",
        ),
        (lambda told: told.update(format=2, mutant=7, more=[]), "this is of format 2"),
        (
            lambda told: told.update(format="1"),
            r"failure\.json: Expected `int`, got `str` - at `\$\.format`$",
        ),
        (lambda told: told.pop("rule"), r"failure\.json: Object missing required field `rule`$"),
        (lambda told: told.update(extra=1), r"unknown field `extra`$"),
        (
            lambda told: told.update(mutant="nobody"),
            r"failure\.json: there is no mutant 'nobody'; there are: no-",
        ),
        (lambda told: told.update(shrunk="W,R"), r"failure\.json: a schedule reads s1/SCENARIO/STEPS"),
        (
            lambda told: told.update(schedule="s2/my-own/W"),
            r"failure\.json: this is a schedule of version 's2'",
        ),
        (
            lambda told: told.update(shrunk="s1/other/W"),
            r"a schedule is of scenario 'other', the failure of 'my-own'$",
        ),
        (
            lambda told: told.update(scenario="other", schedule="s1/other/W", shrunk="s1/other/W"),
            r"failure\.json is about scenario 'other', scenario\.toml is 'my-own'$",
        ),
    ],
)
def test_a_description_that_cannot_be(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    changed(folder, change)
    with pytest.raises(FailureError, match=message):
        load_failure(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("failure.json", b"", r"failure\.json: Input data was truncated$"),
        ("failure.json", b"{", r"failure\.json: Input data was truncated$"),
        ("failure.json", b"[]", r"failure\.json: Expected `object`, got `array`$"),
        ("failure.json", b'{"format": "\xff"}', r"failure\.json: "),
        ("scenario.toml", b"[", r"scenario\.toml: this is not TOML"),
        ("scenario.toml", b"\xff", r"scenario\.toml: it is not UTF-8 text$"),
        ("scenario.toml", b"name = 'x'", r"scenario\.toml: story: is missing, and must be there"),
        ("scenario.toml", b"#" * (1024 * 1024 + 1), r"scenario\.toml: has more than 1048576 bytes$"),
    ],
)
def test_files_that_cannot_be_read(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(FailureError, match=message):
        load_failure(folder)


@pytest.mark.parametrize("name", ["failure.json", "scenario.toml"])
def test_a_file_that_is_not_there(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(
        FailureError, match=rf"is no failure: {name} cannot be read: No such file or directory$"
    ):
        load_failure(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match=r"none is no failure: failure\.json cannot be read: No such file"):
        load_failure(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(
        FailureError, match=r"file is no failure: failure\.json cannot be read: Not a directory"
    ):
        load_failure(tmp_path / "file")


def test_what_is_for_people_is_not_read(failure: Failure, folder: Path) -> None:
    for name in ("README.txt", "schedule.txt", "trace.txt"):
        os.remove(folder / name)  # noqa: PTH107 - each of them, whatever it is
    assert load_failure(folder) == failure


# -- looked at again -------------------------------------------------------------------------------------------------


def with_schedules(failure: Failure, schedule: str) -> Failure:
    fields = {name: getattr(failure.description, name) for name in failure.description.__struct_fields__}
    return failure._replace(
        description=type(failure.description)(**{**fields, "schedule": schedule, "shrunk": schedule})
    )


def test_a_failure_that_is_there(failure: Failure) -> None:
    found = recheck(failure, failure.implementation)
    assert (found.state, found.reason) == ("violated", f"image: {failure.description.message}")


def test_a_failure_that_is_gone_because_its_schedule_ends_well(failure: Failure) -> None:
    ends = with_schedules(failure, "s1/my-own/W*6,R*5")
    assert recheck(ends) == ("gone", "nothing is violated in its schedules")


@pytest.mark.parametrize("schedule", ["s1/my-own/W*7", "s1/my-own/R,W*6,R", "s1/my-own/"])
def test_a_schedule_that_shows_nothing_any_more(failure: Failure, schedule: str) -> None:
    """It does not fit, or ends too early: so the scenario is explored."""
    told = with_schedules(failure, schedule)
    assert recheck(told) == ("gone", "nothing is violated in any schedule of the scenario")
    found = recheck(told, mutant("no-recheck").implementation)
    assert found.state == "violated"
    assert found.reason.startswith("image: shadow copy 1.1, extent 0, ")
    assert found.reason.endswith(", in s1/my-own/W*6,R*3") or schedule == failure.description.shrunk


def test_too_small_a_budget_leaves_it_open(failure: Failure) -> None:
    assert recheck(failure, budget=Budget(10)).state == "unknown"


def test_the_schedule_as_it_was_found_counts_too(failure: Failure) -> None:
    """The shrunk one ends well here."""
    told = with_schedules(failure, "s1/my-own/W*6,R*5")
    fields = {name: getattr(told.description, name) for name in told.description.__struct_fields__}
    fields["schedule"] = failure.description.schedule
    both = told._replace(description=type(told.description)(**fields))
    assert recheck(both, failure.implementation).state == "violated"


def test_the_catalogue_gives_the_text_of_its_scenarios() -> None:
    assert parse_scenario(built_in_text(NAME)) == built_in(NAME)
    with pytest.raises(ScenarioError, match="there is no scenario 'none'; there are: "):
        built_in_text("none")
