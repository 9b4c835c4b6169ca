from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shadowshare.models.steps import (
    ACTIVE_VERBS,
    PASSIVE_VERBS,
    ScriptStep,
    SectorRange,
    StepError,
    parse_step,
)
from tests.models.geometries import geometry

GEOMETRY = geometry()  # extents of 4, 4 and 3 sectors

PLACES = {
    "0": (0, 4),
    "1": (4, 4),
    "2": (8, 3),
    "0-0": (0, 4),
    "0-1": (0, 8),
    "1-2": (4, 7),
    "0-2": (0, 11),
    "all": (0, 11),
    "0:0": (0, 1),
    "1:3": (7, 1),
    "2:2": (10, 1),
    "0:1-0:2": (1, 2),
    "0:1-1:0": (1, 4),
    "0:3-2:2": (3, 8),
    "0:2-1": (2, 6),
    "1:1-2": (5, 6),
    "0-1:1": (0, 6),
    "2-2:0": (8, 1),
}


@pytest.mark.parametrize(("text", "sectors"), PLACES.items())
def test_a_place(text: str, sectors: tuple[int, int]) -> None:
    for verb in ("write", "zero", "discard", "verify"):
        step = parse_step(f"{verb} {text}", "active", GEOMETRY)
        assert step == ScriptStep(f"{verb} {text}", verb, "", (SectorRange(*sectors),))


def test_a_read_has_as_many_places_as_it_likes_in_their_order() -> None:
    step = parse_step("read s2 2 0:1 all 2", "passive", GEOMETRY)
    places = (SectorRange(8, 3), SectorRange(1, 1), SectorRange(0, 11), SectorRange(8, 3))
    assert step == ScriptStep("read s2 2 0:1 all 2", "read", "s2", places)


@pytest.mark.parametrize(
    ("text", "role", "verb", "name"),
    [
        ("create s", "active", "create", "s"),
        ("delete old2", "active", "delete", "old2"),
        ("flush", "active", "flush", ""),
        ("open", "passive", "open", ""),
        ("catch-up", "passive", "catch-up", ""),
    ],
)
def test_a_step_without_a_place(text: str, role: str, verb: str, name: str) -> None:
    assert parse_step(text, role, GEOMETRY) == ScriptStep(text, verb, name, ())


def test_the_text_of_a_step_has_single_spaces() -> None:
    assert parse_step(" \twrite\u2003 0:1 \n", "active", GEOMETRY).text == "write 0:1"


WRONG = {
    "": "can create, delete, revert, grow, write, zero, discard, policy, flush, verify, but not ''",
    "wirte 0": "not 'wirte'",
    "Write 0": "not 'Write'",
    "activate": "not 'activate'",
    "open": "a computer with role 'active' can",
    "read s 0": "a computer with role 'active' can",
    "catch-up": "a computer with role 'active' can",
    "create": "create needs the name of a shadow copy",
    "create 2": "create needs the name of a shadow copy",
    "create S": "create needs the name of a shadow copy",
    "create s-2": "create needs the name of a shadow copy",
    "create é": "create needs the name of a shadow copy",
    "delete": "delete needs the name of a shadow copy",
    "create s t": "nothing may follow, but 't' does",
    "create s 0": "nothing may follow, but '0' does",
    "flush 0": "nothing may follow, but '0' does",
    "write": "write needs exactly one place",
    "write 0 1": "write needs exactly one place",
    "zero 0 1": "zero needs exactly one place",
    "discard": "discard needs exactly one place",
    "verify 0 all": "verify needs exactly one place",
    "write x": "'x' is no place",
    "write -1": "'-1' is no place",
    "write 0-": "'0-' is no place",
    "write 0:": "'0:' is no place",
    "write 0:0:0": "'0:0:0' is no place",
    "write 0-1-2": "'0-1-2' is no place",
    "write 00": "'00' is no place",
    "write 0x1": "'0x1' is no place",
    "write ALL": "'ALL' is no place",
    "write \u0661": "is no place",
    "write 9999999999": "'9999999999' is no place",
    "write 3": "'3' is beyond the volume, which has 3 extents, numbers 0 to 2",
    "write 0-3": "'0-3' is beyond the volume",
    "write 3:0": "'3:0' is beyond the volume",
    "write 0:0-3:0": "is beyond the volume",
    "write 999999999": "is beyond the volume",
    "write 0:4": "in '0:4', extent 0 has only 4 sectors, numbers 0 to 3",
    "write 2:3": "in '2:3', extent 2 has only 3 sectors, numbers 0 to 2",
    "write 0-2:3": "extent 2 has only 3 sectors",
    "write 1-0": "'1-0' ends before it begins",
    "write 0:2-0:1": "'0:2-0:1' ends before it begins",
    "write 1:1-0": "'1:1-0' ends before it begins",
    "policy": "policy needs exactly one of fail-write, invalidate, delete-oldest",
    "policy none": "policy needs exactly one of",
    "policy invalidate now": "policy needs exactly one of",
}


