"""Scenario files, as they are found and as people get them wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.scenarios.catalogue import FOLDER, built_in, built_in_names
from shadowshare.scenarios.definition import (
    FILE_BYTES_MAXIMUM,
    ScenarioError,
    edit,
    load_scenario,
    parse_scenario,
)
from shadowshare.scenarios.staging import live_hosts, stage
from tests.scenarios.files import text_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def refused(path: Path) -> str:
    """What a file is refused with, behind its path."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert message.isprintable()
    return message.removeprefix(f"{path}: ")


def test_a_file_is_read(path: Path) -> None:
    path.write_text(text_of(), encoding="utf-8")
    assert load_scenario(path) == parse_scenario(text_of())


def test_line_ends_of_another_system(path: Path) -> None:
    path.write_bytes(text_of().replace("\n", "\r\n").encode())
    assert load_scenario(path) == parse_scenario(text_of())


def test_a_file_that_is_missing(path: Path) -> None:
    assert refused(path) == "the scenario file cannot be read: No such file or directory"


def test_a_directory(tmp_path: Path) -> None:
    assert refused(tmp_path) == "the scenario file cannot be read: Is a directory"


def test_a_file_that_may_not_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text(text_of(), encoding="utf-8")

    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert refused(path) == "the scenario file cannot be read: Permission denied"


def test_a_file_that_is_not_text(path: Path) -> None:
    path.write_bytes(b'name = "\xff"\n')
    assert refused(path) == "the scenario file cannot be read: it is not UTF-8 text"


def test_a_file_that_is_not_toml(path: Path) -> None:
    path.write_text("W: write 0\n", encoding="utf-8")
    assert refused(path).startswith("this is not TOML: ")
    assert "line 1" in refused(path)


def test_a_file_that_is_far_too_large(path: Path) -> None:
    path.write_bytes(text_of().encode().ljust(FILE_BYTES_MAXIMUM, b"\n"))
    assert load_scenario(path).name == "small"
    path.write_bytes(b"\n" * (FILE_BYTES_MAXIMUM + 1))
    assert refused(path) == f"this is no scenario file: it has more than {FILE_BYTES_MAXIMUM} bytes"


def test_a_file_with_no_end() -> None:
    assert refused(Path("/dev/zero")).startswith("this is no scenario file")


def test_what_is_wrong_inside_is_said_with_the_file(path: Path) -> None:
    path.write_text(text_of('W = ["write 9"]'), encoding="utf-8")
    assert refused(path).startswith("W: step 'write 9'")
    path.write_text("name = 1\n", encoding="utf-8")
    assert refused(path).startswith("name: must be `str`, not `int`; story: is missing")


def test_an_edited_scenario_differs_in_that_alone() -> None:
    scenario = built_in("slot-reuse-during-read")
    assert edit(scenario, catch_up_blocks=9).catch_up_blocks == 9
    assert edit(edit(scenario, catch_up_blocks=9), catch_up_blocks=scenario.catch_up_blocks) == scenario


# -- built-in files, spoilt --------------------------------------------------------------------------------------

TEXTS = [(FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in built_in_names()]
TOKENS = [re.findall(r"\w+|\s+|.", text) for text in TEXTS]
LINES = [text.splitlines(keepends=True) for text in TEXTS]
SPARE = [
    *sorted({token for tokens in TOKENS for token in tokens if len(token) < 12}),
    *(
        "-1",
        "0",
        "3",
        "9",
        "100",
        "99999999999",
        "1e3",
        "true",
        "\\u001b",
        '"""',
        "activate",
        "\x00",
        "é",
        "\n\n",
    ),
]

pieces = st.sampled_from(TOKENS) | st.sampled_from(LINES)
edits = st.tuples(
    st.sampled_from(["drop", "duplicate", "replace", "exchange"]),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.sampled_from(SPARE),
)


def spoil(parts: list[str], changes: list[tuple[str, int, int, str]]) -> str:
    parts = list(parts)
    for kind, one, other, spare in changes:
        if not parts:
            break
        at, to = one % len(parts), other % len(parts)
        if kind == "drop":
            del parts[at]
        elif kind == "duplicate":
            parts.insert(to, parts[at])
        elif kind == "replace":
            parts[at] = spare
        else:
            parts[at], parts[to] = parts[to], parts[at]
    return "".join(parts)


def load_and_stage(text: str) -> str:
    """What a text is refused with; empty if the race can begin."""
    try:
        scenario = parse_scenario(text)
    except ScenarioError as error:
        return str(error)
    hosts = live_hosts(scenario, Implementation())
    try:
        world = stage(scenario, hosts, None)
    except ShadowshareError as error:
        return str(error)
    finally:
        for host in hosts:
            host.close()
    assert all(flight.label for flight in world.choices())
    return ""


@pytest.mark.parametrize("text", TEXTS, ids=built_in_names())
def test_a_built_in_file_can_be_staged(text: str) -> None:
    assert load_and_stage(text) == ""


@settings(max_examples=300)
@given(pieces, st.lists(edits, min_size=1, max_size=4))
def test_a_spoilt_file_is_refused_in_words_or_can_be_staged(
    parts: list[str], changes: list[tuple[str, int, int, str]]
) -> None:
    assert load_and_stage(spoil(parts, changes)).isprintable()


@given(st.text() | st.text(alphabet='[]{}="#.\n aW09-:'))
def test_any_text_is_a_scenario_or_refused_in_words(text: str) -> None:
    assert load_and_stage(text).isprintable()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from(["W: create s", "open"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("WRV"), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    *("hosts", "before", "race", "faults", "store", "disk", "expected", "catch_up_blocks", "name", "story"),
    *("store.extents", "store.extent_sectors", "store.slots", "store.half_blocks", "store.own_device"),
    *(
        "faults.crashes",
        "faults.allowed_errors",
        "hosts.W",
        "hosts.R",
        "race.W",
        "race.R",
        "disk.fence_is_ignored",
    ),
]


def toml_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(toml_of, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml_of(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    return str(value or 0)


@given(st.dictionaries(st.sampled_from(FIELDS), values, max_size=6))
def test_any_values_of_the_fields_are_a_scenario_or_refused_in_words(fields: dict[str, object]) -> None:
    lines = {"name": '"small"', "story": '"For a test."', "race.W": '["write 0"]'}
    lines |= {name: toml_of(value) for name, value in fields.items()}
    message = load_and_stage("\n".join(f"{name} = {value}" for name, value in lines.items()))
    assert message.isprintable()
