"""Whole simulations: what is counted, by hand; and what follows from what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.models.latency.episodes import Episode
from shadowshare.models.simulation.measured import joined
from shadowshare.models.simulation.plan import FailOverPlan, HostsPlan, ShadowCopyPlan
from shadowshare.models.simulation.run import Simulation, simulate
from shadowshare.protocol.errors import AreaFull
from shadowshare.protocol.marks import Mark
from shadowshare.sim.timed.traffic import DEVICE, JOURNAL, SLOTS, VOLUME, Flow
from shadowshare.sim.timed.workload import HostRequest
from tests.models.simulation.plans import (
    EXTENT_BYTES,
    EXTENT_COUNT,
    MILLISECOND_NS,
    SECTOR_BYTES,
    Anywhere,
    Scripted,
    plan,
    write,
)


def test_what_a_write_costs_is_counted_operation_by_operation() -> None:
    """Two extents are copied, each once; the third write finds its extent copied."""
    measured = simulate(plan(Scripted((write(3), write(9), write(3)))))
    assert measured.operations == {
        Flow(0, "read", VOLUME): 2,
        Flow(0, "write", SLOTS): 2,
        Flow(0, "write", JOURNAL): 2,
        Flow(0, "flush", DEVICE): 4,
        Flow(0, "write", VOLUME): 3,
    }
    figures = measured.figures()
    written_bytes = 3 * SECTOR_BYTES + 2 * (EXTENT_BYTES + SECTOR_BYTES)
    assert figures["active.write_amplification"] == written_bytes / (3 * SECTOR_BYTES)
    assert figures["active.write.per_second"] == 3
    assert (measured.journal_blocks, measured.slots_used) == (2, 2)
    assert measured.devices[0].served_count == sum(measured.operations.values())


def test_without_shadow_copies_nothing_is_copied_and_the_requests_are_the_same() -> None:
    workload = Anywhere("write", 3 * MILLISECOND_NS, is_open=True, client_count=8)
    whole = plan(workload, Anywhere("read", MILLISECOND_NS))
    with_copies = simulate(whole, 5)
    asked, alone = list(workload.seen), replace(whole.active, workload=replace(workload, seen=[]))
    without = simulate(replace(whole.without_shadow_copies(), active=alone), 5)
    assert isinstance(alone.workload, Anywhere)
    assert asked == alone.workload.seen
    assert {(flow.verb, flow.place) for flow in without.operations} == {("write", VOLUME)}
    assert without.figures()["active.write_amplification"] == 1
    assert without.figures()["active.write.latency_mean"] < with_copies.figures()["active.write.latency_mean"]


def test_a_passive_reads_data_and_then_the_journal() -> None:
    read = HostRequest(0, "read", 0, 2 * EXTENT_BYTES)
    measured = simulate(plan(Scripted(()), Scripted((read, read, read))))
    assert measured.operations == {Flow(1, "read", VOLUME): 3, Flow(1, "read", JOURNAL): 3}
    figures = measured.figures()
    assert (
        figures["passives.data_operations_per_read"] == figures["passives.journal_operations_per_read"] == 1
    )
    assert figures["passives.recheck_saved_per_read"] == figures["passives.slot_share"] == 0


def test_a_re_check_that_saves_a_read_is_counted() -> None:
    """A busy volume of few extents: many reads are overtaken, some find their extent in a slot."""
    writer = Anywhere("write", 0, client_count=4)
    readers = [Anywhere("read", 0, client_count=2)] * 3
    measured = simulate(plan(writer, *readers, shadow_copies=ShadowCopyPlan(1, 20 * MILLISECOND_NS, 2)))
    saved = measured.marks[Mark.COPIED_DURING_READ]
    figures = measured.figures()
    assert saved > 100
    assert figures["passives.recheck_saved_per_read"] == saved / measured.latencies["passives", "read"].count
    assert figures["passives.data_operations_per_read"] > 1
    assert 0 < figures["passives.slot_share"] < 1
    assert figures["active.create.per_second"] == pytest.approx(1000 / 20, abs=3)


def test_the_warm_up_is_not_measured() -> None:
    requests = tuple(write(extent, 10 * MILLISECOND_NS) for extent in range(40))
    whole = plan(Scripted(requests), warm_up_ns=200 * MILLISECOND_NS, measured_ns=200 * MILLISECOND_NS)
    measured = simulate(whole)
    count = measured.latencies["active", "write"].count
    assert 15 <= count <= 21
    assert measured.operations[Flow(0, "write", SLOTS)] in range(count - 1, count + 2)


def test_a_seed_gives_one_run_and_another_one_another() -> None:
    whole = plan(Anywhere("write", 0, client_count=3), Anywhere("read", 0), measured_ns=100 * MILLISECOND_NS)
    first = simulate(whole, (1, 2)).figures()
    assert first == simulate(whole, (1, 2)).figures()
    assert first != simulate(whole, (1, 3)).figures()


def test_an_open_workload_that_is_too_much_waits_in_a_backlog() -> None:
    flood = Anywhere("write", MILLISECOND_NS // 50, is_open=True, client_count=2)
    simulation = Simulation(plan(flood, measured_ns=100 * MILLISECOND_NS))
    measured = simulation.run()
    done = measured.latencies["active", "write"].count
    assert measured.backlog_count > 1000
    assert len(flood.seen) in range(done + measured.backlog_count, done + measured.backlog_count + 4)
    assert measured.latencies["active", "write"].maximum > 50 * MILLISECOND_NS, "waiting counts"


def test_requests_that_end_with_an_error_are_counted_apart() -> None:
    everything = tuple(write(extent) for extent in range(EXTENT_COUNT))
    again = (HostRequest(0, "create"), *everything) * 2
    measured = simulate(plan(Scripted((*everything, *again))))
    assert measured.failures == {("active", "write", AreaFull.__name__): EXTENT_COUNT}
    assert measured.latencies["active", "write"].count == 2 * EXTENT_COUNT


def test_a_passive_with_nothing_to_read_says_so() -> None:
    read = HostRequest(0, "read", 0, SECTOR_BYTES)
    old = read._replace(age=1)
    whole = plan(Scripted(()), Scripted((read, old)))
    measured = simulate(whole)
    assert measured.failures == {("passives", "read", "ShadowCopyNotFound"): 1}
    measured = simulate(replace(whole, shadow_copies=ShadowCopyPlan(2)))
    assert not measured.failures


def test_paths_of_a_group_are_slow() -> None:
    read = HostRequest(0, "read", 0, SECTOR_BYTES)
    whole = plan(Scripted(()), Scripted((read,) * 10))
    slow = HostsPlan(whole.passives[0].workload, 3, 5 * MILLISECOND_NS, 5 * MILLISECOND_NS)
    measured = simulate(replace(whole, passives=(slow,)))
    assert measured.latencies["passives", "read"].count == 30
    assert measured.figures()["passives.read.latency_p50"] > 0.02, "two operations, there and back"


def test_parts_of_a_run_that_are_joined_are_the_run() -> None:
    writer = Anywhere("write", MILLISECOND_NS // 4, is_open=True, client_count=16)
    copies = ShadowCopyPlan(1, 20 * MILLISECOND_NS, 2)
    whole = plan(writer, Anywhere("read", 0), shadow_copies=copies, measured_ns=100 * MILLISECOND_NS)
    simulation = Simulation(whole, 3)
    parts = [simulation.measure(part * MILLISECOND_NS) for part in (10, 40, 50)]
    at_once = Simulation(whole, 3).run()
    assert joined(parts).figures() == at_once.figures()
    assert joined(parts).rare() == at_once.rare()
    assert at_once.journal_blocks > parts[-1].journal_blocks > 0


# -- backups -----------------------------------------------------------------------------------------------------


def scan(verb: str, gap_ns: int = 0) -> HostRequest:
    return HostRequest(gap_ns, verb, 0, 8 * EXTENT_BYTES)


def test_a_scan_reads_everything_once_of_one_shadow_copy() -> None:
    measured = simulate(plan(Scripted(()), Scripted((scan("scan"), scan("scan")))))
    read_count = 2 * EXTENT_COUNT // 8
    assert measured.latencies["passives", "read"].count == measured.moved_bytes["passives", "read"] // (
        8 * EXTENT_BYTES
    )
    assert measured.latencies["passives", "read"].count == read_count
    assert measured.latencies["passives", "scan"].count == 2
    assert measured.moved_bytes["passives", "scan"] == 0


def test_a_scan_stays_with_its_shadow_copy_until_that_is_gone() -> None:
    """The second half of a slow scan finds the shadow copy deleted: its reads fail, and none reads the newer one."""
    slow = HostRequest(0, "scan", 0, 8 * EXTENT_BYTES, pause_ns=10 * MILLISECOND_NS)
    create = (HostRequest(45 * MILLISECOND_NS, "create"), HostRequest(0, "delete"))
    measured = simulate(plan(Scripted(create), Scripted((slow,))))
    assert measured.failures == {("passives", "read", "ShadowCopyNotFound"): 4}
    assert measured.latencies["passives", "read"].count == 4


def test_an_incremental_backup_reads_what_changed_and_nothing_else() -> None:
    writes = (write(3), write(4), write(60), HostRequest(MILLISECOND_NS, "create"), write(9))
    scans = tuple(scan("scan-changes", 50 * MILLISECOND_NS) for _ in range(3))
    measured = simulate(plan(Scripted(writes), Scripted(scans)))
    assert measured.latencies["passives", "scan-changes"].count == 3
    assert measured.latencies["passives", "read"].count == 2, "extents 3 and 4 together, and 60; once"
    assert measured.moved_bytes["passives", "read"] == 3 * EXTENT_BYTES


def test_who_missed_the_shadow_copy_of_the_backup_before_backs_up_everything() -> None:
    turn = (HostRequest(0, "create"), HostRequest(0, "delete"))
    measured = simulate(
        plan(Scripted((*turn, write(3), *turn)), Scripted((scan("scan-changes", 50 * MILLISECOND_NS),)))
    )
    assert not measured.failures
    assert measured.moved_bytes["passives", "read"] == EXTENT_COUNT * EXTENT_BYTES


# -- what happens to hosts and paths -----------------------------------------------------------------------------


def test_a_path_that_stalls_holds_its_host_up_and_no_other() -> None:
    reads = tuple(HostRequest(MILLISECOND_NS, "read", 0, SECTOR_BYTES) for _ in range(50))
    whole = plan(Scripted(()), Scripted(reads), Scripted(reads))
    stall = (Episode("stall", 10.0, 30.0),)
    stalled = replace(whole, passives=(replace(whole.passives[0], episodes=stall),))
    latencies = simulate(stalled).latencies["passives", "read"]
    assert latencies.maximum in range(28 * MILLISECOND_NS, 31 * MILLISECOND_NS)
    assert latencies.quantile(0.9) < MILLISECOND_NS
    assert simulate(whole).latencies["passives", "read"].maximum < MILLISECOND_NS
    beside = replace(whole, active=replace(whole.active, episodes=stall))
    assert simulate(beside).latencies["passives", "read"].maximum < MILLISECOND_NS


def test_another_host_takes_over_with_the_same_users() -> None:
    writer = Anywhere("write", MILLISECOND_NS // 8, is_open=True, client_count=16)
    whole = plan(
        writer, Anywhere("read", MILLISECOND_NS), shadow_copies=ShadowCopyPlan(1, 50 * MILLISECOND_NS, 1)
    )
    crash = FailOverPlan(303 * MILLISECOND_NS, 40 * MILLISECOND_NS)
    simulation = Simulation(replace(whole, fail_over=crash), 3)
    measured = simulation.run()
    recovered = measured.latencies["active", "recover"]
    assert recovered.count == 1
    assert 40 * MILLISECOND_NS < recovered.maximum < 45 * MILLISECOND_NS
    writes = measured.latencies["active", "write"]
    assert writes.maximum > 39 * MILLISECOND_NS, "who came when nobody answered waited"
    lost = sum(count for (role, _, error), count in measured.failures.items() if error == "HostCrashed")
    assert 0 < lost <= 17
    assert writes.count + lost + measured.backlog_count > len(writer.seen) - 20
    assert measured.latencies["active", "create"].count in range(15, 21), "shadow copies go on being made"
    assert not [
        kind for kind in measured.failures if kind[0] == "passives" and kind[2] != "ShadowCopyNotFound"
    ]
    assert simulation.active.view.shadow_copies[-1].id.epoch == 2


@pytest.mark.parametrize("way_ns", [0, 20 * MILLISECOND_NS])
def test_a_closed_loop_goes_on_after_a_fail_over(way_ns: int) -> None:
    """Also if what the crashed host had sent reaches the device long after the other one's reservation."""
    whole = plan(Anywhere("write", 0, client_count=4), measured_ns=400 * MILLISECOND_NS)
    whole = replace(whole, active=replace(whole.active, request_ns=way_ns))
    measured = simulate(replace(whole, fail_over=FailOverPlan(100 * MILLISECOND_NS)))
    assert measured.failures == {("active", "write", "HostCrashed"): 4}
    alone = simulate(whole).latencies["active", "write"].count
    recovered_ns = measured.latencies["active", "recover"].maximum
    expected = alone * (400 * MILLISECOND_NS - recovered_ns) / (400 * MILLISECOND_NS)
    assert measured.latencies["active", "write"].count == pytest.approx(expected, rel=0.1, abs=8)
