"""What ``explore`` refuses: exit code 2, one message that says what to do, and nothing changed on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.scenarios.catalogue import built_in_names
from shadowshare.verify.mutants.catalogue import MUTANTS
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from shadowshare.verify.strategies.catalogue import strategy_names
from tests.cli.running import digests, refuse, run, run_process

FAST, OTHER = "reader-before-volume-read", "slot-reuse-during-read"
OWN = 'name = "{name}"\nstory = "A write."\n[race]\nW = ["write 0"]\n'
DRAWING = ("random", "pct", "pos", "urw")


def own_file(folder: Path, name: str, file_name: str = "own.toml") -> Path:
    path = folder / file_name
    path.write_text(OWN.format(name=name), encoding="utf-8")
    return path


def refused(*arguments: object) -> str:
    """The message; without the program's name in front."""
    message = refuse("explore", *arguments)
    return message.removeprefix("shadowshare: ").rstrip("\n")


# -- which scenario ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nope", "", "Reader-before-volume-read", FAST + "/"])
def test_an_unknown_scenario(name: str, tmp_path: Path) -> None:
    message = refused(name, "--file", own_file(tmp_path, "my-own"))
    assert message.startswith(f"there is no scenario {name!r}; there are: my-own, ")
    assert all(known in message for known in (*built_in_names(), REAL_SCENARIO_NAME))


def test_no_scenario() -> None:
    assert "name a scenario, or give one with --file" in refused()


def test_two_scenarios() -> None:
    assert "Got unexpected extra argument (slot-reuse-during-read)" in refused(FAST, OTHER)


def test_none_of_several_files(tmp_path: Path) -> None:
    first, second = own_file(tmp_path, "first"), own_file(tmp_path, "second", "second.toml")
    assert "name a scenario: one of first, second" in refused("-f", first, "-f", second)


def test_the_scenario_that_runs_on_real_processes() -> None:
    message = refused(REAL_SCENARIO_NAME)
    assert message.endswith(f"no interleavings can be chosen: take shadowshare run {REAL_SCENARIO_NAME}")


def test_files_that_cannot_be(tmp_path: Path) -> None:
    taken, path = own_file(tmp_path, FAST), tmp_path / "nope.toml"
    assert refused("-f", taken) == f"{taken}: {FAST!r} is the name of a built-in scenario: choose another"
    assert refused("-f", path) == f"{path}: the scenario file cannot be read: No such file or directory"
    first, second = own_file(tmp_path, "same"), own_file(tmp_path, "same", "second.toml")
    assert refused("-f", first, "-f", second).startswith(
        f"{second}: 'same' is the name of a scenario in another"
    )
    second.write_text("[", encoding="utf-8")
    assert refused("-f", second).startswith(f"{second}: this is not TOML: ")


@pytest.mark.parametrize("name", ["nope", ""])
def test_an_unknown_mutant(name: str) -> None:
    message = refused(FAST, "--mutant", name)
    assert message.startswith(f"there is no mutant {name!r}; there are: ")
    assert all(mutant.name in message for mutant in MUTANTS)


# -- which strategy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["explore", "run"])
@pytest.mark.parametrize("name", ["nope", "", "Random", "PCT "])
def test_an_unknown_strategy(command: str, name: str) -> None:
    message = refuse(command, FAST, "--strategy", name)
    assert message.startswith(f"shadowshare: there is no strategy {name!r}: take one of ")
    assert all(known in message for known in strategy_names())


@pytest.mark.parametrize(
    ("path", "reason"),
    {
        "no_such_module:Class": "module 'no_such_module' cannot be imported",
        ":Class": "module '' cannot be imported",
        "json:Nope": "module 'json' has no class 'Nope'",
        "json:": "module 'json' has no class ''",
        "json:JSONDecoder": "is none: it has no 'name'",
        "shadowshare.verify.exploration.search:Search": "cannot be made with no options: ",
    }.items(),
)
def test_an_import_path_that_leads_to_no_strategy(path: str, reason: str) -> None:
    message = refused(FAST, "--strategy", path)
    assert message.startswith(f"strategy {path!r}")
    assert reason in message


@pytest.mark.parametrize(
    ("strategy", "option"),
    [
        *[(None, "--seed"), (None, "--depth"), (None, "--preemptions")],
        *[("exhaustive", "--seed"), ("random", "--depth"), ("random", "--preemptions")],
        *[("pct", "--preemptions"), ("pos", "--depth"), ("urw", "--depth")],
        *[("preemption-bounded", "--seed"), ("source-dpor", "--seed"), ("optimal-dpor", "--depth")],
    ],
)
def test_an_option_that_the_strategy_does_not_have(strategy: str | None, option: str) -> None:
    chosen = () if strategy is None else ("--strategy", strategy)
    name = option.removeprefix("--")
    assert refused(FAST, *chosen, option, 1).startswith(
        f"strategy {strategy or 'exhaustive'!r} has no option {name!r}: it takes "
    )


