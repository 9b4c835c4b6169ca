"""A counterexample is explained: where the wrong bytes came from, and what should have stopped them."""

from __future__ import annotations

import re

import pytest

from shadowshare.verify.rules import oracle
from shadowshare.verify.story.explanation import RULES, content_words
from tests.verify.story.boards import board_of


def explained(name: str) -> str:
    return " ".join(board_of(name).explanation.sentences)


RETURNED = (
    "At step 7 R returns, for extent 0 of shadow copy 1.1, what W wrote into sector 0 ('write 0'). "
    "When that shadow copy was created, the extent held the initial content of sector 0."
)


def test_a_passive_that_never_determines_again() -> None:
    assert board_of("cached-recheck").explanation.sentences == (
        RETURNED,
        "R read that from the volume, at step 7. It had come there at step 6, when W overwrote extent 0.",
        "The journal named the copy of the extent from step 4 on: whoever looked at it after that could know.",
        "R did not look at the journal again: it went by what it had known before.",
        "Only a look that begins when the read has ended can tell that what was read must be discarded.",
    )
    assert board_of("cached-recheck").explanation.way == (6, 7)
    assert board_of("cached-recheck").explanation.told == 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no-recheck", "R did look at the journal when it had read the data, at step 9."),
        ("early-recheck", "R looked at the journal for the last time at step 1, before the read had ended."),
        ("volume-before-entry", "No journal block ever said that the extent had been copied"),
        ("newest-table-only", "The journal named the copy of the extent since before the first step"),
        ("hit-without-catch-up", "shadow copy 1.1 was deleted at step 1, and its slots were free then."),
        ("entry-before-data", "This part of the slot was filled by nobody: the journal named it too early."),
        ("copy-after-write", "By then the volume had been overwritten, at step 1"),
        ("no-flush-before-entry", "What W had written into the slot at step 2 is not what was found there"),
        ("creation-without-flush", "What W had written there at step 1 had not been flushed, and was lost."),
        ("creation-without-drain", "The shadow copy had been created at step 7"),
        ("two-append-at-once", "but that block was overwritten (step 8)."),
        ("no-flush-after-entry", "but that block was lost in the power loss (step 11)."),
        ("no-fence", "The write of step 12 landed late"),
        ("no-quarantine", "The write of step 27 landed late"),
        ("no-quarantine", "Until then the right data was there, which W had written at step 10."),
        ("hit-survives-reload", "But that block did not survive the power loss at step 6: whoever recovered"),
        ("hit-survives-reload", "at step 40, the journal came to name the same slot for the extent again"),
        ("first-extent-only", "When nothing was in flight any more"),
        ("passive-cleans-up", "A passive only reads the disk."),
    ],
)
def test_each_kind_of_cause_is_named(name: str, words: str) -> None:
    assert words in explained(name)


@pytest.mark.parametrize("name", ["no-recheck", "early-recheck", "hit-without-catch-up", "no-quarantine"])
def test_steps_that_are_named_are_there(name: str) -> None:
    board = board_of(name)
    named = [int(number) for number in re.findall(r"\bstep (\d+)", explained(name))]
    assert named
    assert all(1 <= number <= len(board.steps) for number in named)
    written, read, returned = board.explanation.way[0], board.explanation.way[-2], board.explanation.way[-1]
    assert written < read <= returned == board.replay.violated_at or len(board.explanation.way) == 2


def test_every_rule_of_the_oracle_has_its_sentence() -> None:
    documented = set(re.findall(r"^- ``([a-z-]+)``", oracle.__doc__ or "", flags=re.MULTILINE))
    assert documented == set(RULES)


def test_contents_in_words() -> None:
    assert content_words(bytes(512)) == "zeroes"
    assert content_words(b"initial @3\n" * 40) == "the initial content of sector 3"
    assert content_words(b"W 'write 0' (W2.1) @0\n" * 20) == "what W wrote into sector 0 ('write 0')"
    assert content_words(b"\xff\xfe" * 256).startswith("bytes fffe")
