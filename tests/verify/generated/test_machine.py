"""The store as a state machine: the protocol survives it, and a bug shrinks to few commands."""

from __future__ import annotations

import os
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from shadowshare.models.computers import Implementation
from shadowshare.models.steps import StepError
from shadowshare.verify.generated.commanded import CommandedStore
from shadowshare.verify.generated.machine import STORE, StoreMachine
from shadowshare.verify.generated.profiles import VARIABLE
from shadowshare.verify.generated.violated import Violated
from shadowshare.verify.mutants.catalogue import mutant

EXAMPLE_COUNT = 25
"""In a state machine an example has up to 50 rules, each with draws of its own."""


def test_the_protocol_survives() -> None:
    is_nightly = os.environ.get(VARIABLE) == "nightly"
    run_state_machine_as_test(
        StoreMachine, settings=settings() if is_nightly else settings(max_examples=EXAMPLE_COUNT)
    )


class DiscardMachine(StoreMachine):
    """A store whose active does not copy what it discards."""

    implementation: ClassVar[Implementation] = mutant("discard-without-copy").implementation
    last: ClassVar[CommandedStore]

    def __init__(self) -> None:
        super().__init__()
        type(self).last = self.store


def test_a_bug_shrinks_to_one_command() -> None:
    with pytest.raises(Violated, match=r"^image is violated: shadow copy 1\.1, extent 0"):
        run_state_machine_as_test(
            DiscardMachine, settings=settings(max_examples=100, derandomize=True, database=None)
        )
    story = DiscardMachine.last.story().splitlines()
    assert [line.split()[2:4] for line in story if "begins:" in line] == [["begins:", "discard"]]
    assert len(story) == 3


def commanded(implementation: Implementation | None = None) -> CommandedStore:
    return CommandedStore(STORE, implementation)


def step(store: CommandedStore, label: str) -> None:
    store.take(next(choice for choice in [*store.operations, *store.faults] if choice.label == label))


def test_a_race_found_command_by_command() -> None:
    store = commanded(mutant("no-recheck").implementation)
    store.command("W", "write 0")
    store.command("R", "read e1n1 0")
    for _ in range(6):
        step(store, "W2")
    for _ in range(3):
        step(store, "R1")
    assert store.violation is not None
    assert store.violation.rule == "image"
    assert "RETURNS W 'write 0'" in store.story().splitlines()[-1]
    store.close()


def test_who_recovers_is_the_active_when_it_is_done() -> None:
    store = commanded()
    assert (store.active, store.passives, store.shadow_copies) == ("W", ["R", "S"], ["e1n1"])
    step(store, "crash.W")
    assert store.active == ""
    while not store.active:
        store.take(store.operations[0])
    assert store.active == "V"
    store.command("V", "create e2n1")
    store.finish()
    assert store.violation is None
    assert store.shadow_copies == ["e1n1", "e2n1"]
    assert "V crashes" not in store.story()
    assert "W crashes" in store.story()
    store.close()


def test_the_operation_of_the_last_task_comes_first() -> None:
    store = commanded()
    store.command("W", "write 0")
    store.command("W", "write 1")
    assert [choice.label for choice in store.operations] == ["W2", "W3"]
    step(store, "W3")
    assert [choice.label for choice in store.operations] == ["W3", "W2"]
    assert {"W2!", "W2~", "crash.W", "power"} & {choice.label for choice in store.faults} == {
        "W2~",
        "crash.W",
        "power",
    }
    store.finish()
    store.close()


def test_what_is_left_on_the_disks_is_checked_at_the_end() -> None:
    store = commanded(mutant("discard-without-copy").implementation)
    store.command("W", "discard 0")
    store.finish()
    assert store.violation is not None
    assert store.violation.host == "audit"
    store.close()


def test_a_command_that_is_none_is_refused() -> None:
    store = commanded()
    with pytest.raises(StepError, match="can open, catch-up, list, changed, read, but not 'write'"):
        store.command("R", "write 0")
    store.close()


def test_a_power_loss_is_told() -> None:
    store = commanded()
    step(store, "power")
    assert "the disks lose power, the active host crashes" in store.story().splitlines()[-1]
    store.finish()
    assert store.violation is None
    store.close()
