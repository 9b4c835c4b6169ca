from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shadowshare.models.patterns import INITIAL, ZERO, origin_of, sector_content

sizes = st.sampled_from([512, 4096])
sectors = st.integers(0, 10**6)
origins = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)


@given(origins, sectors, sizes)
@example("o" * 80, 7, 512)
def test_a_sector_says_who_wrote_it(origin: str, sector: int, sector_bytes: int) -> None:
    content = sector_content(origin, sector, sector_bytes)
    assert len(content) == sector_bytes
    assert origin_of(content) == f"{origin} of sector {sector}"
    assert origin_of(memoryview(content)) == f"{origin} of sector {sector}"


@given(st.tuples(origins, sectors), st.tuples(origins, sectors), sizes)
def test_no_two_writes_are_the_same(one: tuple[str, int], other: tuple[str, int], sector_bytes: int) -> None:
    same = sector_content(*one, sector_bytes) == sector_content(*other, sector_bytes)
    assert same == (one == other)


def test_zeroes_and_the_initial_content() -> None:
    assert origin_of(bytes(512)) == ZERO
    assert origin_of(sector_content(INITIAL, 7, 512)) == "initial of sector 7"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 512,
        b"no newline" * 40,
        b"two words\n" + bytes(502),
        b" @x\n" + bytes(508),
        b"W\x1b[2J @1\nW",
        b"o" * 81 + b" @7\n",
    ],
)
def test_other_bytes_are_shown_as_bytes(content: bytes) -> None:
    assert origin_of(content) == f"bytes {content[:8].hex()}..."


@given(st.binary(max_size=600))
def test_whatever_it_is_can_be_shown(content: bytes) -> None:
    assert origin_of(content).isprintable()
