"""``docs/faults.md`` names every fault, with its mark, and says of each what exploring it shows."""

from __future__ import annotations

from shadowshare.reports.fault_table import COLUMNS, fault_markdown
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.faults.catalogue import FAULTS
from shadowshare.verify.fault_verdicts import fault_scenarios, fault_verdict, faults_of
from tests.docs.documents import names_in, read, section, tables

PAGE = "faults.md"


def test_every_fault_is_there_with_its_mark() -> None:
    (rows,) = tables(section(read(PAGE), "How a fault happens"))
    assert [row["fault"] for row in rows] == list(FAULTS)
    for row in rows:
        assert names_in(row["mark"])[-1] == FAULTS[row["fault"]].mark


def test_the_verdicts_are_those_that_exploring_finds() -> None:
    """After a change: the text between the lists is printed by ``shadowshare faults --markdown``."""
    verdicts = [fault_verdict(built_in(name)) for name in fault_scenarios()]
    assert all(one.is_told for one in verdicts)
    assert fault_markdown(verdicts) in read(PAGE)


def test_every_fault_has_a_verdict() -> None:
    (rows,) = tables(section(read(PAGE), "What comes of each"))
    assert list(rows[0]) == COLUMNS
    assert {fault for name in fault_scenarios() for fault in faults_of(built_in(name))} == set(FAULTS)
