"""Who may be what in a scenario."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.scenarios.host_roles import HOST_COUNT_MAXIMUM, Role, read_roles


def roles(crash_count: int = 0, **hosts: str) -> dict[str, Role]:
    problems: list[str] = []
    understood = read_roles(hosts, crash_count, problems)
    assert problems == []
    return understood


def problems_of(hosts: dict[str, str], crash_count: int = 0) -> list[str]:
    problems: list[str] = []
    read_roles(hosts, crash_count, problems)
    return problems


def test_an_active_and_passives() -> None:
    assert roles(W="active", R="passive", Reader="passive") == {
        "W": Role("active", "", 1),
        "R": Role("passive", "", 0),
        "Reader": Role("passive", "", 0),
    }
    assert roles(W="active") == {"W": Role("active", "", 1)}


def test_hosts_that_recover_have_the_epochs_of_their_order() -> None:
    assert roles(2, U="recovers V", R="passive", V="recovers W", W="active") == {
        "U": Role("active", "V", 3),
        "R": Role("passive", "", 0),
        "V": Role("active", "W", 2),
        "W": Role("active", "", 1),
    }


def test_the_only_host_that_relieves_has_the_second_epoch_and_of_several_none_is_known() -> None:
    assert roles(W="active", V="relieves W")["V"] == Role("active", "", 2, "W")
    two = roles(W="active", V="relieves W", U="relieves W")
    assert {two["V"].epoch, two["U"].epoch} == {3}
    beside = roles(1, W="active", V="relieves W", U="recovers W")
    assert beside["V"].epoch == 3


@given(st.integers(1, 20).flatmap(lambda count: st.permutations(range(count))))
def test_epochs_do_not_depend_on_the_order_in_the_file(order: list[int]) -> None:
    names = [chr(ord("A") + number) for number in range(len(order))]
    hosts = {names[n]: f"recovers {names[n - 1]}" if n else "active" for n in order}
    understood = roles(len(order) - 1, **hosts)
    assert {name: role.epoch for name, role in understood.items()} == {
        name: epoch for epoch, name in enumerate(names, start=1)
    }


CRASHES = "there must be one for each crash, and a crash for each"
NO_ROLE = "must be 'active', 'passive', or 'recovers HOST' or 'relieves HOST' with another host"
WRONG: dict[str, tuple[dict[str, str], int, list[str]]] = {
    "nobody": ({}, 0, ["hosts: exactly one must be 'active', but none is"]),
    "no active": ({"R": "passive"}, 0, ["hosts: exactly one must be 'active', but none is"]),
    "two actives": (
        {"W": "active", "X": "active"},
        0,
        ["hosts: exactly one must be 'active', but W and X are"],
    ),
    "another role": ({"W": "active", "R": "reader"}, 0, [f"hosts.R: 'reader' {NO_ROLE}"]),
    "no role": ({"W": "active", "R": ""}, 0, [f"hosts.R: '' {NO_ROLE}"]),
    "recovers nobody": ({"W": "active", "V": "recovers"}, 0, [f"hosts.V: 'recovers' {NO_ROLE}"]),
    "recovers a stranger": ({"W": "active", "V": "recovers X"}, 0, [f"hosts.V: 'recovers X' {NO_ROLE}"]),
    "recovers itself": ({"W": "active", "V": "recovers V"}, 0, [f"hosts.V: 'recovers V' {NO_ROLE}"]),
    "relieves a passive": (
        {"W": "active", "R": "passive", "V": "relieves R"},
        0,
        ["hosts.V: only the active can be relieved, and R is not"],
    ),
    "recovers a passive": (
        {"W": "active", "R": "passive", "V": "recovers R"},
        1,
        ["hosts.V: R is passive, and nobody recovers a passive"],
    ),
    "two recover one": (
        {"W": "active", "V": "recovers W", "U": "recovers W"},
        2,
        ["hosts: two hosts recover the same one, but only one can"],
    ),
    "a circle": (
        {"W": "active", "V": "recovers U", "U": "recovers V"},
        2,
        [
            "hosts.V: never starts, as U recovers only after it",
            "hosts.U: never starts, as V recovers only after it",
        ],
    ),
    "a crash without a successor": (
        {"W": "active"},
        1,
        [f"faults.crashes: 1, but 0 hosts 'recover' another one: {CRASHES}"],
    ),
    "a successor without a crash": (
        {"W": "active", "V": "recovers W"},
        0,
        [f"faults.crashes: 0, but 1 hosts 'recover' another one: {CRASHES}"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be(case: str) -> None:
    hosts, crash_count, problems = WRONG[case]
    assert problems_of(hosts, crash_count) == problems


@pytest.mark.parametrize("name", ["w", "W2", "WR", "W-R", "", "É", "W" + "a" * 16, "\x1b", "Ä b"])
def test_a_host_name_that_cannot_be(name: str) -> None:
    (problem,) = problems_of({"W": "active", name: "passive"})
    assert problem.startswith(f"hosts: {name!r} must be a capital letter")


@pytest.mark.parametrize("name", ["A", "Power", "Crash", "Late", "Keep", "W" + "a" * 15])
def test_a_host_name_that_can_be(name: str) -> None:
    assert problems_of({name: "active"}) == []


def test_a_crowd_is_refused() -> None:
    crowd = {
        f"R{'a' * (number // 26)}{chr(97 + number % 26)}": "passive" for number in range(HOST_COUNT_MAXIMUM)
    }
    assert problems_of({"W": "active", **crowd}) == [
        f"hosts: {HOST_COUNT_MAXIMUM + 1} are too many, there may be {HOST_COUNT_MAXIMUM}"
    ]
    del crowd["Ra"]
    assert problems_of({"W": "active", **crowd}) == []


@given(
    st.dictionaries(
        st.sampled_from("WVURS"),
        st.sampled_from(["active", "passive", "recovers", "recovers W", "recovers V", "recovers R", "?"]),
    ),
    st.integers(0, 3),
)
def test_roles_are_one_chain_and_passives_or_refused(hosts: dict[str, str], crash_count: int) -> None:
    problems: list[str] = []
    understood = read_roles(hosts, crash_count, problems)
    if problems:
        return
    chain = [name for name, text in hosts.items() if text == "active"]
    while successors := [name for name, role in understood.items() if role.recovers == chain[-1]]:
        chain += successors
    assert [understood[name].epoch for name in chain] == list(range(1, len(chain) + 1))
    assert len(chain) == crash_count + 1
    assert set(hosts) - set(chain) == {name for name, text in hosts.items() if text == "passive"}
