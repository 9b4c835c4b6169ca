"""An error is excused if the scenario allows it and a fault that happened explains it, and not otherwise."""

from __future__ import annotations

import pytest

from shadowshare.protocol.errors import (
    ActiveStopped,
    AreaFull,
    Fenced,
    JournalDamaged,
    ReadError,
    WriteError,
)
from shadowshare.sim.faults.fault import Injected
from shadowshare.verify.rules.excuses import Excuses

ALL = Excuses(["ReadError", "WriteError", "ActiveStopped", "JournalDamaged", "AreaFull", "Fenced"])
READ_ERROR = Injected("read_errors", 0, None)
ROT = Injected("bit_rot", 0, (0, 7))


def test_what_no_fault_explains_is_not_excused() -> None:
    for error in (ReadError(""), WriteError(""), ActiveStopped(""), JournalDamaged("")):
        assert not ALL.during(error, 0, ())
        assert not ALL.at_end(error, ())


def test_what_the_scenario_does_not_allow_is_not_excused() -> None:
    assert not Excuses([]).during(ReadError(""), 0, (READ_ERROR,))
    assert not Excuses([]).at_end(JournalDamaged(""), (ROT,))


def test_a_refusal_needs_no_fault() -> None:
    assert ALL.during(AreaFull(""), 0, ())


def test_a_fault_that_passes_explains_one_failure_of_its_host() -> None:
    assert ALL.during(ReadError(""), 0, (READ_ERROR,), read_failure_count=1)
    assert not ALL.during(ReadError(""), 0, (READ_ERROR,), read_failure_count=2)
    assert ALL.during(ReadError(""), 0, (READ_ERROR, READ_ERROR), read_failure_count=2)
    assert not ALL.during(ReadError(""), 1, (READ_ERROR,))
    assert not ALL.at_end(ReadError(""), (READ_ERROR,))


def test_a_fault_that_lasts_explains_it_for_everybody_and_at_the_end() -> None:
    assert ALL.during(JournalDamaged(""), 5, (ROT,))
    assert ALL.at_end(JournalDamaged(""), (ROT,))


@pytest.mark.parametrize("error", [WriteError(""), ReadError("")])
def test_another_fault_explains_nothing(error: Exception) -> None:
    assert not ALL.during(error, 0, (ROT,))
    assert not ALL.at_end(error, (ROT,))


def test_who_is_fenced_may_stop() -> None:
    assert ALL.during(ActiveStopped(""), 0, (), is_fenced=True)
    assert ALL.during(Fenced(""), 0, (), is_fenced=True)
    assert not ALL.during(ReadError(""), 0, (), is_fenced=True)
