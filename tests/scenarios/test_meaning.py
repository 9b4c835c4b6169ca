"""What the fields mean together, and what they cannot mean."""

from __future__ import annotations

import pytest

from shadowshare.models.computers import ACTIVATE
from shadowshare.models.steps import parse_step
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.scenarios.definition import STORE_ID, Faults, Scenario, parse_scenario
from shadowshare.sim.disks.memory_disk import Misbehaviour
from tests.scenarios.files import problem_of, problems_of, small, text_of

CHAIN = 'W = "active"\nV = "recovers W"\nU = "recovers V"\nR = "passive"'
TWO_CRASHES = "[faults]\ncrashes = 2"


def texts(scenario: Scenario, host: str) -> list[list[str]]:
    plan = scenario.hosts[scenario.host_number(host)]
    return [[step.text for step in script] for script in plan.scripts]


def test_every_field_has_its_meaning() -> None:
    scenario = small(
        'W = ["write 2:1"]',
        top='expected = "violated"\ncatch_up_blocks = 5',
        sections="""
            [store]
            extents = 3
            extent_sectors = 2
            slots = 7
            half_blocks = 9
            [faults]
            late_writes = false
            tears = true
            write_errors = 1
            read_errors = 2
            allowed_errors = ["AreaFull", "WriteError"]
            [disk]
            fence_is_ignored = true
        """,
    )
    assert (scenario.name, scenario.story, scenario.expected) == ("small", "For a test.", "violated")
    assert scenario.geometry == Geometry(STORE_ID, 512, 2, 6, 0, 6, 2 + 18 + 14, 9, 7)
    assert scenario.faults == Faults(0, 0, False, True, 1, 2, 0, ("AreaFull", "WriteError"))
    assert scenario.misbehaviour == Misbehaviour(fence_is_ignored=True)
    assert scenario.catch_up_blocks == 5
    assert scenario.before == ("W", "R")
    assert scenario.shadow_copies == {"s": ShadowCopyId(1, 1)}
    assert [(host.name, host.role, host.recovers, host.before_count) for host in scenario.hosts] == [
        ("W", "active", "", 2),
        ("R", "passive", "", 1),
    ]


@pytest.mark.parametrize("switch", ["flush_does_nothing", "fence_is_ignored", "reads_are_cached"])
def test_each_switch_of_the_disk_is_its_own(switch: str) -> None:
    scenario = small(sections=f"[disk]\n{switch} = true")
    assert scenario.misbehaviour == Misbehaviour(**{switch: True})


def test_an_area_on_a_device_of_its_own() -> None:
    geometry = small(sections="[store]\nown_device = true").geometry
    assert (geometry.area_device, geometry.area_sector, geometry.devices) == (1, 0, (0, 1))


def test_a_story_may_have_several_lines() -> None:
    lines = '"""\n  For\n\ta  test.\n"""'
    assert parse_scenario(text_of().replace('"For a test."', lines)).story == "For a test."


def test_scripts_of_an_active() -> None:
    scenario = small('W = ["write 0", "flush"]', before='"W: create s", "R:open", " W :  write  1 "')
    assert texts(scenario, "W") == [["become the active"], ["create s"], ["write 1"], ["write 0", "flush"]]
    assert scenario.hosts[0].scripts[0] == (ACTIVATE,)
    assert scenario.hosts[0].before_count == 3
    assert scenario.before == ("W", "R", "W")
    assert texts(scenario, "R") == [["open"]]


def test_lists_of_steps_are_tasks_of_their_own() -> None:
    scenario = small('W = [["write 0", "flush"], [], ["write 1"]]\nR = [["read s 0"]]')
    assert texts(scenario, "W")[2:] == [["write 0", "flush"], [], ["write 1"]]
    assert texts(scenario, "R") == [["open"], ["read s 0"]]