# -- budgets and numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["exhaustive", "preemption-bounded"])
def test_executions_of_a_search(strategy: str) -> None:
    assert refused(FAST, "--strategy", strategy, "--max-executions", 5) == (
        f"--max-executions does not fit strategy {strategy!r}, which searches states and runs no schedules: take "
        "--max-states, --max-steps or --max-seconds"
    )


@pytest.mark.parametrize("strategy", [*DRAWING, "source-dpor", "optimal-dpor"])
def test_states_of_what_runs_schedules(strategy: str) -> None:
    assert refused(FAST, "--strategy", strategy, "--max-states", 5) == (
        f"--max-states does not fit strategy {strategy!r}, which runs schedules and keeps no states: take "
        "--max-executions, --max-steps or --max-seconds"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("--max-states", "0"), ("--max-states", "x"), ("--max-executions", "0"), ("--max-steps", "-1")],
        *[("--max-seconds", "0"), ("--max-seconds", "x"), ("--jobs", "0"), ("--jobs", "257")],
        *[("--seed", "x"), ("--depth", "0"), ("--preemptions", "-1")],
    ],
)
def test_a_value_that_cannot_be(option: str, value: str) -> None:
    message = refused(FAST, option, value)
    assert message.startswith("Usage: ")
    assert f"Invalid value for '{option}'" in message


@pytest.mark.parametrize("option", ["--nope", "--random"])
def test_an_unknown_option(option: str) -> None:
    message = refused(FAST, option, 5)
    assert message.startswith("Usage: ")
    assert option in message.splitlines()[-1]


# -- checkpoints -------------------------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint"
    assert run("explore", FAST, "--max-states", 10, "--checkpoint", path).exit_code == 2
    return path


def refused_and_unchanged(path: Path, *arguments: object) -> str:
    before = digests(path.parent)
    message = refused(*arguments, "--checkpoint", path)
    assert digests(path.parent) == before
    return message.removeprefix(f"{path}: ")


def test_a_damaged_checkpoint(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1])
    assert refused_and_unchanged(checkpoint, FAST) == "the checkpoint is damaged: delete it to begin again"


def test_another_file_as_a_checkpoint(checkpoint: Path) -> None:
    checkpoint.write_bytes(b"a letter that took a day to write")
    assert (
        refused_and_unchanged(checkpoint, FAST) == "this is no checkpoint of this version: name another file"
    )


@pytest.mark.parametrize(
    "arguments", [(OTHER,), (FAST, "--mutant", "no-recheck"), ("ten-passives",)], ids=str
)
def test_a_checkpoint_of_another_search(checkpoint: Path, arguments: tuple[str, ...]) -> None:
    message = refused_and_unchanged(checkpoint, *arguments)
    assert message.startswith(f"the checkpoint is one of {FAST} ")
    assert message.endswith(": name another file, or delete it to begin again")


def test_a_checkpoint_where_none_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "checkpoint"
    message = refused(FAST, "--checkpoint", path)
    assert message == f"{path}: the checkpoint cannot be written: No such file or directory"
    assert list(tmp_path.iterdir()) == []


def test_a_directory_as_a_checkpoint(tmp_path: Path) -> None:
    assert (
        refused(FAST, "--checkpoint", tmp_path)
        == f"{tmp_path}: the checkpoint cannot be read: Is a directory"
    )


@pytest.mark.parametrize("strategy", [*DRAWING, "source-dpor", "preemption-bounded"])
def test_a_checkpoint_of_what_cannot_go_on(strategy: str, checkpoint: Path) -> None:
    message = refused_and_unchanged(checkpoint, FAST, "--strategy", strategy)
    assert message == f"a search with strategy {strategy!r} cannot go on from a checkpoint"


def test_a_checkpoint_of_several_processes(checkpoint: Path) -> None:
    assert refused_and_unchanged(checkpoint, FAST, "--jobs", 2) == (
        "--checkpoint does not go with --jobs: a search that can go on is done by one process"
    )


# -- saving failures ---------------------------------------------------------------------------------------------


def test_a_folder_for_failures_that_cannot_be(tmp_path: Path) -> None:
    """It is refused before the search, which would find nothing here."""
    file = tmp_path / "file"
    file.write_bytes(b"something")
    for folder in (file, file / "deep" / "er"):
        assert refused(FAST, "--save-failure", folder) == (
            f"{folder}: failures cannot be saved here: Not a directory"
        )
    assert list(digests(tmp_path)) == ["file"]


# -- as a process ------------------------------------------------------------------------------------------------


def test_a_refusal_in_a_process_of_its_own() -> None:
    done = run_process("explore", FAST, "--strategy", "nope")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"shadowshare: there is no strategy 'nope': take one of ")
    assert done.stderr.count(b"\n") == 1
