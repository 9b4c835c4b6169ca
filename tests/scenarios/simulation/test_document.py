"""Simulation files: what they mean, and how parameters get into them."""

from __future__ import annotations

import pytest

from shadowshare.models.workloads.gaps import Even, Poisson
from shadowshare.models.workloads.places import Anywhere, HotSpot, Sequential, Zipf
from shadowshare.models.workloads.synthetic import Synthetic
from shadowshare.scenarios.simulation.catalogue import built_in_simulation, simulation_names
from shadowshare.scenarios.simulation.document import SimulationError, read_simulation
from shadowshare.sim.timed.device import reads_first

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
    assert workload.verbs == {"read": 1.0, "write": 0.0}


def test_no_passives_is_possible() -> None:
    assert read_simulation(f"{HEAD}[passives]\ncount = 0\n").plan().passives == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "this is not TOML"),
        ("story = 'x'", "name: is missing"),
        (HEAD + "[stores]", "stores: there is no such field"),
        (HEAD + "[active]\ncount = 2", "active.count: there is one active"),
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
