"""The fields of a scenario file, one by one: those that are missing, unknown, or of another type."""

from __future__ import annotations

import pytest

from shadowshare.models.toml_tables import shown
from shadowshare.scenarios.definition import DiskSwitches, Document, Faults, ScenarioError, StoreShape
from shadowshare.scenarios.document import read_document

MINIMAL = 'name = "small"\nstory = "For a test."\nrace = {}\n'
NUMBER, TEXT, SWITCH = "must be `int`, not `{}`", "must be `str`, not `{}`", "must be `bool`, not `{}`"


def problems_of(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read_document(text)
    assert str(caught.value).isprintable()
    return str(caught.value).split("; ")


FAULTS = Faults(
    2, 1, False, True, 3, 4, 5, ("AreaFull",), 6, 7, 8, 9, 10, 11, 12, 13, 14, ("journal",), ("A",), True
)


def test_every_field_can_be_set() -> None:
    text = """
        name = "all-fields"
        story = "Each has another value than by default."
        expected = "violated"
        before = ["W: create s"]
        catch_up_blocks = 7
        sometimes = ["AREA_FULL"]
        hosts = { A = "active" }
        race = { A = ["write 0"], B = [["flush"], []] }
        store.extents = 3
        store.extent_sectors = 5
        store.slots = 6
        store.half_blocks = 8
        store.own_device = true
        store.policy = "invalidate"
        store.keeps = ["s"]
        store.last_extent_sectors = 4
        store.sector_bytes = 4096
        disk.flush_does_nothing = true
        disk.fence_is_ignored = true
        disk.reads_are_cached = true
        disk.sectors_tear = true
        disk.power_loss_is_silent = true
        [faults]
        crashes = 2
        power_losses = 1
        late_writes = false
        tears = true
        write_errors = 3
        read_errors = 4
        flush_errors = 5
        allowed_errors = ["AreaFull"]
        lasting_read_errors = 6
        full_devices = 7
        shrunk_devices = 8
        lost_writes = 9
        lying_flushes = 10
        misdirected_reads = 11
        misdirected_writes = 12
        bit_rot = 13
        stale_reads = 14
        places = ["journal"]
        victims = ["A"]
        spares_a_copy = true
    """
    document = read_document(text)
    assert document == Document(
        "all-fields",
        "Each has another value than by default.",
        {"A": ["write 0"], "B": [["flush"], []]},
        "violated",
        {"A": "active"},
        ["W: create s"],
        StoreShape(3, 5, 6, 8, True, "invalidate", ("s",), 4, 4096),
        FAULTS,
        DiskSwitches(True, True, True, True, True),
        7,
        ("AREA_FULL",),
    )
    default = read_document(MINIMAL)
    for one, other in [
        (document, default),
        (document.store, default.store),
        (document.faults, default.faults),
        (document.disk, default.disk),
    ]:
        for field in one.__struct_fields__:
            assert getattr(one, field) != getattr(other, field), f"{field} was not tried"


def test_what_is_not_said_is_as_by_default() -> None:
    document = read_document(MINIMAL)
    assert document == Document("small", "For a test.", {})
    assert document.hosts == {"W": "active", "R": "passive"}
    assert read_document(MINIMAL + "[store]\n[faults]\n[disk]\n") == document


WRONG_TYPES = {
    "name = 1": "name: " + TEXT.format("int"),
    "story = ['x']": "story: " + TEXT.format("array"),
    "expected = 'unknown'": "expected: must be 'verified' or 'violated', not 'unknown'",
    "expected = true": "expected: must be 'verified' or 'violated', not True",
    "before = 'W: open'": "before: must be `array`, not `str`",
    "before = ['W: open', 2]": "before[1]: " + TEXT.format("int"),
    "catch_up_blocks = '2'": "catch_up_blocks: " + NUMBER.format("str"),
    "catch_up_blocks = 2.5": "catch_up_blocks: " + NUMBER.format("float"),
    "catch_up_blocks = 2020-02-02": "catch_up_blocks: " + NUMBER.format("date"),
    "hosts = ['W']": "hosts: must be `object`, not `array`",
    "hosts = { W = 1 }": "hosts.W: " + TEXT.format("int"),
    "race = ['write 0']": "race: must be `object`, not `array`",
    "race = { W = 'write 0' }": "race.W: must be `array`, not `str`",
    "race = { W = [['write 0'], 7] }": "race.W[1]: must be `str | array`, not `int`",
    "race = { W = [[['write 0']]] }": "race.W[0][0]: " + TEXT.format("array"),
    "store = 3": "store: must be a table, not 3",
    "store = { extents = 'two' }": "store.extents: " + NUMBER.format("str"),
    "store = { own_device = 1 }": "store.own_device: " + SWITCH.format("int"),
    "store = { slots = true }": "store.slots: " + NUMBER.format("bool"),
    "faults = []": "faults: must be a table, not []",
    "faults = { tears = 'yes' }": "faults.tears: " + SWITCH.format("str"),
    "faults = { allowed_errors = 'AreaFull' }": "faults.allowed_errors: must be `array`, not `str`",
    "faults = { allowed_errors = [1] }": "faults.allowed_errors[0]: " + TEXT.format("int"),
    "disk = { reads_are_cached = 0 }": "disk.reads_are_cached: " + SWITCH.format("int"),
}


@pytest.mark.parametrize(("line", "problem"), WRONG_TYPES.items())
def test_a_field_of_another_type(line: str, problem: str) -> None:
    field = line.split(maxsplit=1)[0]
    kept = [kept for kept in MINIMAL.splitlines() if not kept.startswith(field)]
    assert problems_of("\n".join([*kept, line])) == [problem]


@pytest.mark.parametrize("field", ["name", "story", "race"])
def test_a_field_that_is_missing(field: str) -> None:
    text = "\n".join(line for line in MINIMAL.splitlines() if not line.startswith(field))
    assert problems_of(text) == [f"{field}: is missing, and must be there"]


@pytest.mark.parametrize(
    ("lines", "place", "known"),
    [
        ("storey = 'x'", "storey", "name, story, race, expected"),
        ("[store]\nslot = 1", "store.slot", "extents, extent_sectors, slots"),
        ("[faults]\ncrash = 1", "faults.crash", "crashes, power_losses"),
        ("[disk]\nis_slow = true", "disk.is_slow", "flush_does_nothing, fence_is_ignored"),
        ("'a b' = 1", "'a b'", "name, story"),
        ('"\\u001b[2J" = 1', "'\\x1b[2J'", "name, story"),
    ],
)
def test_a_field_that_does_not_exist(lines: str, place: str, known: str) -> None:
    (problem,) = problems_of(MINIMAL + lines)
    assert problem.startswith(f"{place}: there is no such field, but there are {known}")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    problems = problems_of("""
        story = 3
        race = { W = [1], "R x" = 2 }
        storey = ""
        [store]
        slots = "four"
        slot = 4
        [disk]
        flush_does_nothing = 1
    """)
    assert sorted(problem.partition(":")[0] for problem in problems) == [
        *("disk.flush_does_nothing", "name", "race.'R x'", "race.W[0]", "store.slot", "store.slots"),
        *("storey", "story"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("name", "name = ", "name = 'x'\nname = 'y'", "[store\n", "a = 1 2", "\x00", "\ufeffname = 'x'"),
        *(
            "a = " + "9" * 5000,
            "a = " + "[" * 100_000,
            "a = 9999-99-99",
            'a = "\\u12"',
            "[a]\n[a]",
            "a.b = 1\na = 2",
        ),
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)
def test_text_that_is_not_toml(text: str) -> None:
    assert problems_of(text)[0].startswith("this is not TOML")


def test_a_key_in_a_message_cannot_be_misread() -> None:
    assert [shown(key) for key in ("W", "own_device", "a b", "", "\x1b", "é")] == [
        *("W", "own_device", "'a b'", "''", "'\\x1b'", "'é'")
    ]
