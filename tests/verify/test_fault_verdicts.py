"""A fault's verdict is one of three, and only if the fault really happened; where none happens nothing is wrong."""

from __future__ import annotations

import msgspec
import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.passive import Passive
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import Scenario, edit
from shadowshare.sim.faults.catalogue import FAULTS
from shadowshare.verify.explorer import explore
from shadowshare.verify.fault_verdicts import (
    ASSUMED_AWAY,
    EXACT,
    EXACT_OR_ERROR,
    fault_scenarios,
    fault_verdict,
)


def changed(name: str, **faults: object) -> Scenario:
    scenario = built_in(name)
    return edit(scenario, faults=msgspec.structs.replace(scenario.faults, **faults))


@pytest.mark.parametrize(
    "name", [name for name in fault_scenarios() if built_in(name).expected == "violated"]
)
def test_without_the_fault_nothing_is_violated(name: str) -> None:
    """So it is the fault that is found."""
    calm = edit(changed(name, **dict.fromkeys(FAULTS, 0)), expected="verified")
    assert explore(calm).verdict == "verified"


def test_the_three_verdicts() -> None:
    found = [
        fault_verdict(built_in(f"fault-{name}"))
        for name in ("bit-rot-in-a-superblock", "unreadable-sector", "lost-slot-write")
    ]
    assert [one.verdict for one in found] == [EXACT, EXACT_OR_ERROR, ASSUMED_AWAY]
    assert [one.errors for one in found] == [(), ("ReadError",), ()]
    assert [one.violated for one in found] == ["", "", "image"]


def test_a_fault_that_never_strikes_has_no_verdict() -> None:
    found = fault_verdict(changed("fault-bit-rot-in-a-superblock", lying_flushes=1, victims=("R",)))
    assert found.verdict == "unknown"
    assert "lying_flushes" in found.reason
    assert not found.is_told


def test_an_error_that_is_not_allowed_is_a_violation() -> None:
    found = fault_verdict(changed("fault-bit-rot-in-the-journal", allowed_errors=()))
    assert found.verdict == "violated"
    assert found.reason.startswith("error: ")


def test_a_wrong_byte_that_is_demanded_and_not_found_is_no_verdict() -> None:
    found = fault_verdict(edit(built_in("fault-bit-rot-in-a-superblock"), expected="violated"))
    assert found.verdict == "unknown"


def test_without_a_spared_copy_two_rotten_superblocks_are_an_error() -> None:
    harsh = changed(
        "fault-bit-rot-in-a-superblock", spares_a_copy=False, allowed_errors=("SuperblockDamaged",)
    )
    assert fault_verdict(harsh).errors == ("SuperblockDamaged",)


class Gullible(JournalFollower):
    """Takes a block for the last one that it applied if its sequence says so."""

    def _is_last_applied(self, raw: object) -> bool:
        return True


class GulliblePassive(Passive):
    follower_class = Gullible


def test_a_reader_that_does_not_look_at_its_last_block_is_led_astray() -> None:
    """What makes misdirected reads of the journal exact is the rule R5."""
    astray = built_in("fault-misdirected-metadata-read")
    found = fault_verdict(astray, Implementation(passive=GulliblePassive))
    assert found.verdict == "violated"
