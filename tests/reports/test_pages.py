"""A page is one file with everything in it, says the verdict first, and shows what it is given as text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shadowshare.reports.page.document import Facts, Page, TableSection, Words, link_steps, render
from shadowshare.reports.page.kinds import replay_page, run_page, verdict_of
from tests.reports.pages import pages
from tests.verify.story.boards import board_of

SIZE_BYTES_MAXIMUM = 1_000_000


@pytest.mark.parametrize("kind", sorted(pages()))
def test_a_page_is_small_and_needs_nothing_else(kind: str) -> None:
    page = pages()[kind]
    assert len(page.encode()) < SIZE_BYTES_MAXIMUM
    addresses = re.findall(r"""(?:src|href)=["']?([^"' >]+)""", page) + re.findall(r"url\(([^)]+)\)", page)
    assert [one for one in addresses if not one.startswith(("data:", "#"))] == []
    assert "@import" not in page
    assert "default-src 'none'" in page
    heading = re.search(r"<h1>.*?</h1>", page, flags=re.DOTALL)
    assert heading is not None
    assert ('class="verdict ' in heading[0]) == (kind != "simulation"), "nothing is judged in a simulation"


def test_the_longest_counterexample_is_small_too() -> None:
    assert len(replay_page(board_of("hit-survives-reload")).encode()) < SIZE_BYTES_MAXIMUM


def test_the_same_result_gives_the_same_page() -> None:
    board = board_of("no-recheck")
    assert replay_page(board) == replay_page(replace(board)) == pages()["replay"]


def test_what_a_page_is_given_is_text() -> None:
    evil = "<script>alert(1)</script>&\"'"
    page = render(
        Page(
            evil,
            "unknown",
            evil,
            [
                Facts(evil, {evil: evil}),
                Words(evil, [evil], evil),
                TableSection(evil, ([evil], [[evil]]), "a"),
            ],
        )
    )
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 9
    board = board_of("no-recheck")
    wicked = replace(
        board, story=evil, steps=(board.steps[0]._replace(result="</script><b>"), *board.steps[1:])
    )
    assert "</script><b>" not in replay_page(wicked)
    assert "<script>alert" not in replay_page(wicked)


def test_steps_in_sentences_can_be_followed() -> None:
    assert link_steps("<at step 12>, and steps") == (
        '&lt;at <button type="button" class="to-step" data-step="12">step 12</button>&gt;, and steps'
    )


def test_a_page_of_a_schedule_that_violates_nothing_verifies_nothing() -> None:
    from shadowshare.scenarios.catalogue import built_in  # noqa: PLC0415
    from shadowshare.verify.story.storyboard import storyboard_of  # noqa: PLC0415

    page = replay_page(storyboard_of(built_in("reader-before-volume-read"), ["W"] * 6))
    assert "<title>unknown: " in page
    assert "Why it went wrong" not in page


def test_the_worst_verdict_counts() -> None:
    assert verdict_of([]) == "unknown"
    assert verdict_of(["verified", "unknown"]) == "unknown"
    assert verdict_of(["unknown", "violated", "verified"]) == "violated"
    assert verdict_of(["verified"]) == "verified"
    assert "<title>unknown: " in run_page([], [])
