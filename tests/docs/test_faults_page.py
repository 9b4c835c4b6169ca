"""``docs/faults.md`` names every fault, with its mark."""

from __future__ import annotations

from shadowshare.sim.faults.catalogue import FAULTS
from tests.docs.documents import names_in, read, section, tables

PAGE = "faults.md"


def test_every_fault_is_there_with_its_mark() -> None:
    (rows,) = tables(section(read(PAGE), "How a fault happens"))
    assert [row["fault"] for row in rows] == list(FAULTS)
    for row in rows:
        assert names_in(row["mark"])[-1] == FAULTS[row["fault"]].mark