def test_a_host_that_recovers_becomes_the_active_first() -> None:
    scenario = small('V = ["write 0"]', hosts=CHAIN, sections=TWO_CRASHES)
    assert [(host.name, host.recovers) for host in scenario.hosts] == [
        *[("W", ""), ("V", "W"), ("U", "V"), ("R", "")]
    ]
    assert texts(scenario, "V") == [["become the active", "write 0"]]
    assert texts(scenario, "U") == [["become the active"]]
    assert scenario.hosts[1].before_count == 0


def test_names_stand_for_the_ids_that_creations_get() -> None:
    scenario = small(
        'W = ["create c"]\nU = ["write 0"]\nV = ["delete a", "create f"]\nR = ["read f 0"]',
        hosts=CHAIN,
        before='"W: create b", "W: create a", "R: open"',
        sections=TWO_CRASHES,
    )
    ids = {name: tuple(shadow_copy) for name, shadow_copy in scenario.shadow_copies.items()}
    assert ids == {"b": (1, 1), "a": (1, 2), "c": (1, 3), "f": (2, 1)}


def test_the_third_active_must_not_create_since_its_epoch_is_not_known() -> None:
    race = 'W = ["create c"]\nU = ["create d"]\nV = []\nR = ["read c 0"]'
    text = text_of(race, hosts=CHAIN, before='"R: open"', sections=TWO_CRASHES)
    assert problem_of(text).startswith(
        "race.U: a host that takes over after or beside another one must not create"
    )


def test_a_host_without_steps_is_there_and_does_nothing() -> None:
    scenario = small('W = ["write 0"]', before='"W: create s"')
    assert texts(scenario, "R") == []
    assert texts(small("W = []\nR = ['read s 0']"), "W") == [["become the active"], ["create s"]]


def test_a_passive_may_open_in_the_race_in_each_of_its_tasks() -> None:
    race = 'R = [["open", "read s 0"], ["open", "catch-up"], []]'
    assert texts(small(race, before='"W: create s"'), "R") == [
        *[["open", "read s 0"], ["open", "catch-up"], []]
    ]


# -- what cannot be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    {
        "name = 'Small'": "name: 'Small' must be small letters, digits and hyphens, at most 100",
        "name = ''": "name: '' must be small letters",
        "name = '-a'": "name: '-a' must be small letters",
        "name = 'a/b'": "name: 'a/b' must be small letters",
        'name = "a\\n"': "name: 'a\\n' must be small letters",
        f"name = '{'a' * 101}'": "name: 'aaaa",
        "story = ' '": "story: say in two sentences what happens",
        'story = "a\\u001b[2Jb"': "story: must be text that can be printed, without control characters",
        "catch_up_blocks = 1": "catch_up_blocks: must be from 2 to 1024",
        "catch_up_blocks = 1025": "catch_up_blocks: must be from 2 to 1024",
        f"catch_up_blocks = 1{'0' * 400}": "catch_up_blocks: must be from 2 to 1024",
    }.items(),
)
def test_a_wrong_value_at_the_top(line: str, problem: str) -> None:
    field = line.split(maxsplit=1)[0]
    kept = [kept for kept in text_of().splitlines() if not kept.startswith(field)]
    assert problem_of("\n".join([line, *kept])).startswith(problem)


