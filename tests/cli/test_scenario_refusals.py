"""What ``run``, ``list`` and ``replay`` refuse: exit code 2, and one message that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.scenarios.catalogue import built_in_names
from shadowshare.verify.mutants.catalogue import MUTANTS
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from tests.cli.running import refuse, run_process

FAST = "reader-before-volume-read"
OWN = 'name = "{name}"\nstory = "A write."\n[race]\nW = ["write 0"]\n'


def own_file(folder: Path, name: str, file_name: str = "own.toml") -> Path:
    path = folder / file_name
    path.write_text(OWN.format(name=name), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "arguments", [("run", "nope"), ("run", FAST, "nope"), ("replay", "s1/nope/W"), ("run", "")], ids=str
)
def test_an_unknown_scenario(arguments: tuple[str, ...], tmp_path: Path) -> None:
    message = refuse(*arguments, "--file", own_file(tmp_path, "my-own"))
    name = "nope" if "nope" in str(arguments) else ""
    assert message.startswith(f"shadowshare: there is no scenario {name!r}; there are: my-own, ")
    assert all(known in message for known in (*built_in_names(), REAL_SCENARIO_NAME))


@pytest.mark.parametrize("name", ["nope", "", "No-Recheck"])
@pytest.mark.parametrize("arguments", [("run", FAST), ("replay", f"s1/{FAST}/W")], ids=["run", "replay"])
def test_an_unknown_mutant(arguments: tuple[str, ...], name: str) -> None:
    message = refuse(*arguments, "--mutant", name)
    assert message.startswith(f"shadowshare: there is no mutant {name!r}; there are: ")
    assert all(mutant.name in message for mutant in MUTANTS)


COMMANDS = [("run",), ("list",), ("replay", f"s1/{FAST}/W")]
ids = [command[0] for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
@pytest.mark.parametrize("name", [FAST, REAL_SCENARIO_NAME])
def test_a_file_with_the_name_of_a_built_in_scenario(
    command: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    path = own_file(tmp_path, name)
    assert refuse(*command, "-f", path) == (
        f"shadowshare: {path}: {name!r} is the name of a built-in scenario: choose another\n"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
def test_two_files_with_the_same_name(command: tuple[str, ...], tmp_path: Path) -> None:
    first, second = own_file(tmp_path, "my-own"), own_file(tmp_path, "my-own", "second.toml")
    message = refuse(*command, "-f", first, "-f", second)
    assert message == f"shadowshare: {second}: 'my-own' is the name of a scenario in another file, too\n"


@pytest.mark.parametrize("command", COMMANDS, ids=ids)
@pytest.mark.parametrize(
    ("content", "reason"),
    {
        None: "the scenario file cannot be read: No such file or directory",
        b"\xff": "the scenario file cannot be read: it is not UTF-8 text",
        b"nope": "this is not TOML: ",
        b"name = 1": "name: must be `str`, not `int`; story: is missing, and must be there; race: is missing",
        OWN.format(name="x").replace("0", "7").encode(): "W: step 'write 7': '7' is beyond the volume",
    }.items(),
)
def test_a_broken_file(command: tuple[str, ...], content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    assert refuse(*command, "--file", path).startswith(f"shadowshare: {path}: {reason}")


def test_a_directory_as_a_file(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refuse("run", "-f", tmp_path)


def test_a_step_before_the_race_that_cannot_be_done(tmp_path: Path) -> None:
    path = own_file(tmp_path, "full")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        'before = ["W: create s", "W: write all"]\nstore = { slots = 1 }\n' + text, encoding="utf-8"
    )
    message = refuse("run", "-f", path)
    assert "scenario 'full': step 'W: write all' before the race cannot be done: AreaFull: " in message


@pytest.mark.parametrize(
    "options",
    [
        *[
            ("--max-executions", "0"),
            ("--max-executions", "x"),
            ("--max-steps", "0"),
            ("--max-states", "0"),
            ("--jobs", "0"),
            ("--jobs", "257"),
            ("--depth", "0"),
            ("--preemptions", "-1"),
            ("--max-seconds", "0"),
            ("--seed", "x"),
        ],
        *[("--nope",), ("--max-seconds", "nan-")],
    ],
    ids=str,
)
def test_an_option_that_cannot_be(options: tuple[str, ...]) -> None:
    message = refuse("run", FAST, *options)
    assert message.startswith("Usage: ")
    assert options[0] in message


# -- schedules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "reason"),
    {
        "": "a schedule reads s1/SCENARIO/STEPS, for example ",
        "W,R": "a schedule reads s1/SCENARIO/STEPS, for example ",
        f"s1/{FAST}": "a schedule reads s1/SCENARIO/STEPS, for example ",
        f"s1/{FAST}/W/R": "a schedule reads s1/SCENARIO/STEPS, for example ",
        f"s2/{FAST}/W": "this is a schedule of version 's2'; this program reads version 's1'",
        f"/{FAST}/W": "this is a schedule of version ''; this program reads version 's1'",
        "s1/No Name/W": "'No Name' in the schedule is not the name of a scenario",
        f"s1/{FAST}/W**2": "step 'W**2' of the schedule is neither LABEL nor LABEL*TIMES",
        f"s1/{FAST}/W*0": "step 'W*0' of the schedule is neither LABEL nor LABEL*TIMES",
        f"s1/{FAST}/W*-1": "step 'W*-1' of the schedule is neither LABEL nor LABEL*TIMES",
        f"s1/{FAST}/W R": "step 'W R' of the schedule is neither LABEL nor LABEL*TIMES",
        f"s1/{FAST}/\x1b[2J": "step '\\x1b[2J' of the schedule is neither LABEL nor LABEL*TIMES",
        f"s1/{REAL_SCENARIO_NAME}/W": f"{REAL_SCENARIO_NAME} runs on real processes: it has no schedule to replay",
    }.items(),
)
def test_a_schedule_that_is_none(schedule: str, reason: str) -> None:
    message = refuse("replay", schedule)
    assert message.startswith(f"shadowshare: {reason}")
    assert message.strip().isprintable()


@pytest.mark.parametrize(
    ("steps", "number", "label", "possible"),
    [
        ("V", 1, "V", "W, R"),
        ("R,W,power", 3, "power", "R, W"),
        ("R*9,W", 3, "R", "W"),
        ("W*7,R", 7, "W", "R"),
        ("W.1,R", 1, "W.1", "W, R"),
        ("R,W!", 2, "W!", "W, R"),
    ],
)
def test_a_label_that_does_not_fit(steps: str, number: int, label: str, possible: str) -> None:
    """Which step it is, and what could happen instead."""
    assert refuse("replay", f"s1/{FAST}/{steps}") == (
        f"shadowshare: step {number} of the schedule does not fit scenario {FAST!r}: "
        f"{label!r} cannot happen here; what can: {possible}\n"
    )


def test_a_refusal_in_a_process_of_its_own() -> None:
    done = run_process("run", "nope")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"shadowshare: there is no scenario 'nope'; there are: ")
    assert done.stderr.count(b"\n") == 1
