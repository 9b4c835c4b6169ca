"""Simulation files: what they mean, and how parameters get into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.models.latency.disk_drive import HP_97560
from shadowshare.models.latency.episodes import Episode, WithEpisodes
from shadowshare.models.simulation.plan import FailOverPlan
from shadowshare.models.workloads.gaps import Bursty, Even, Poisson
from shadowshare.models.workloads.places import Anywhere, HotSpot, Sequential, Zipf
from shadowshare.models.workloads.readers import Backup
from shadowshare.models.workloads.replay import Replay
from shadowshare.models.workloads.synthetic import Synthetic
from shadowshare.scenarios.simulation.catalogue import built_in_simulation, simulation_names
from shadowshare.scenarios.simulation.document import Value, read_simulation
from shadowshare.scenarios.simulation.errors import SimulationError
from shadowshare.sim.timed.device import reads_first
from tests.repository.tree import ROOT

RECORDED = ROOT / "examples" / "traces" / "sqlite-on-ext4.blkparse"
HEAD = 'name = "mine"\nstory = "A story."\n'


@pytest.mark.parametrize("name", simulation_names())
def test_built_in_files_have_their_name_a_story_and_parameters_that_matter(name: str) -> None:
    scenario = built_in_simulation(name)
    assert scenario.name == name
    assert len(scenario.story) > 40
    for parameter, value in scenario.parameters.items():
        assert scenario.plan({parameter: value * 2}) != scenario.plan()


def test_a_file_of_a_name_and_a_story_is_enough() -> None:
    plan = read_simulation(HEAD).plan()
    assert (plan.passives[0].count, plan.shadow_copies.at_start, plan.devices[0].server_count) == (4, 1, 8)


def test_parameters_stand_anywhere() -> None:
    tables = {
        "parameters": "n = 3\nshare = 0.5",
        "store": "own_device = true",
        "device": "servers = '$n'\norder = 'reads-first'",
        "active": "read_share = '$share'\npath_answer_us = '$n'",
        "passives": "count = '$n'",
        "time": "measured_seconds = '$n'",
    }
    text = HEAD + "\n".join(f"[{name}]\n{fields}" for name, fields in tables.items())
    scenario = read_simulation(text)
    plan = scenario.plan({"n": 5})
    assert [device.server_count for device in plan.devices] == [5, 5]
    assert plan.devices[0].urgency is reads_first
    assert (plan.active.answer_ns, plan.passives[0].count, plan.measured_ns) == (5000, 5, 5_000_000_000)
    assert isinstance(plan.active.workload, Synthetic)
    assert plan.active.workload.verbs == {"read": 0.5, "write": 0.5}
    assert scenario.plan().passives[0].count == 3
    assert scenario.plan({"n": 1}).without_shadow_copies().passives == ()


@pytest.mark.parametrize(
    ("fields", "gaps", "is_open"),
    [
        ("requests_per_second = 50", Poisson(50.0), True),
        ("pause_us = 100", Poisson(10_000.0), False),
        ("", Even(0.0), False),
    ],
)
def test_requests_arrive_or_wait_for_answers(fields: str, gaps: object, is_open: bool) -> None:
    workload = read_simulation(f"{HEAD}[active]\n{fields}\nclients = 7").plan().active.workload
    assert isinstance(workload, Synthetic)
    assert (workload.gaps, workload.is_open, workload.client_count) == (gaps, is_open, 7)


@pytest.mark.parametrize(
    ("places", "kind"),
    [("anywhere", Anywhere), ("sequential", Sequential), ("hot", HotSpot), ("zipf", Zipf)],
)
def test_places(places: str, kind: type[object]) -> None:
    workload = read_simulation(f"{HEAD}[passives]\nplaces = '{places}'\n").plan().passives[0].workload
    assert isinstance(workload, Synthetic)
    assert isinstance(workload.places, kind)
    assert workload.verbs == {"read": 1.0}


def test_no_passives_is_possible() -> None:
    assert read_simulation(f"{HEAD}[passives]\ncount = 0\n").plan().passives == ()


def test_details_of_what_is_drawn() -> None:
    fields = (
        "clients = 3\nrequests_per_second = 100\nburst_requests = 20\nburst_speed_up = 5\nplaces = 'hot'\n"
        "hot_space_share = 0.2\nhot_request_share = 0.8\nsizes_kib = {4 = 0.9, 64 = 0.1}\n"
        "verbs = {write = 3, flush = 1}"
    )
    workload = read_simulation(f"{HEAD}[active]\n{fields}").plan().active.workload
    assert workload == Synthetic(
        {"write": 3.0, "flush": 1.0},
        {4096: 0.9, 65536: 0.1},
        HotSpot(0.2, 0.8),
        4096,
        Bursty(100.0, 20.0, 5.0),
        True,
        3,
    )
    zipf = read_simulation(f"{HEAD}[active]\nplaces = 'zipf'\nzipf_exponent = 1.2").plan().active.workload
    assert isinstance(zipf, Synthetic)
    assert zipf.places == Zipf(1.2)


def test_several_groups_of_passives_each_with_its_workload() -> None:
    groups = (
        "[[passives]]\ncount = 2\nclients = 4\n",
        "[[passives]]\nworkload = 'full-backup'\nrequest_kib = 256\npause_us = 10\n",
        "[[passives]]\nworkload = 'incremental-backup'\nrest_ms = 5\nage = 1\n",
        "[[passives]]\ncount = 0\n",
    )
    plan = read_simulation(HEAD + "".join(groups)).plan({"passives.1.count": 7})
    assert [(group.count, group.workload.client_count) for group in plan.passives] == [(2, 4), (7, 1), (1, 1)]
    assert plan.passives[1].workload == Backup(request_bytes=262144, pause_us=10.0)
    assert plan.passives[2].workload == Backup(is_incremental=True, rest_us=5000.0, age=1)


def test_a_trace_is_found_beside_the_file_and_replayed(tmp_path: Path) -> None:
    text = f"{HEAD}[active]\nworkload = 'replay'\ntrace = 'it.blkparse'\nspeed = 2\n[passives]\nworkload = 'replay'\n"
    text += "trace = 'it.blkparse'\ncount = 2\n"
    (tmp_path / "it.blkparse").write_bytes(RECORDED.read_bytes())
    plan = read_simulation(text, tmp_path).plan()
    path = str(tmp_path / "it.blkparse")
    assert plan.active.workload == Replay(path, speed=2.0, pass_count=0)
    assert plan.passives[0].workload == Replay(path, pass_count=0, verbs=("read",))
    with pytest.raises(SimulationError, match=r"it\.blkparse: the trace cannot be read"):
        read_simulation(text)
    (tmp_path / "it.blkparse").write_text("nonsense\n")
    with pytest.raises(SimulationError, match=r"it\.blkparse: line 1: this is no trace"):
        read_simulation(text, tmp_path)


def test_episodes_on_the_device_and_on_paths() -> None:
    stall = "shape = 'stall'\nfirst_ms = 10\nlasts_ms = 5\n"
    text = f"{HEAD}[[device.episodes]]\n{stall}[[passives.path_episodes]]\n{stall}every_ms = 100\n"
    plan = read_simulation(text).plan()
    assert isinstance(plan.devices[0].latency, WithEpisodes)
    assert plan.devices[0].latency.episodes == (Episode("stall", 10.0, 5.0),)
    assert plan.passives[0].episodes == (Episode("stall", 10.0, 5.0, every_ms=100.0),)


def test_every_field_can_be_given_another_value_by_its_place() -> None:
    scenario = read_simulation(f"{HEAD}[parameters]\nn = 2\n[active]\nclients = '$n'")
    changed: dict[str, Value] = {
        "n": 3,
        "device.latency": "hp-97560",
        "device.servers": 1,
        "fail_over.at_seconds": 1.5,
    }
    plan = scenario.plan({**changed, "passives.workload": "full-backup"})
    assert plan.devices[0].latency is HP_97560
    assert (plan.devices[0].server_count, plan.active.workload.client_count) == (1, 3)
    assert plan.fail_over == FailOverPlan(1_500_000_000)
    assert isinstance(plan.passives[0].workload, Backup)
    assert scenario.plan().fail_over is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"m": 3}, "there is no parameter 'm'; there are: n; and fields by place"),
        ({"device.serverz": 3}, "device.serverz: there is no such field, but there are latency, servers"),
        ({"device.servers": "many"}, "device.servers: must be `int`"),
        ({"passives.5.count": 3}, "passives.5.count: there is no such place"),
        ({"name.x": 3}, "name.x: there is no such place"),
        ({"parameters.n": 3}, "parameters.n: name a parameter without its table: n"),
        ({"fail_over.at_seconds": 9.0}, "fail_over.at_seconds: the simulation ends before"),
    ],
)
def test_what_cannot_be_given_is_refused(changed: dict[str, Value], message: str) -> None:
    scenario = read_simulation(f"{HEAD}[parameters]\nn = 2\n[[passives]]\n[[passives]]")
    with pytest.raises(SimulationError, match=message):
        scenario.plan(changed)
    assert scenario.parameters == {"n": 2}
    assert scenario.plan() == scenario.plan()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "this is not TOML"),
        ("story = 'x'", "name: is missing"),
        (HEAD + "[stores]", "stores: there is no such field"),
        (HEAD + "[active]\ncount = 2", "active.count: there is no such field, but there are clients"),
        (HEAD + "[active]\nworkload = 'scan'", "active.workload: must not be 'scan', but one of mix, replay"),
        (HEAD + "[passives]\nworkload = 'mix'", "but one of reads, full-backup, incremental-backup, replay"),
        (HEAD + "[active]\nworkload = 'replay'", "active.trace: is missing"),
        (HEAD + "[active]\nburst_requests = 5", "active: bursts need requests_per_second"),
        (
            HEAD + "[active]\nrequests_per_second = 5\npause_us = 5",
            "active: requests_per_second and pause_us",
        ),
        (HEAD + "[active]\nrequest_kib = 4\nsizes_kib = {4 = 1}", "active: request_kib and sizes_kib"),
        (HEAD + "[active]\nsizes_kib = {four = 1}", "sizes_kib: a size must be a whole number from 4"),
        (HEAD + "[active]\nsizes_kib = {4 = -1}", "active: sizes: there must be one or more, with weights"),
        (HEAD + "[active]\nzipf_exponent = 1", "zipf_exponent says something with places = "),
        (HEAD + "[active]\nplaces = 'here'", "active: places must be one of anywhere, sequential, hot, zipf"),
        (HEAD + "[active]\nverbs = {wipe = 1}", "active: verbs: 'wipe' is none of read, write"),
        (HEAD + "[active]\nverbs = {read = 1}\nread_share = 1", "active: read_share and verbs"),
        (
            HEAD + "[passives]\nworkload = 'incremental-backup'\nrest_ms = 0",
            "passives: rest_ms must be above 0",
        ),
        (
            HEAD + "[[device.episodes]]\nshape = 'stop'\nfirst_ms = 1\nlasts_ms = 1",
            r"device.episodes\[0\].shape: must be",
        ),
        (
            HEAD + "[[device.episodes]]\nshape = 'slow'\nfirst_ms = 1\nlasts_ms = 1\nfactor = 0.5",
            r"\[0\]: factor must",
        ),
        (
            HEAD + "[[active.path_episodes]]\nshape = 'stall'\nfirst_ms = 1",
            r"active.path_episodes\[0\].lasts_ms: is",
        ),
        (HEAD + "[fail_over]\ndetection_seconds = 1", "fail_over.at_seconds: is missing"),
        (HEAD + "[time]\nmeasured_seconds = 0", "time: measured_seconds must be from 1e-06"),
        (HEAD + "[store]\nslots = '$s'", r"store.slots: there is no parameter 's'"),
        (HEAD + "[device]\nlatency = 'tape'", "tape: there is no such model file"),
        (HEAD + "[device]\norder = 'random'", "order: must be 'arrival' or 'reads-first'"),
        (HEAD + "[store]\nextent_kib = 4\n[active]\nrequest_kib = 2", "active: request_kib must be from 4"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        read_simulation(text)