@pytest.mark.parametrize(
    ("section", "problem"),
    {
        "store\nextents = 0": "store.extents: must be from 1 to 4096",
        "store\nextents = -2\nextent_sectors = -2": "store.extents: must be from 1 to 4096",
        "store\nextents = 4097": "store.extents: must be from 1 to 4096",
        "store\nextent_sectors = 0": "store.extent_sectors: must be from 1 to 4096",
        "store\nslots = 0": "store.slots: must be from 1 to 65536",
        f"store\nslots = {10**30}": "store.slots: must be from 1 to 65536",
        "store\nhalf_blocks = 3": "store.half_blocks: must be from 4 to 65536",
        "store\nextents = 100\nextent_sectors = 41": "store: extents times extent_sectors are 4100, and",
        "store\nslots = 65510": "store: half_blocks and slots need 65544 sectors of",
        "faults\nwrite_errors = -1": "faults.write_errors: must be from 0 to 100",
        "faults\nread_errors = 101": "faults.read_errors: must be from 0 to 100",
        "faults\npower_losses = 1": "faults.power_losses: a power loss is a crash too, so crashes must be as many",
        "faults\ncrashes = 1": "faults.crashes: 1, but 0 hosts 'recover' another one",
        "faults\nbit_rot = 101": "faults.bit_rot: must be from 0 to 100",
        "faults\nplaces = ['slot']": "faults.places: there is no 'slot', but there are superblock, ",
        "faults\nvictims = ['Q']": "faults.victims: there is no 'Q', but there are W, ",
        "faults\nspares_a_copy = true\nshrunk_devices = 1": "faults.spares_a_copy: a device that shrinks ",
        "faults\nallowed_errors = ['AreaFul']": "faults.allowed_errors: there is no error 'AreaFul', but there are ",
        "faults\nallowed_errors = ['OSError']": "faults.allowed_errors: there is no error 'OSError'",
    }.items(),
)
def test_a_number_that_cannot_be(section: str, problem: str) -> None:
    name, _, lines = section.partition("\n")
    assert problems_of(text_of(sections=f"[{name}]\n{lines}"))[0].startswith(problem)


def test_who_relieves_would_have_to_crash_with_the_disks() -> None:
    hosts = '[hosts]\nW = "active"\nV = "recovers W"\nU = "relieves W"\nR = "passive"\n'
    faults = "[faults]\ncrashes = 1\npower_losses = 1\n"
    assert any(
        problem.startswith("faults.power_losses: a host")
        for problem in problems_of(text_of(sections=hosts + faults))
    )


def test_bounds_of_the_store_can_be_reached() -> None:
    largest = "extents = 2\nextent_sectors = 2048\nslots = 31\nhalf_blocks = 1022"
    assert small(sections=f"[store]\n{largest}").geometry.area_sector_count == 65534
    smallest = "extents = 1\nextent_sectors = 1\nslots = 1\nhalf_blocks = 4"
    assert small(sections=f"[store]\n{smallest}").geometry.area_sector_count == 11


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Q: open", "Q: open"),
        ("W create s", "W create s"),
        ("", ""),
        (":", ":"),
        ("w: create s", "w: create s"),
        ("W\\u001b: create s", "W\\x1b: create s"),
    ],
)
def test_a_step_before_the_race_of_nobody(line: str, shown: str) -> None:
    assert problem_of(text_of(before=f'"{line}"')) == (
        f"before: '{shown}' must read 'HOST: step' with one of the hosts: W, R"
    )


def test_a_stranger_in_the_race() -> None:
    assert problems_of(text_of('W = ["write 0"]\nQ = ["open"]\n"a b" = []')) == [
        "race.Q: there is no host 'Q' in hosts",
        "race.'a b': there is no host 'a b' in hosts",
    ]


def test_a_wrong_step_is_named_with_its_host() -> None:
    assert problems_of(text_of('W = ["write 9"]\nR = ["read s x"]', before='"W: create s", "R: open x"')) == [
        "W: step 'write 9': '9' is beyond the volume, which has 2 extents, numbers 0 to 1",
        "R: step 'open x': nothing may follow, but 'x' does",
        "R: step 'read s x': 'x' is no place: write 2, 0-2, 1:0, 0:1-1:0 or all",
    ]


@pytest.mark.parametrize(
    ("race", "before", "step"),
    [
        ('R = ["read s 0"]', '"W: create s"', "read s 0"),
        ('R = ["catch-up", "open"]', '"W: create s"', "catch-up"),
        ('R = [["open"], ["read s 0"]]', '"W: create s"', "read s 0"),
        ('R = [["read s 0"], ["open"]]', '"W: create s"', "read s 0"),
        ('R = ["open"]', '"W: create s", "R: read s 0", "R: open"', "read s 0"),
    ],
)
def test_a_passive_that_does_something_before_it_opened(race: str, before: str, step: str) -> None:
    assert problem_of(text_of(race, before=before)) == (
        f"R: step {step!r} comes before the store is open: put 'R: open' into before, or 'open' in front of it"
    )


