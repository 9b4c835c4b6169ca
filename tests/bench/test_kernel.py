"""The experimental kernel, uncompiled, does what the search does; compilers that are not there are reported."""

from __future__ import annotations

import subprocess
import sys
from array import array
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from bench.kernel import compilers, core, packed
from bench.kernel.__main__ import HEADER, check_same, measure, run_packed, show
from bench.kernel.compilers import NoCompiler, uncompiled, version_of
from bench.kernel.packed import DoesNotFit, PackedSearch
from bench.kernel.workloads import scenario, toy, workloads

from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.tasks import Setup, rest

ROOT = Path(__file__).parents[2]


def toy_of_two() -> Product:
    return toy(2, 2)


def plain_search(product: Product) -> Search:
    search = Search(product)
    assert search.run(Budget()) == ""
    return search


def spinning() -> Product:
    """A task that goes on for ever."""
    setup = Setup()
    cell = setup.cell("cell")

    async def spin() -> None:
        while True:
            await rest(None)
            await cell.write(1)

    setup.task("A", spin)
    return TaskWorld(setup).product


@pytest.mark.parametrize("make", [toy_of_two, lambda: scenario("creation-and-power-loss")])
def test_the_kernel_meets_and_counts_what_the_search_does(make: object) -> None:
    assert callable(make)
    search = plain_search(make())
    _, found, schedule_count = run_packed(make, uncompiled())
    check_same(search, search.schedule_count(), found, schedule_count)
    assert found.call_count > 1  # it stopped where something had to be learnt


def test_a_search_of_what_is_learnt_stops_only_to_get_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FIRST_SLOT_COUNT", 1 << 9)
    product = toy_of_two()
    search = plain_search(product)
    found = PackedSearch(product, uncompiled())
    found.run()
    check_same(search, search.schedule_count(), found, found.schedule_count())
    assert len(search.states) > 1 << 8
    assert found.call_count == 3


def test_a_different_result_is_noticed() -> None:
    product = toy_of_two()
    search = plain_search(product)
    _, found, schedule_count = run_packed(toy_of_two, uncompiled())
    search.parents[5] += 1
    with pytest.raises(AssertionError):
        check_same(search, schedule_count, found, schedule_count)


def test_numbers_larger_than_a_prime_are_put_together() -> None:
    search = plain_search(toy(3, 3))
    found = PackedSearch(search.product, uncompiled())
    found.run()
    count = found.schedule_count()
    assert count is not None
    assert count > packed.PRIMES[0]
    assert count == search.schedule_count()


def test_endless_schedules_are_not_counted() -> None:
    found = PackedSearch(spinning(), uncompiled())
    found.run()
    assert found.schedule_count() is None


@pytest.mark.parametrize("number", packed.PRIMES)
def test_the_primes_may_be_added(number: int) -> None:
    assert 2 * number < 1 << 63
    assert all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7, 11, 13))


def test_states_survive_packing() -> None:
    search = plain_search(toy_of_two())
    found = PackedSearch(search.product, uncompiled())
    assert [found.unpack(found.pack(state)) for state in search.states] == search.states
    with pytest.raises(DoesNotFit, match="more than"):
        found.pack((1 << 30) - 2)


def test_a_place_is_found_again_among_others() -> None:
    entries = packed.zeroes("q", 4 * 8)
    for lane, key in (*((lane, 5) for lane in range(6)), (0, 6)):
        place = core.entry_of(entries, lane, key)
        assert entries[place + 1] == 0
        entries[place : place + 4] = array("q", (key, lane + 1, 0, 0))
        assert core.entry_of(entries, lane, key) == place


def test_a_row_of_figures() -> None:
    rows = list(measure("toy 3,3", [], None, 1))
    assert [row["engine"] for row in rows] == ["search.py", "search.py, no gc"]
    assert rows[0]["states"] == 27_415
    assert rows[0]["times_faster"]["end_to_end"] == 1
    assert show(rows[0]).startswith("toy 3,3")
    assert HEADER.startswith("model")
    assert len(workloads()) == 6


def test_a_compiler_that_is_not_there_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(compilers, "version", missing)
    with pytest.raises(NoCompiler, match="pip install numba"):
        version_of("numba")


def test_help() -> None:
    command = [sys.executable, "-m", "bench.kernel", "--help"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "--uncompiled" in done.stdout