@pytest.mark.parametrize(("text", "reason"), WRONG.items())
def test_a_malformed_step_is_named_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(StepError) as caught:
        parse_step(text, "active", GEOMETRY)
    assert str(caught.value).startswith(f"step {text!r}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    {
        "write 0": "a computer with role 'passive' can open, catch-up, list, changed, read, but not 'write'",
        "flush": "not 'flush'",
        "open s": "nothing may follow, but 's' does",
        "catch-up 0": "nothing may follow, but '0' does",
        "read": "read needs the name of a shadow copy",
        "read 0": "read needs the name of a shadow copy",
        "read s": "read needs at least one place",
        "read s 0 3": "'3' is beyond the volume",
        "read s 0,1": "'0,1' is no place",
    }.items(),
)
def test_a_malformed_step_of_a_passive(text: str, reason: str) -> None:
    with pytest.raises(StepError) as caught:
        parse_step(text, "passive", GEOMETRY)
    assert str(caught.value).startswith(f"step {text!r}: ")
    assert reason in str(caught.value)


def test_one_extent_of_one_sector_is_explained_in_the_singular() -> None:
    with pytest.raises(StepError, match="which has one extent, number 0"):
        parse_step("write 1", "active", geometry(1, 1))
    with pytest.raises(StepError, match="extent 0 has only one sector, number 0"):
        parse_step("write 0:1", "active", geometry(1, 1))


numbers = st.integers(0, 4).map(str) | st.sampled_from(["", "00", "\u0663", "99", "9" * 40])
places = st.tuples(
    numbers, st.sampled_from(["", ":", "-"]), numbers, st.sampled_from(["", ":", "-"]), numbers
)
words = (
    st.sampled_from([*ACTIVE_VERBS, *PASSIVE_VERBS, "all", "s", "t2", "activate"])
    | places.map("".join)
    | st.text(max_size=6)
)


@given(st.lists(words, max_size=5).map(" ".join) | st.text(), st.sampled_from(["active", "passive"]))
@example("read s " + "0 " * 1000, "passive")
def test_any_text_is_a_step_on_the_volume_or_refused(text: str, role: str) -> None:
    try:
        step = parse_step(text, role, GEOMETRY)
    except StepError as error:
        message = str(error)
    else:
        message = ""
        assert_well_formed(step, role)
        assert step.text.split() == text.split()
        assert parse_step(step.text, role, GEOMETRY) == step
    assert message.isprintable()


def assert_well_formed(step: ScriptStep, role: str) -> None:
    assert step.verb in (ACTIVE_VERBS if role == "active" else PASSIVE_VERBS)
    for place in step.places:
        assert place.sector >= 0
        assert place.sector_count >= 1
        assert place.sector + place.sector_count <= GEOMETRY.volume_sector_count


@given(st.data())
def test_a_range_of_sectors_is_from_the_first_to_the_last(data: st.DataObject) -> None:
    """Against counting: number every sector as extent and sector within, and look both ends up."""
    store = geometry(data.draw(st.integers(1, 20)), data.draw(st.integers(1, 6)))
    named = [
        f"{extent}:{sector}"
        for extent in range(store.extent_count)
        for sector in range(store.extent_span(extent)[1])
    ]
    first = data.draw(st.integers(0, len(named) - 1))
    last = data.draw(st.integers(first, len(named) - 1))
    step = parse_step(f"write {named[first]}-{named[last]}", "active", store)
    assert step.places == (SectorRange(first, last - first + 1),)