@pytest.mark.parametrize(
    ("race", "problem"),
    {
        "": "race: nobody does anything: give at least one host a step",
        "W = []\nR = []": "race: nobody does anything: give at least one host a step",
        'W = ["write 0", ["write 1"]]': "race.W: must be steps, or lists of steps with one list a task, but not both",
        'W = ["create s"]': "W: shadow copy 's' is created twice",
        'W = ["create t", "create t"]': "W: shadow copy 't' is created twice",
        'W = ["delete t"]': "W: step 'delete t': nobody creates 't'",
        'R = ["read t 0"]': "R: step 'read t 0': nobody creates 't'",
        'W = [["create t"], ["create u"]]': "race.W: only one task of a host may create, so that ids are known",
    }.items(),
)
def test_a_race_that_cannot_be(race: str, problem: str) -> None:
    assert problem_of(text_of(race)) == problem


def test_a_host_that_recovers_has_nothing_before_the_race_and_one_task() -> None:
    text = text_of(
        'V = [["write 0"], ["write 1"]]',
        hosts='W = "active"\nV = "recovers W"',
        before='"W: create s", "V: write 0"',
        sections="[faults]\ncrashes = 1",
    )
    assert problems_of(text) == [
        "before: V is there only once W crashed",
        "race.V: a host that takes over has one task, not a list of lists",
    ]


def test_two_hosts_that_create_the_same() -> None:
    text = text_of(
        'V = ["create s"]',
        hosts='W = "active"\nV = "recovers W"',
        before='"W: create s"',
        sections="[faults]\ncrashes = 1",
    )
    assert problem_of(text) == "V: shadow copy 's' is created twice"


def test_a_race_of_a_crash_alone_is_one() -> None:
    sections, hosts = "[faults]\ncrashes = 1", 'W = "active"\nV = "recovers W"'
    assert small("", hosts=hosts, before="", sections=sections).name == "small"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    text = text_of(
        'W = ["write 7", "delete t"]\nQ = []',
        hosts='W = "active"\nR = "passive"',
        before='"X: open", "R: read s 0"',
        top="catch_up_blocks = 0",
        sections="[faults]\ncrashes = 1\nwrite_errors = 200\nallowed_errors = ['No']",
    ).replace('"small"', '"Small"')
    places = [problem.partition(":")[0] for problem in problems_of(text)]
    assert places == [
        *("name", "catch_up_blocks", "faults.write_errors", "faults.allowed_errors", "faults.crashes"),
        *("before", "race.Q", "W", "R", "W", "R"),
    ]


def test_problems_of_the_store_do_not_hide_those_of_the_hosts() -> None:
    text = text_of('Q = ["write 0"]', hosts='R = "reader"', sections="[store]\nextents = 0\nslots = 0")
    places = [problem.partition(":")[0] for problem in problems_of(text)]
    assert places == ["hosts.R", "hosts", "before", "race.Q", "store.extents", "store.slots"]


def test_a_host_without_a_role_is_said_alone() -> None:
    """What its steps can be depends on its role; so does who creates what."""
    text = text_of('R = ["read s 0"]\nW = ["write 7"]', hosts='W = "active"\nR = "reader"')
    assert problem_of(text).startswith("hosts.R: 'reader' must be 'active', 'passive', or ")


def test_a_step_is_parsed_for_the_store_of_the_file() -> None:
    scenario = small('W = ["write 2-4:2"]', sections="[store]\nextents = 5\nextent_sectors = 3")
    assert scenario.hosts[0].scripts[-1] == (parse_step("write 2-4:2", "active", scenario.geometry),)
